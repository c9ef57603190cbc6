//! How the rules are written that drop packets to addresses which do not accept.

/// The table and its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nftables {
    /// `nftables`: the table's name; one of the node's own if absent.
    pub table: Option<String>,
    /// `nftables_priority` of its chains.
    pub priority: i32,
    /// `nftables_counters`: what is dropped is counted.
    pub counters: bool,
    /// `nftables_ifindex`: interfaces are told by their indices.
    pub by_index: bool,
}

impl Default for Nftables {
    /// Before the filters of the host, as keepalived's rules are.
    fn default() -> Self {
        Self { table: None, priority: -1, counters: false, by_index: false }
    }
}
