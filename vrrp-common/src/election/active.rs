//! The Active state (RFC 9568 §6.4.3): own cadence, answers, the lease, and when to step back.

use core::mem;

use super::{Action, Actions, Advertised, Announcement, Lease, Reason, backup::Backup, own::Own, timers};
use crate::time::{Instant, Interval};

/// Announcements against a losing Active keep at least this distance, whatever its interval: an announcement
/// is a burst for every address, and one a second is enough to overrule it.
const ANNOUNCE_DAMPING: Interval = Interval::from_secs(1);
/// A longer interval takes effect when this many advertisements have told of it: a Backup that lost some of them
/// still counts with the shorter one.
const TELLING: u8 = 3;
/// A loser that says nothing for this many of its own intervals has yielded.
const SILENT_INTERVALS: u64 = 2;

/// An Active's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Active {
    /// When the next advertisement is due. Each follows the one before by an interval, sent or not, early or
    /// late: nothing that is received moves it.
    next: Instant,
    /// When the kernel last took an advertisement.
    sent: Option<Instant>,
    lease: Option<Lease>,
    /// Whether the addresses were asked for.
    acquired: bool,
    /// The last losing advertisement.
    rival: Option<Advertised>,
    /// Before that no further answer goes out.
    answer_from: Instant,
    /// Before that no further announcement against a loser goes out.
    announce_from: Instant,
    /// When the loser will have been silent for long enough.
    rival_silent: Option<Instant>,
    /// The shorter interval that was configured before, and how many advertisements still keep to it.
    former: Option<(Interval, u8)>,
}

/// What became of an Active.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    /// It remains.
    Stay(Actions),
    /// It steps back.
    Yield(Reason, Backup),
}

impl Active {
    /// Active since `now`, with an advertisement asked for. The addresses follow when it was sent.
    pub(super) fn taken_over(own: &Own, now: Instant) -> Self {
        Self {
            next: now.after(own.interval()),
            sent: None,
            lease: None,
            acquired: false,
            rival: None,
            answer_from: now,
            announce_from: now,
            rival_silent: None,
            former: None,
        }
    }

    /// Active by the daemon before, whose `lease` still holds: the addresses are here, and an advertisement is
    /// asked for. When it was last sent is not known to the microsecond; the turn that sent had begun by `granted`.
    pub(super) fn adopted(own: &Own, lease: Lease, now: Instant) -> Self {
        Self { sent: Some(lease.granted), lease: Some(lease), acquired: true, ..Self::taken_over(own, now) }
    }

    /// The interval may have changed from `before`. A shorter one holds at once; with a longer one, cadence and
    /// lease stay until the Backups know of it.
    pub(super) fn reconfigured(&mut self, own: &Own, before: Interval, now: Instant) {
        let shortest = self.former.map_or(before, |(former, _)| former.min(before));
        if own.interval() == before {
            return;
        }
        self.former = (own.interval() > shortest).then_some((shortest, TELLING));
        self.next = self.next.min(now.after(own.interval()));
    }

    /// The distance of advertisements, and what the lease counts in.
    fn pace(&self, own: &Own) -> Interval {
        self.former.map_or_else(|| own.interval(), |(former, _)| former)
    }

    pub(super) fn next_advertisement(&self) -> Instant {
        self.next
    }

    pub(super) fn has_acquired(&self) -> bool {
        self.acquired
    }

    pub(super) fn lease(&self) -> Option<Lease> {
        self.lease
    }

    /// When [`Self::timer`] has something to do.
    pub(super) fn deadline(&self) -> Instant {
        self.rival_silent.map_or(self.next, |silent| silent.min(self.next))
    }

    pub(super) fn timer(&mut self, own: &Own, now: Instant) -> Outcome {
        if let Some(rival) = self.rival
            && let Some(silence) = self.stalled(&rival, now)
        {
            return step_back(own, &rival, silence, now);
        }
        let due = self.next <= now;
        if due {
            self.next = next_on_grid(self.next, self.pace(own), now);
        }
        let silent = self.rival_silent.is_some_and(|silent| silent <= now);
        if silent {
            self.rival_silent = None;
        }
        Outcome::Stay(Actions::of([
            due.then(|| own.advertise()),
            silent.then_some(Action::Announce(Announcement::LosingSilent)),
        ]))
    }

