//! When which address is announced: pure. Frames and sockets are elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use vrrp_common::{
    election::Announcement,
    time::{Instant, Interval},
};

use super::pace::{Gaps, Pace};
use crate::{config::model::Announce, datapath::Slot};

/// One address to tell the neighbours of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The number of the interface that carries it.
    pub(super) interface: u32,
    /// That interface's hardware address.
    pub(super) mac: [u8; 6],
    pub(super) address: IpAddr,
    /// The Router flag of a neighbour advertisement.
    pub(super) router: bool,
}

/// Whose burst it is, and its number.
pub(super) type Id = (Slot, u64);

/// The place of a burst that is due: the round that comes next, when it was due, and which it is.
pub(super) type Place = (u32, Instant, Id);

/// `rounds` rounds over all of `targets`, from `due` on.
#[derive(Debug)]
struct Burst {
    cause: Cause,
    due: Instant,
    targets: Arc<[Target]>,
    rounds: u32,
    /// Rounds completed, and targets of the present round.
    done: (u32, usize),
    gaps: Gaps,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Takeover,
    Refresh,
    Loser,
}

/// A router that holds its addresses.
#[derive(Debug)]
struct Holder {
    settings: Announce,
    targets: Vec<Target>,
    refresh: Option<Instant>,
}

/// Everything that is to be announced, for all routers: thousands may take over at once.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    holders: BTreeMap<Slot, Holder>,
    bursts: BTreeMap<Id, Burst>,
    /// Those that were not due when it was looked last, by when they are.
    later: BTreeSet<(Instant, Id)>,
    /// The others, but for those that wait for a gap.
    ready: BTreeSet<Place>,
    pace: Pace,
    /// How many bursts there were.
    numbered: u64,
}

impl Schedule {
    /// The router holds its addresses from now on; each is announced once it is confirmed.
    pub(super) fn start(&mut self, slot: Slot, settings: Announce, now: Instant) {
        self.stop(slot);
        let refresh = next_refresh(&settings, now);
        self.holders.insert(slot, Holder { settings, targets: Vec::new(), refresh });
    }

    /// The router lets go: nothing of it is announced any more.
    pub(super) fn stop(&mut self, slot: Slot) {
        // Whoever holds nothing has nothing to announce.
        if self.holders.remove(&slot).is_some() {
            let ids: Vec<Id> = self.bursts_of(slot).map(|(id, _)| *id).collect();
            ids.into_iter().for_each(|id| self.forget(id));
        }
    }

    /// These addresses are on the host: a burst now, and one after the configured delay.
    pub(super) fn confirmed(&mut self, slot: Slot, targets: Vec<Target>, now: Instant) {
        let Some(holder) = self.holders.get_mut(&slot) else { return };
        holder.targets.retain(|known| targets.iter().all(|new| !is_same(known, new)));
        holder.targets.extend(&targets);
        let Announce { repeat, delay, .. } = holder.settings;
        self.twice(slot, Cause::Takeover, targets.into(), (repeat, delay), now);
    }

    /// All addresses that were confirmed are announced again, for the occasion that the election names.
    pub(super) fn again(&mut self, slot: Slot, occasion: Announcement, now: Instant) {
        let Some(holder) = self.holders.get(&slot) else { return };
        let settings = holder.settings;
        let targets = Arc::from(holder.targets.as_slice());
        let loser = (settings.lower_priority_repeat, settings.lower_priority_delay);
        match occasion {
            // Each address is announced when it is confirmed.
            Announcement::Takeover => {}
            Announcement::AfterStall => {
                self.twice(slot, Cause::Takeover, targets, (settings.repeat, settings.delay), now);
            }
            // A loser is heard again and again. What is still to come for it will do.
            Announcement::LosingActive if self.is_pending(slot, Cause::Loser) => {}
            Announcement::LosingActive => self.twice(slot, Cause::Loser, targets, loser, now),
            Announcement::LosingSilent => {
                self.twice(slot, Cause::Loser, targets, (loser.0, Interval::ZERO), now);
            }
        }
    }

