//! The Actives that a Backup heard lately. Usually there is one; two or more while they have not heard each
//! other. What follows for the timer is decided in `backup`.

use super::{Advertised, Peer, own::Own};
use crate::{
    abi::Address,
    time::{Instant, Interval},
};

/// More Actives at one time than a group has routers that can all be deaf to each other. Beyond it the one
/// heard longest ago is forgotten.
const CAPACITY: usize = 4;

/// A router that advertises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) peer: Peer,
    /// The Active_Adver_Interval that follows from its advertisement.
    pub(super) interval: Interval,
}

/// At most one entry a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Actives([Option<Known>; CAPACITY]);

impl Known {
    pub(super) fn new(own: &Own, advert: &Advertised) -> Self {
        Self { peer: advert.into(), interval: own.learned(advert.interval) }
    }

    /// Until when its last advertisement speaks for it: Active_Down_Interval after it.
    pub(super) fn until(&self, own: &Own) -> Instant {
        self.peer.heard.after(own.down(self.interval))
    }
}

impl Actives {
    pub(super) fn note(&mut self, known: Known) {
        let same = |slot: &Option<Known>| slot.is_some_and(|old| old.peer.source == known.peer.source);
        let place = self.0.iter().position(same).or_else(|| self.oldest());
        if let Some(slot) = place.and_then(|place| self.0.get_mut(place)) {
            *slot = Some(known);
        }
    }

    /// The free place, or the one of the router that was heard longest ago.
    fn oldest(&self) -> Option<usize> {
        let heard = |place: &usize| self.0.get(*place).copied().flatten().map(|known| known.peer.heard);
        (0..CAPACITY).min_by_key(heard)
    }

    pub(super) fn forget(&mut self, source: Address) {
        for slot in &mut self.0 {
            *slot = slot.filter(|known| known.peer.source != source);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.0.iter().flatten()
    }
}
