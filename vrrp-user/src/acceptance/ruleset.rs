//! What nft is told: a table of the node's own with the addresses that do not accept. Nothing is run here.

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
    net::IpAddr,
};

use crate::config::model::{Accept, Configuration, Instance, Nftables};

/// Where packets come in and go out, and which of their interfaces and addresses is ours there.
const CHAINS: [(&str, &str, &str); 2] = [("input", "iif", "daddr"), ("output", "oif", "saddr")];

const INET: &str = "table inet ";
const REMOVAL: &str = "delete table inet ";

/// The tables that a text of [`Rules::text`] removes: those that are known to be the node's.
pub(super) fn removed(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.strip_prefix(REMOVAL)).map(str::to_owned).collect()
}

/// The addresses that do not accept packets, and how that is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rules {
    /// They are on one interface of the host.
    everywhere: BTreeSet<IpAddr>,
    /// Link-local ones, by interface: another may have the same.
    on_link: BTreeSet<(Link, IpAddr)>,
    settings: Nftables,
}

/// An interface in a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Link {
    Named(String),
    Numbered(u32),
}

impl Rules {
    /// `index` is that of an interface of this name, if there is one.
    pub(super) fn of(configuration: &Configuration, index: impl Fn(&str) -> Option<u32>) -> Self {
        let mut rules = Self { settings: configuration.nftables.clone(), ..Self::default() };
        let routers = configuration.instances.iter().filter(|router| router.accept != Accept::Yes);
        routers.for_each(|router| rules.add(router, &index));
        rules
    }

    fn add(&mut self, router: &Instance, index: impl Fn(&str) -> Option<u32>) {
        // The node makes its macvlans itself, later and sometimes anew: their indices are not known yet.
        let own = router.virtual_mac.as_ref().map(|own| own.interface.as_str());
        for held in router.held_addresses() {
            if is_link_local(held.address) {
                let device = held.device.as_deref().unwrap_or_else(|| router.home());
                let numbered = self.settings.by_index && own != Some(device);
                let number = numbered.then(|| index(device)).flatten();
                let link = number.map_or_else(|| Link::Named(device.to_owned()), Link::Numbered);
                self.on_link.insert((link, held.address));
            } else {
                self.everywhere.insert(held.address);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.everywhere.is_empty() && self.on_link.is_empty()
    }

    /// The table that the file names.
    pub(super) fn table(&self) -> Option<&str> {
        self.settings.table.as_deref()
    }

    /// Makes `table` and removes the `known` ones, which are the node's own, within one transaction. They are added
    /// before they are deleted, as they need not be there. A table that is not known must not be there: it is
    /// somebody else's, and nft refuses all.
    pub(super) fn text(&self, known: &BTreeSet<String>, table: &str) -> String {
        let removal = |table: &String| format!("add {INET}{table}\n{REMOVAL}{table}\n");
        let mut text: String = known.iter().map(removal).collect();
        if self.is_empty() {
            return text;
        }
        if !known.contains(table) {
            text.push_str(&format!("create {INET}{table}\n"));
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{INET}{table} {{");
        for chain in CHAINS {
            self.write_chain(&mut text, chain);
        }
        text.push_str("}\n");
        text
    }

    /// Neighbours must find the addresses all the same (RFC 9568 §6.1); ARP does not come here.
    fn write_chain(&self, text: &mut String, (chain, interface, end): (&str, &str, &str)) {
        let Nftables { priority, counters, .. } = &self.settings;
        let drop = if *counters { "counter drop" } else { "drop" };
        let _ = write!(
            text,
            "    chain {chain} {{\n        type filter hook {chain} priority {priority}; policy accept;\n        \
             icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept\n"
        );
        for family in ["ip", "ip6"] {
            let listed = self.everywhere.iter().filter(|address| family_of(**address) == family);
            let listed: Vec<String> = listed.map(ToString::to_string).collect();
            if !listed.is_empty() {
                let _ = writeln!(text, "        {family} {end} {{ {} }} {drop}", listed.join(", "));
            }
        }
        for (link, address) in &self.on_link {
            let family = family_of(*address);
            let link = match link {
                Link::Named(device) => format!("{interface}name \"{device}\""),
                Link::Numbered(index) => format!("{interface} {index}"),
            };
            let _ = writeln!(text, "        {link} {family} {end} {address} {drop}");
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
            on_link: BTreeSet::from([(Link::Named("eth1".to_owned()), "fe80::1".parse().unwrap())]),
            settings: Nftables::default(),
        }
    }

    fn named<const N: usize>(tables: [&str; N]) -> BTreeSet<String> {
        tables.map(str::to_owned).into()
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
        assert_eq!(rules().text(&named(["xvrrp_a"]), "xvrrp_a"), expected);
    }

    #[test]
    fn the_file_says_priority_counters_and_indices() {
        let mut rules = rules();
        rules.settings = Nftables { priority: 7, counters: true, by_index: true, table: None };
        rules.on_link = BTreeSet::from([(Link::Numbered(3), "fe80::1".parse().unwrap())]);
        let text = rules.text(&named(["a"]), "a");
        let (input, output) = text.split_once("chain output").unwrap();
        for (chain, dropped) in [
            (
                input,
                [
                    "hook input priority 7;",
                    "ip6 daddr { 2001:db8::1 } counter drop",
                    "iif 3 ip6 daddr fe80::1 counter drop",
                ],
            ),
            (
                output,
                [
                    "hook output priority 7;",
                    "ip6 saddr { 2001:db8::1 } counter drop",
                    "oif 3 ip6 saddr fe80::1 counter drop",
                ],
            ),
        ] {
            dropped.iter().for_each(|line| assert!(chain.contains(line), "{line} in {chain}"));
        }
        assert!(!text.contains(" } drop"), "{text}");
    }

    #[test]
    fn without_addresses_only_the_old_tables_go() {
        let text = Rules::default().text(&named(["x", "y"]), "x");
        assert_eq!(text, "add table inet x\ndelete table inet x\nadd table inet y\ndelete table inet y\n");
        assert_eq!(removed(&text), named(["x", "y"]));
    }

    #[test]
    fn a_table_of_somebody_else_is_neither_taken_nor_removed() {
        let text = rules().text(&named(["old"]), "new");
        let start = "add table inet old\ndelete table inet old\ncreate table inet new\ntable inet new {\n";
        assert!(text.starts_with(start), "{text}");
        assert_eq!(removed(&text), named(["old"]));
    }
}