    /// When there is something to announce next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let ready = self.ready.first().map(|(_, due, _)| *due).or_else(|| self.pace.deadline());
        let later = self.later.first().map(|(due, _)| *due);
        let refreshes = self.holders.values().filter_map(|holder| holder.refresh);
        refreshes.chain(ready).chain(later).min()
    }

    /// Takes up to `budget` announcements that are due, with whose they are. The first round of every burst comes
    /// before the second of any.
    pub(super) fn take(&mut self, now: Instant, budget: usize, taken: &mut impl Extend<(Slot, Target)>) {
        self.begin_refreshes(now);
        self.make_ready(now);
        self.ready.extend(self.pace.release(now));
        let mut left = budget;
        while left > 0 {
            let Some(place @ (_, due, id)) = self.ready.pop_first() else { break };
            let Some(burst) = self.bursts.get_mut(&id) else { continue };
            let round = &burst.targets[burst.done.1..];
            let part = &round[..self.pace.admit(round, burst.gaps, now).min(left)];
            if part.is_empty() {
                self.pace.hold(round, place);
                continue;
            }
            taken.extend(part.iter().map(|target| (id.0, *target)));
            left -= part.len();
            burst.done.1 += part.len();
            if burst.done.1 == burst.targets.len() {
                burst.done = (burst.done.0 + 1, 0);
            }
            if burst.done.0 < burst.rounds {
                self.ready.insert((burst.done.0, due, id));
            } else {
                self.bursts.remove(&id);
            }
        }
    }

    fn make_ready(&mut self, now: Instant) {
        while let Some((due, id)) = self.later.first().copied().filter(|(due, _)| *due <= now) {
            self.later.pop_first();
            self.ready.insert((0, due, id));
        }
    }

    fn begin_refreshes(&mut self, now: Instant) {
        let mut begun = Vec::new();
        for (slot, holder) in &mut self.holders {
            if holder.refresh.is_some_and(|at| at <= now) {
                holder.refresh = next_refresh(&holder.settings, now);
                begun.push((*slot, Arc::from(holder.targets.as_slice()), holder.settings.refresh_repeat));
            }
        }
        for (slot, targets, rounds) in begun {
            if !self.is_pending(slot, Cause::Refresh) {
                self.burst(slot, Cause::Refresh, targets, rounds, now);
            }
        }
    }

    fn bursts_of(&self, slot: Slot) -> impl Iterator<Item = (&Id, &Burst)> {
        self.bursts.range((slot, 0)..=(slot, u64::MAX))
    }

    fn is_pending(&self, slot: Slot, cause: Cause) -> bool {
        self.bursts_of(slot).any(|(_, burst)| burst.cause == cause)
    }

    fn forget(&mut self, id: Id) {
        if let Some(burst) = self.bursts.remove(&id) {
            let place = (burst.done.0, burst.due, id);
            self.later.remove(&(burst.due, id));
            self.ready.remove(&place);
            self.pace.forget(&burst.targets[burst.done.1..], &place);
        }
    }

    fn twice(
        &mut self,
        slot: Slot,
        cause: Cause,
        targets: Arc<[Target]>,
        (rounds, delay): (u32, Interval),
        now: Instant,
    ) {
        self.burst(slot, cause, Arc::clone(&targets), rounds, now);
        if delay > Interval::ZERO {
            self.burst(slot, cause, targets, rounds, now.after(delay));
        }
    }

    fn burst(&mut self, slot: Slot, cause: Cause, targets: Arc<[Target]>, rounds: u32, due: Instant) {
        if rounds > 0 && !targets.is_empty() {
            let id = (slot, self.numbered);
            self.numbered += 1;
            let gaps = self.holders.get(&slot).map(|holder| Gaps::of(&holder.settings)).unwrap_or_default();
            self.bursts.insert(id, Burst { cause, due, targets, rounds, done: (0, 0), gaps });
            self.later.insert((due, id));
        }
    }
}

fn is_same(known: &Target, new: &Target) -> bool {
    (known.interface, known.address) == (new.interface, new.address)
}

