//! Whom one router listens to, in the form that packets are compared with.

use std::net::IpAddr;

use vrrp_common::{abi::Address, judge::Peers};

use super::Binding;
use crate::config::model::Network;

#[derive(Debug)]
pub(super) struct PeerList {
    peers: Vec<(Address, u8, u8)>,
    accept_from: Vec<Network>,
}

impl From<&Binding> for PeerList {
    fn from(binding: &Binding) -> Self {
        let peers = binding.peers.iter().map(|peer| (peer.address.into(), peer.min_ttl, peer.max_ttl));
        Self { peers: peers.collect(), accept_from: binding.accept_from.clone() }
    }
}

impl Peers for PeerList {
    fn ttl_range(&self, source: &Address) -> Option<(u8, u8)> {
        let (_, lowest, highest) = self.peers.iter().find(|(address, _, _)| address == source)?;
        Some((*lowest, *highest))
    }

    fn admits(&self, source: &Address) -> bool {
        let source = IpAddr::from(*source);
        self.accept_from.iter().any(|network| network.contains(source))
    }
}
