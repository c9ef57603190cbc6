//! The gap between two announcements of one family on one interface, which all routers there share. What is announced
//! is the schedule's business.

use std::collections::{BTreeMap, BTreeSet};

use vrrp_common::time::{Instant, Interval};

use super::schedule::{Place, Target};
use crate::config::model::Announce;

/// How far announcements of IPv4 and of IPv6 addresses must be apart.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gaps {
    arp: Interval,
    na: Interval,
}

impl Gaps {
    pub(super) fn of(settings: &Announce) -> Self {
        Self { arp: settings.arp_gap, na: settings.na_gap }
    }

    fn before(self, target: &Target) -> Interval {
        if target.address.is_ipv6() { self.na } else { self.arp }
    }
}

/// An interface, and whether it is about IPv6.
type Lane = (u32, bool);

fn lane(target: &Target) -> Lane {
    (target.interface, target.address.is_ipv6())
}

/// When each lane is free again, and the bursts that wait for it.
#[derive(Debug, Default)]
pub(super) struct Pace {
    free: BTreeMap<Lane, Instant>,
    waiting: BTreeMap<Lane, BTreeSet<Place>>,
}

impl Pace {
    /// How many of the targets may be announced now, one after the other; their lane is taken by that.
    pub(super) fn admit(&mut self, targets: &[Target], gaps: Gaps, now: Instant) -> usize {
        let unpaced = |target: &Target| gaps.before(target) == Interval::ZERO;
        match targets.first() {
            Some(first) if !unpaced(first) => {
                let free = self.free.entry(lane(first)).or_insert(now);
                let admitted = *free <= now;
                if admitted {
                    *free = now.after(gaps.before(first));
                }
                usize::from(admitted)
            }
            _ if gaps.arp.max(gaps.na) == Interval::ZERO => targets.len(),
            _ => targets.iter().take_while(|target| unpaced(target)).count(),
        }
    }

    /// The burst waits for the lane of its next target.
    pub(super) fn hold(&mut self, targets: &[Target], place: Place) {
        if let Some(next) = targets.first() {
            self.waiting.entry(lane(next)).or_default().insert(place);
        }
    }

    /// The bursts whose turn it is: one for each lane that is free, as each takes the lane.
    pub(super) fn release(&mut self, now: Instant) -> Vec<Place> {
        let Self { free, waiting } = self;
        let is_free = |lane: &Lane| free.get(lane).is_none_or(|free| *free <= now);
        let released =
            waiting.iter_mut().filter(|(lane, _)| is_free(lane)).filter_map(|(_, bursts)| bursts.pop_first());
        let released = released.collect();
        waiting.retain(|_, bursts| !bursts.is_empty());
        released
    }

    /// The burst is over.
    pub(super) fn forget(&mut self, targets: &[Target], place: &Place) {
        let Some(lane) = targets.first().map(lane) else { return };
        let Some(bursts) = self.waiting.get_mut(&lane) else { return };
        bursts.remove(place);
        if bursts.is_empty() {
            self.waiting.remove(&lane);
        }
    }

    /// When the next lane that is waited for is free.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.keys().map(|lane| self.free.get(lane).copied().unwrap_or_default()).min()
    }
}
