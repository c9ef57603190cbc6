//! The other routers of a virtual router, each as it was last heard. Nothing is gathered here.

use serde::{Deserialize, Serialize};

use super::text::seconds;

/// A router that advertised.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeerStatus {
    /// Where its advertisements come from.
    pub address: String,
    /// Its priority, 0 if it resigned.
    pub priority: u8,
    /// Its Advertisement_Interval in milliseconds.
    pub advertisement_interval_ms: f64,
    /// Seconds since it was last heard.
    pub heard_seconds_ago: f64,
    /// How many of its advertisements counted since it is remembered.
    pub advertisements: u64,
    /// Whether its address list is not this node's.
    pub differing_list: bool,
    /// Addresses that it lists and this node does not, if they are known.
    #[serde(default)]
    pub lists_besides: Vec<String>,
    /// Addresses that this node lists and it does not, if they are known.
    #[serde(default)]
    pub lists_not: Vec<String>,
}

/// One line for people.
pub(super) fn render(peer: &PeerStatus) -> String {
    let PeerStatus { address, priority, advertisement_interval_ms: interval, advertisements, .. } = peer;
    let age = seconds(peer.heard_seconds_ago);
    let priority = if *priority == 0 { "resigned".to_owned() } else { format!("priority {priority}") };
    let differs = if peer.differing_list { format!("; {}", difference(peer)) } else { String::new() };
    format!("{address}, {priority}, every {interval} ms, last heard {age} ago ({advertisements}){differs}")
}

/// "lists 192.0.2.9, not 192.0.2.10"
pub fn difference(peer: &PeerStatus) -> String {
    let joined = |addresses: &[String]| addresses.join(", ");
    match (&*peer.lists_besides, &*peer.lists_not) {
        ([], []) => "its address list differs".to_owned(),
        (besides, []) => format!("lists {} besides", joined(besides)),
        ([], not) => format!("does not list {}", joined(not)),
        (besides, not) => format!("lists {}, not {}", joined(besides), joined(not)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_one_line() {
        let peer = PeerStatus {
            address: "192.0.2.2".to_owned(),
            priority: 150,
            advertisement_interval_ms: 100.0,
            heard_seconds_ago: 0.0421,
            advertisements: 17,
            differing_list: false,
            lists_besides: Vec::new(),
            lists_not: Vec::new(),
        };
        assert_eq!(render(&peer), "192.0.2.2, priority 150, every 100 ms, last heard 42 ms ago (17)");
        let left = PeerStatus { priority: 0, differing_list: true, ..peer.clone() };
        assert_eq!(
            render(&left),
            "192.0.2.2, resigned, every 100 ms, last heard 42 ms ago (17); its address list differs"
        );
        let list = |addresses: &[&str]| addresses.iter().map(|&address| address.to_owned()).collect();
        for (besides, not, words) in [
            (list(&["192.0.2.9"]), list(&["192.0.2.10"]), "lists 192.0.2.9, not 192.0.2.10"),
            (list(&["192.0.2.9", "192.0.2.8"]), list(&[]), "lists 192.0.2.9, 192.0.2.8 besides"),
            (list(&[]), list(&["192.0.2.10"]), "does not list 192.0.2.10"),
        ] {
            let peer = PeerStatus { lists_besides: besides, lists_not: not, ..peer.clone() };
            assert_eq!(difference(&peer), words);
        }
    }
}
