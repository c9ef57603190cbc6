//! The unicast peers of one router in the form that packets are compared with.

use vrrp_common::{abi::Address, judge::Peers};

use crate::config::model::UnicastPeer;

#[derive(Debug)]
pub(super) struct PeerList(Vec<(Address, u8, u8)>);

impl From<&[UnicastPeer]> for PeerList {
    fn from(peers: &[UnicastPeer]) -> Self {
        Self(peers.iter().map(|peer| (peer.address.into(), peer.min_ttl, peer.max_ttl)).collect())
    }
}

impl Peers for PeerList {
    fn ttl_range(&self, source: &Address) -> Option<(u8, u8)> {
        let (_, lowest, highest) = self.0.iter().find(|(address, _, _)| address == source)?;
        Some((*lowest, *highest))
    }
}
