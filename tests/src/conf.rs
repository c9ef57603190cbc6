//! Configuration texts for stories: one virtual router on `eth0`, in keepalived's language.

/// The address that it moves unless told otherwise.
pub const ADDRESS: &str = "192.0.2.100";
/// Its name.
pub const INSTANCE: &str = "VI_1";

/// A configuration file in the making. The virtual router has VRID 51.
#[derive(Clone, Debug)]
pub struct Conf {
    interface: String,
    statements: Vec<String>,
    addresses: Vec<String>,
    before: String,
}

impl Conf {
    /// VRRPv3, `advert_int` as the file has it (seconds).
    pub fn v3(priority: u8, advert_int: &str) -> Self {
        Self::new(priority, advert_int).and("version 3")
    }

    /// VRRPv3 with the interval that makes stories quick: 0.1 s.
    pub fn fast(priority: u8) -> Self {
        Self::v3(priority, "0.1")
    }

    /// VRRPv2 with a password, every second: what most files in the wild say.
    pub fn v2_pass(priority: u8, password: &str) -> Self {
        let authentication =
            format!("authentication {{\n        auth_type PASS\n        auth_pass {password}\n    }}");
        Self::new(priority, "1").and(&authentication)
    }

    fn new(priority: u8, advert_int: &str) -> Self {
        let conf = Self {
            interface: "eth0".to_owned(),
            statements: Vec::new(),
            addresses: vec![ADDRESS.to_owned()],
            before: String::new(),
        };
        conf.and("state BACKUP")
            .and("virtual_router_id 51")
            .and(&format!("priority {priority}"))
            .and(&format!("advert_int {advert_int}"))
    }

    /// Another statement of the virtual router.
    pub fn and(mut self, statement: &str) -> Self {
        self.statements.push(statement.to_owned());
        self
    }

    /// Another interface.
    pub fn on(mut self, interface: &str) -> Self {
        interface.clone_into(&mut self.interface);
        self
    }

    /// Other addresses.
    pub fn moving(mut self, addresses: &[&str]) -> Self {
        self.addresses = addresses.iter().map(|&address| address.to_owned()).collect();
        self
    }

    /// No address at all.
    pub fn without_addresses(self) -> Self {
        self.moving(&[]).and("no_virtual_ipaddress")
    }

    /// A statement for the whole node.
    pub fn node(mut self, statement: &str) -> Self {
        self.before += &format!("global_defs {{\n    {statement}\n}}\n\n");
        self
    }

    /// A check that the virtual router tracks: its name and the statements of its block.
    pub fn checking(mut self, name: &str, statements: &[&str]) -> Self {
        self.before += &format!("vrrp_script {name} {{\n    {}\n}}\n\n", statements.join("\n    "));
        self.and(&format!("track_script {{\n        {name}\n    }}"))
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let Self { interface, statements, addresses, before } = self;
        let mut statements = statements.clone();
        if !addresses.is_empty() {
            statements
                .push(format!("virtual_ipaddress {{\n        {}\n    }}", addresses.join("\n        ")));
        }
        let statements = statements.join("\n    ");
        format!("{before}vrrp_instance {INSTANCE} {{\n    interface {interface}\n    {statements}\n}}\n")
    }
}