    pub(super) fn advertisement(&mut self, own: &Own, advert: &Advertised, now: Instant) -> Outcome {
        if advert.priority == 0 {
            self.rival = self.rival.filter(|rival| rival.source != advert.source);
            return Outcome::Stay(Actions::of([self.answer(own, now)]));
        }
        if let Some(silence) = self.stalled(advert, now) {
            return step_back(own, advert, silence, now);
        }
        if own.is_outranked_by(advert) {
            let reason = Reason::Outranked { by: advert.into(), ours: own.priority };
            return Outcome::Yield(reason, Backup::following(own, advert, advert.at));
        }
        Outcome::Stay(self.losing(own, advert, now))
    }

    /// The kernel took an advertisement: the lease is renewed. The first one completes the takeover. Nobody
    /// takes addresses who cannot tell the others.
    pub(super) fn sent(&mut self, own: &Own, granted: Instant, sent: Instant, now: Instant) -> Actions {
        let first = !mem::replace(&mut self.acquired, true);
        // Addresses that were closed could not be defended: somebody else may have been believed meanwhile.
        let reopened = self.lease.is_some_and(|old| old.until <= now);
        let until = timers::lease_until(sent, self.pace(own), own.parameters.down_timer_adverts);
        self.former = self.former.filter(|(_, left)| *left > 1).map(|(former, left)| (former, left - 1));
        self.sent = Some(sent);
        self.lease = until.map(|until| Lease { granted, until });
        Actions::of([
            self.lease.map(Action::Grant),
            first.then_some(Action::Acquire),
            first.then_some(Action::Announce(Announcement::Takeover)),
            reopened.then_some(Action::Announce(Announcement::AfterStall)),
        ])
    }

    /// RFC 9568 §6.4.3: discard, and send an advertisement at once. The loser announced the addresses as its
    /// own, so they are announced again, now and when it has fallen silent.
    fn losing(&mut self, own: &Own, advert: &Advertised, now: Instant) -> Actions {
        self.rival = Some(*advert);
        let answer = self.answer(own, now);
        if !self.acquired {
            return Actions::of([answer]);
        }
        let silent = advert.at.after(advert.interval.times(SILENT_INTERVALS));
        self.rival_silent = self.rival_silent.max(Some(silent));
        let announce = self.announce_from <= now;
        if announce {
            self.announce_from = now.after(ANNOUNCE_DAMPING);
        }
        Actions::of([answer, announce.then_some(Action::Announce(Announcement::LosingActive))])
    }

    /// An advertisement out of turn, at most one in half an interval so that a neighbour cannot multiply our
    /// packets (reference row F4). It moves nothing.
    fn answer(&mut self, own: &Own, now: Instant) -> Option<Action> {
        if now < self.answer_from {
            return None;
        }
        self.answer_from = now.after(own.interval().divided(2));
        Some(own.advertise())
    }

    /// How long we have been silent, if we were not run until after the end of the lease and `other` was
    /// Active meanwhile. Without a lease (one advert in the down timer, or no send has succeeded) a stall
    /// cannot be told from lateness.
    fn stalled(&self, other: &Advertised, now: Instant) -> Option<Interval> {
        let (lease, sent) = (self.lease?, self.sent?);
        (lease.until <= now && sent < other.at).then(|| now.since(sent))
    }
}

/// Whoever took over meanwhile keeps the addresses, whatever the priorities: a whole Active_Down_Interval
/// passes from now on, awake, before ordinary preemption takes them back.
fn step_back(own: &Own, other: &Advertised, silence: Interval, now: Instant) -> Outcome {
    let reason = Reason::Stalled { silence, by: other.into() };
    Outcome::Yield(reason, Backup::following(own, other, now))
}

/// The first point after `now` of the grid that `due` lies on: what is late is sent once, never in a burst.
fn next_on_grid(due: Instant, interval: Interval, now: Instant) -> Instant {
    let missed = now.since(due).as_nanos() / interval.as_nanos().max(1);
    due.after(interval.times(missed.saturating_add(1)))
}