fn next_refresh(settings: &Announce, now: Instant) -> Option<Instant> {
    (settings.refresh > Interval::ZERO).then(|| now.after(settings.refresh))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_nanos(1_000_000_000_000);
    const ZERO: Interval = Interval::ZERO;

    /// keepalived's defaults.
    const DEFAULTS: Announce = Announce {
        delay: Interval::from_secs(5),
        repeat: 5,
        refresh: ZERO,
        refresh_repeat: 1,
        lower_priority_delay: Interval::from_secs(5),
        lower_priority_repeat: 5,
        arp_gap: ZERO,
        na_gap: ZERO,
    };

    fn target(last: u8) -> Target {
        Target {
            interface: 2,
            mac: [2, 0, 0, 0, 0, 1],
            address: IpAddr::from([192, 0, 2, last]),
            router: false,
        }
    }

    fn seconds(seconds: u64) -> Instant {
        START.after(Interval::from_secs(seconds))
    }

    /// A schedule in which router 0 took over with the addresses 10 and 11 at the start.
    fn taken_over(settings: Announce) -> Schedule {
        let mut schedule = Schedule::default();
        schedule.start(Slot(0), settings, START);
        schedule.again(Slot(0), Announcement::Takeover, START);
        schedule.confirmed(Slot(0), vec![target(10), target(11)], START);
        schedule
    }

    /// The last bytes of the addresses that are announced at `now`.
    fn take(schedule: &mut Schedule, now: Instant, budget: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        schedule.take(now, budget, &mut taken);
        taken
            .into_iter()
            .map(|(_, target)| match target.address {
                IpAddr::V4(v4) => v4.octets()[3],
                IpAddr::V6(_) => 0,
            })
            .collect()
    }

    const FIVE_ROUNDS: [u8; 10] = [10, 11, 10, 11, 10, 11, 10, 11, 10, 11];

    #[test]
    fn a_takeover_is_five_rounds_now_and_five_after_five_seconds() {
        let mut schedule = taken_over(DEFAULTS);
        assert_eq!(schedule.deadline(), Some(START));
        assert_eq!(take(&mut schedule, START, 100), FIVE_ROUNDS);
        assert_eq!(schedule.deadline(), Some(seconds(5)));
        assert!(take(&mut schedule, seconds(4), 100).is_empty());
        assert_eq!(take(&mut schedule, seconds(5), 100), FIVE_ROUNDS);
        assert_eq!(schedule.deadline(), None);
    }

    #[test]
    fn a_budget_cuts_a_round_and_the_next_turn_goes_on() {
        let mut schedule = taken_over(DEFAULTS);
        assert_eq!(take(&mut schedule, START, 3), [10, 11, 10]);
        assert_eq!(schedule.deadline(), Some(START));
        assert_eq!(take(&mut schedule, START, 100), [11, 10, 11, 10, 11, 10, 11]);
    }

    #[test]
    fn the_first_round_of_every_router_comes_before_the_second_of_any() {
        let mut schedule = taken_over(DEFAULTS);
        assert_eq!(take(&mut schedule, START, 1), [10]);
        schedule.start(Slot(1), DEFAULTS, START);
        schedule.confirmed(Slot(1), vec![target(20)], START);
        assert_eq!(take(&mut schedule, START, 5), [11, 20, 10, 11, 20]);
    }

    #[test]
    fn who_lets_go_within_a_round_leaves_the_others_their_bursts() {
        let mut schedule = taken_over(DEFAULTS);
        schedule.start(Slot(1), DEFAULTS, START);
        schedule.confirmed(Slot(1), vec![target(20)], START);
        assert_eq!(take(&mut schedule, START, 1), [10]);
        schedule.stop(Slot(0));
        assert_eq!(take(&mut schedule, START, 100), [20; 5]);
        assert_eq!(schedule.deadline(), Some(seconds(5)));
        assert_eq!(take(&mut schedule, seconds(5), 2), [20; 2]);
        schedule.stop(Slot(1));
        assert!(take(&mut schedule, seconds(600), 100).is_empty());
    }

    #[test]
    fn addresses_are_announced_as_each_is_confirmed() {
        let mut schedule = taken_over(Announce { repeat: 1, ..DEFAULTS });
        assert_eq!(take(&mut schedule, START, 100), [10, 11]);
        schedule.confirmed(Slot(0), vec![target(12)], seconds(1));
        assert_eq!(take(&mut schedule, seconds(1), 100), [12]);
        assert_eq!(take(&mut schedule, seconds(5), 100), [10, 11]);
        assert_eq!(take(&mut schedule, seconds(6), 100), [12]);
        assert_eq!(schedule.deadline(), None);
    }

    #[test]
    fn refreshes_go_on_while_the_addresses_are_held_and_stop_with_them() {
        let settings = Announce { delay: ZERO, repeat: 1, refresh: Interval::from_secs(60), ..DEFAULTS };
        let mut schedule = taken_over(settings);
        take(&mut schedule, START, 100);
        for minute in 1..4 {
            assert_eq!(schedule.deadline(), Some(seconds(60 * minute)));
            assert_eq!(take(&mut schedule, seconds(60 * minute), 100), [10, 11]);
        }
        for _ in 0..50 {
            schedule.stop(Slot(0));
            schedule.start(Slot(0), settings, seconds(300));
            schedule.confirmed(Slot(0), vec![target(10)], seconds(300));
        }
        take(&mut schedule, seconds(300), 100);
        assert_eq!(take(&mut schedule, seconds(360), 100), [10], "flaps do not add up");
        schedule.stop(Slot(0));
        assert_eq!(schedule.deadline(), None);
    }

    #[test]
    fn a_router_that_let_go_announces_nothing() {
        let mut schedule = taken_over(DEFAULTS);
        take(&mut schedule, START, 3);
        schedule.stop(Slot(0));
        schedule.confirmed(Slot(0), vec![target(10)], START);
        schedule.again(Slot(0), Announcement::LosingActive, START);
        assert_eq!(schedule.deadline(), None);
        assert!(take(&mut schedule, seconds(600), 100).is_empty());
    }

    #[test]
    fn a_losing_active_is_answered_now_and_after_its_own_delay_and_not_more_often() {
        let settings = Announce {
            repeat: 1,
            delay: ZERO,
            lower_priority_repeat: 2,
            lower_priority_delay: Interval::from_secs(3),
            ..DEFAULTS
        };
        let mut schedule = taken_over(settings);
        take(&mut schedule, START, 100);
        for second in 10..13 {
            schedule.again(Slot(0), Announcement::LosingActive, seconds(second));
        }
        assert_eq!(take(&mut schedule, seconds(12), 100), [10, 11, 10, 11]);
        assert_eq!(schedule.deadline(), Some(seconds(13)));
        assert_eq!(take(&mut schedule, seconds(13), 100), [10, 11, 10, 11]);
        schedule.again(Slot(0), Announcement::LosingSilent, seconds(14));
        assert_eq!(take(&mut schedule, seconds(14), 100), [10, 11, 10, 11]);
        assert_eq!(schedule.deadline(), None);
    }

    #[test]
    fn after_a_stall_everything_is_announced_as_in_a_takeover() {
        let mut schedule = taken_over(DEFAULTS);
        take(&mut schedule, seconds(5), 100);
        schedule.again(Slot(0), Announcement::AfterStall, seconds(30));
        assert_eq!(take(&mut schedule, seconds(30), 100), FIVE_ROUNDS);
        assert_eq!(take(&mut schedule, seconds(35), 100), FIVE_ROUNDS);
    }

    const GAP: Interval = Interval::from_millis(10);

    /// Two routers on one interface, one of which also has an address on another one and one of IPv6.
    fn paced() -> Schedule {
        let settings = Announce { delay: ZERO, repeat: 2, arp_gap: GAP, ..DEFAULTS };
        let mut schedule = Schedule::default();
        for (slot, targets) in [
            (Slot(0), vec![target(10), target(11)]),
            (Slot(1), vec![target(20)]),
            (Slot(2), vec![Target { interface: 3, ..target(30) }]),
            (Slot(3), vec![Target { address: "2001:db8::1".parse().unwrap(), ..target(0) }]),
        ] {
            schedule.start(slot, settings, START);
            schedule.confirmed(slot, targets, START);
        }
        schedule
    }

    #[test]
    fn a_gap_is_kept_on_each_interface_and_for_each_family_by_all_routers_together() {
        let mut schedule = paced();
        assert_eq!(take(&mut schedule, START, 100), [10, 30, 0, 0]);
        let mut taken = Vec::new();
        while let Some(at) = schedule.deadline() {
            assert!(take(&mut schedule, at.before(Interval::from_nanos(1)), 100).is_empty());
            taken.push((at.since(START), take(&mut schedule, at, 100)));
            assert!(take(&mut schedule, at, 100).is_empty());
        }
        let rounds = [vec![11, 30], vec![20], vec![10], vec![11], vec![20]];
        let expected = (1..).map(|n| Interval::from_millis(10 * n)).zip(rounds);
        let sorted = taken.into_iter().map(|(at, mut addresses)| {
            addresses.sort_unstable();
            (at, addresses)
        });
        assert!(sorted.eq(expected));
    }

    #[test]
    fn who_lets_go_while_it_waits_for_a_gap_leaves_its_turn_to_others() {
        let mut schedule = paced();
        take(&mut schedule, START, 100);
        schedule.stop(Slot(0));
        schedule.stop(Slot(2));
        assert_eq!(schedule.deadline(), Some(START.after(GAP)));
        assert_eq!(take(&mut schedule, START.after(GAP), 100), [20]);
        schedule.stop(Slot(1));
        assert_eq!(schedule.deadline(), None);
        assert!(take(&mut schedule, seconds(9), 100).is_empty());
    }

    #[test]
    fn a_gap_lasts_beyond_the_burst_that_began_it() {
        let mut schedule = taken_over(Announce { delay: ZERO, repeat: 1, arp_gap: GAP, ..DEFAULTS });
        take(&mut schedule, START, 100);
        assert_eq!(take(&mut schedule, START.after(GAP), 100), [11]);
        schedule.again(Slot(0), Announcement::AfterStall, START.after(GAP));
        assert!(take(&mut schedule, START.after(GAP), 100).is_empty());
        assert_eq!(schedule.deadline(), Some(START.after(GAP).after(GAP)));
        assert_eq!(take(&mut schedule, seconds(1), 100), [10]);
    }

    #[test]
    fn bursts_of_nothing_are_none() {
        let mut schedule = taken_over(Announce { repeat: 0, ..DEFAULTS });
        assert_eq!(schedule.deadline(), None);
        schedule.confirmed(Slot(0), Vec::new(), START);
        assert_eq!(schedule.deadline(), None);
    }
}
