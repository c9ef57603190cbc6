//! Whom one router listens to, in the maps of the programs: unicast peers and `accept_from`.

use std::collections::BTreeSet;

use aya::maps::{MapError, lpm_trie::Key};
use vrrp_common::abi::{Address, Admitted, PeerKey, TtlRange};

use super::object::Object;
use crate::{
    config::model::{Network, UnicastPeer},
    datapath::{Binding, Slot},
};

/// What was entered for a router, to be removed with it.
#[derive(Default)]
pub(super) struct Listens {
    unicast: Vec<[u8; size_of::<PeerKey>()]>,
    admitted: Vec<Key<[u8; size_of::<Admitted>()]>>,
}

impl Listens {
    pub(super) fn enter(&mut self, object: &mut Object, binding: &Binding) -> Result<(), MapError> {
        for peer in &binding.peers {
            let (key, range) = unicast(binding.slot, peer);
            object.unicast.insert(key, range, 0)?;
            self.unicast.push(key);
        }
        for network in &binding.accept_from {
            let key = admitted(binding.slot, *network);
            object.admitted.insert(&key, 1, 0)?;
            self.admitted.push(key);
        }
        Ok(())
    }

    /// Removes what is in the maps and in none of these: an earlier daemon's.
    pub(super) fn sweep<'a>(object: &mut Object, present: impl Iterator<Item = &'a Self> + Clone) {
        let unicast: BTreeSet<_> = present.clone().flat_map(|one| one.unicast.iter().copied()).collect();
        let bytes = |key: &Key<[u8; size_of::<Admitted>()]>| (key.prefix_len(), key.data());
        let admitted: BTreeSet<_> = present.flat_map(|one| one.admitted.iter().map(bytes)).collect();
        let stale: Vec<_> = object.unicast.keys().flatten().filter(|peer| !unicast.contains(peer)).collect();
        let dropped: Vec<_> =
            object.admitted.keys().flatten().filter(|key| !admitted.contains(&bytes(key))).collect();
        Self { unicast: stale, admitted: dropped }.remove(object);
    }

    pub(super) fn remove(&self, object: &mut Object) {
        // What is not there needs no removal.
        for peer in &self.unicast {
            let _ = object.unicast.remove(peer);
        }
        for network in &self.admitted {
            let _ = object.admitted.remove(network);
        }
    }
}

fn unicast(slot: Slot, peer: &UnicastPeer) -> ([u8; size_of::<PeerKey>()], [u8; size_of::<TtlRange>()]) {
    let key = PeerKey { slot: slot.0, reserved: 0, source: peer.address.into() };
    let range = TtlRange { lowest: peer.min_ttl, highest: peer.max_ttl };
    (bytemuck::cast(key), bytemuck::cast(range))
}

/// IPv4 networks are among the mapped addresses, behind 96 bits that all of them have.
fn admitted(slot: Slot, network: Network) -> Key<[u8; size_of::<Admitted>()]> {
    let mapped = if network.address.is_ipv4() { 96 } else { 0 };
    let length = Admitted::SLOT_BITS + mapped + u32::from(network.length);
    Key::new(
        length,
        bytemuck::cast(Admitted { slot: slot.0, network: Address::from(network.address).octets() }),
    )
}
