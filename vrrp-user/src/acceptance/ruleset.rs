//! What nft is told: a table of the node's own with the addresses that do not accept. Nothing is run here.

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
    net::IpAddr,
};

use crate::config::model::{Accept, Configuration, Instance};

/// Before the filters of the host, as keepalived's rules are.
const PRIORITY: i32 = -1;
/// Where packets come in and go out, and which of their interfaces and addresses is ours there.
const CHAINS: [(&str, &str, &str); 2] = [("input", "iifname", "daddr"), ("output", "oifname", "saddr")];

/// The addresses that do not accept packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rules {
    /// They are on one interface of the host.
    everywhere: BTreeSet<IpAddr>,
    /// Link-local ones, by interface: another may have the same.
    on_link: BTreeSet<(String, IpAddr)>,
}

impl Rules {
    pub(super) fn of(configuration: &Configuration) -> Self {
        let mut rules = Self::default();
        configuration
            .instances
            .iter()
            .filter(|router| router.accept != Accept::Yes)
            .for_each(|router| rules.add(router));
        rules
    }

    fn add(&mut self, router: &Instance) {
        for held in router.held_addresses() {
            if is_link_local(held.address) {
                let device = held.device.as_deref().unwrap_or_else(|| router.home());
                self.on_link.insert((device.to_owned(), held.address));
            } else {
                self.everywhere.insert(held.address);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Replaces the table within one transaction. It is added before it is deleted, as it need not be there.
    pub(super) fn text(&self, table: &str) -> String {
        let mut text = format!("add table inet {table}\ndelete table inet {table}\n");
        if self.is_empty() {
            return text;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "table inet {table} {{");
        for chain in CHAINS {
            self.write_chain(&mut text, chain);
        }
        text.push_str("}\n");
        text
    }

    /// Neighbours must find the addresses all the same (RFC 9568 §6.1); ARP does not come here.
    fn write_chain(&self, text: &mut String, (chain, interface, end): (&str, &str, &str)) {
        let _ = write!(
            text,
            "    chain {chain} {{\n        type filter hook {chain} priority {PRIORITY}; policy accept;\n        \
             icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept\n"
        );
        for family in ["ip", "ip6"] {
            let listed = self.everywhere.iter().filter(|address| family_of(**address) == family);
            let listed: Vec<String> = listed.map(ToString::to_string).collect();
            if !listed.is_empty() {
                let _ = writeln!(text, "        {family} {end} {{ {} }} drop", listed.join(", "));
            }
        }
        for (device, address) in &self.on_link {
            let family = family_of(*address);
            let _ = writeln!(text, "        {interface} \"{device}\" {family} {end} {address} drop");
        }
        text.push_str("    }\n");
    }
}

/// Its addresses, for people: `192.0.2.1, fe80::1`.
impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.everywhere.iter().chain(self.on_link.iter().map(|(_, address)| address));
        f.write_str(&all.map(ToString::to_string).collect::<Vec<_>>().join(", "))
    }
}

fn family_of(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ip" } else { "ip6" }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let everywhere = ["192.0.2.1", "192.0.2.2", "2001:db8::1"].map(|address| address.parse().unwrap());
        Rules {
            everywhere: BTreeSet::from(everywhere),
            on_link: BTreeSet::from([("eth1".to_owned(), "fe80::1".parse().unwrap())]),
        }
    }

    #[test]
    fn both_directions_are_dropped_after_neighbour_discovery_passed() {
        let expected = r#"add table inet xvrrp_a
delete table inet xvrrp_a
table inet xvrrp_a {
    chain input {
        type filter hook input priority -1; policy accept;
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
        ip daddr { 192.0.2.1, 192.0.2.2 } drop
        ip6 daddr { 2001:db8::1 } drop
        iifname "eth1" ip6 daddr fe80::1 drop
    }
    chain output {
        type filter hook output priority -1; policy accept;
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
        ip saddr { 192.0.2.1, 192.0.2.2 } drop
        ip6 saddr { 2001:db8::1 } drop
        oifname "eth1" ip6 saddr fe80::1 drop
    }
}
"#;
        assert_eq!(rules().text("xvrrp_a"), expected);
    }

    #[test]
    fn without_addresses_only_the_old_table_goes() {
        assert_eq!(Rules::default().text("x"), "add table inet x\ndelete table inet x\n");
    }
}
