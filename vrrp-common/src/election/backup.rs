//! The Backup state (RFC 9568 §6.4.2): whose advertisements move the `Active_Down_Timer`, and by how much.

use super::{
    Advertised, Peer, Reason,
    actives::{Actives, Known},
    own::Own,
};
use crate::{
    abi::Address,
    time::{Instant, Interval},
};

/// A Backup's memory.
///
/// The timer ends when the word of every Active that was heard has run out. With one Active, or with one
/// interval for all, that is what the RFC says: it restarts with each accepted advertisement. With several
/// Actives that do not hear each other, neither the farewell of one nor its shorter interval speaks for the
/// others, whose leases may still be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Backup {
    /// When the timer was last moved: nothing received before that moves it.
    since: Instant,
    timer: Timer,
    active_adver_interval: Interval,
    /// The routers whose advertisements were accepted.
    actives: Actives,
    /// A router of lower priority, heard but not accepted.
    lower: Option<Known>,
    delay: Delay,
}

/// What the `Active_Down_Timer` was set for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// The entry into Backup: Active_Down_Interval, and after what had been received before.
    Entered,
    /// Accepted advertisements: Active_Down_Interval after each.
    Following,
    /// Priority 0 from the last Active that was heard: Skew_Time.
    Resigned(Address),
}

/// How far `preempt_delay` has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delay {
    /// No Active of lower priority was heard yet.
    NotBegun,
    /// Lower priorities are tolerated until then.
    Until(Instant),
    /// Lower priorities run into the timer.
    Over,
}

impl Backup {
    /// Nobody known: one whole Active_Down_Interval of our own interval (RFC 9568 §6.4.1).
    pub(super) fn started(own: &Own, now: Instant) -> Self {
        Self {
            since: now,
            timer: Timer::Entered,
            active_adver_interval: own.interval(),
            actives: Actives::default(),
            lower: None,
            delay: Delay::NotBegun,
        }
    }

    /// An Active stepped back for `advert`; the timer counts from `since`.
    pub(super) fn following(own: &Own, advert: &Advertised, since: Instant) -> Self {
        let mut backup =
            Self { active_adver_interval: own.learned(advert.interval), ..Self::started(own, since) };
        backup.advertisement(own, advert);
        backup
    }

    pub(super) fn active_adver_interval(&self) -> Interval {
        self.active_adver_interval
    }

    /// When [`Self::timer`] has something to do.
    pub(super) fn deadline(&self, own: &Own) -> Instant {
        match self.delay {
            Delay::Until(end) => self.down(own).min(end),
            Delay::NotBegun | Delay::Over => self.down(own),
        }
    }

    /// When the `Active_Down_Timer` fires. Follows from what was heard and from the effective priority, so a
    /// change of priority shifts it by the difference of the skews.
    pub(super) fn down(&self, own: &Own) -> Instant {
        let entered = self.since.after(own.down(self.active_adver_interval));
        let heard = self.actives.iter().map(|known| known.until(own)).max();
        match self.timer {
            Timer::Entered => heard.map_or(entered, |heard| heard.max(entered)),
            Timer::Following => heard.unwrap_or(entered),
            Timer::Resigned(_) => self.since.after(own.skew(self.active_adver_interval)),
        }
    }

    /// Whether an advertisement of lower priority received at `at` is let run into the timer.
    pub(super) fn preempts(&self, own: &Own, at: Instant) -> bool {
        own.may_preempt() && !self.delays(own, at)
    }

    /// Whether `preempt_delay` is in the way at `at`: it has not begun, or has not ended.
    pub(super) fn delays(&self, own: &Own, at: Instant) -> bool {
        own.preempt_delay().is_some()
            && match self.delay {
                Delay::NotBegun => true,
                Delay::Until(end) => at < end,
                Delay::Over => false,
            }
    }

    /// The router that holds the addresses as far as was heard: the best one that still counted when the
    /// last advertisement came in.
    pub(super) fn active_peer(&self, own: &Own) -> Option<Peer> {
        let latest = self.last_heard()?.heard;
        let counts = |known: &&Known| latest < known.until(own);
        let best =
            self.actives.iter().filter(counts).max_by_key(|known| (known.peer.priority, known.peer.source));
        best.or(self.lower.as_ref()).map(|known| known.peer)
    }

    pub(super) fn advertisement(&mut self, own: &Own, advert: &Advertised) {
        let overtaken = advert.at < self.since;
        if overtaken && self.timer != Timer::Entered {
            return;
        }
        if advert.priority == 0 {
            self.resignation(own, advert);
        } else if advert.priority >= own.priority {
            self.delay = Delay::NotBegun;
            self.accept(own, advert);
        } else {
            self.lower_priority(own, advert);
        }
    }

    /// The `Active_Down_Timer` or the delay may have come to its end. A reason means: become Active.
    pub(super) fn timer(&mut self, own: &Own, now: Instant) -> Option<Reason> {
        if matches!(self.delay, Delay::Until(end) if end <= now) {
            self.delay = Delay::Over;
        }
        (self.down(own) <= now).then(|| self.why(own, now))
    }

    /// Restarts the timer (RFC 9568 §6.4.2). What was received before the entry tells only who is there.
    fn accept(&mut self, own: &Own, advert: &Advertised) {
        let known = Known::new(own, advert);
        self.actives.note(known);
        if advert.at >= self.since {
            self.since = advert.at;
            self.timer = Timer::Following;
            self.active_adver_interval = known.interval;
        }
    }

    fn lower_priority(&mut self, own: &Own, advert: &Advertised) {
        if let (Delay::NotBegun, Some(delay)) = (self.delay, own.preempt_delay()) {
            self.delay = Delay::Until(advert.at.max(self.since).after(delay));
        }
        if self.preempts(own, advert.at) {
            self.lower = Some(Known::new(own, advert));
        } else {
            self.accept(own, advert);
        }
    }

    /// Sets the timer to Skew_Time (RFC 9568 §6.4.2), unless another Active is still heard: the farewell of
    /// one says nothing of the other. Nor does one farewell after the other put the takeover off: only the
    /// first since an Active was heard counts.
    fn resignation(&mut self, own: &Own, advert: &Advertised) {
        if advert.at < self.since {
            return;
        }
        self.actives.forget(advert.source);
        self.lower = self.lower.filter(|lower| lower.peer.source != advert.source);
        let others = self.actives.iter().chain(&self.lower).any(|other| advert.at < other.until(own));
        if !others && !matches!(self.timer, Timer::Resigned(_)) {
            self.since = advert.at;
            self.timer = Timer::Resigned(advert.source);
        }
    }

    fn last_heard(&self) -> Option<Peer> {
        self.actives.iter().chain(&self.lower).map(|known| known.peer).max_by_key(|peer| peer.heard)
    }

    fn why(&self, own: &Own, now: Instant) -> Reason {
        if let Timer::Resigned(source) = self.timer {
            return Reason::Resigned { source };
        }
        let still_heard = |known: &Known| now.since(known.peer.heard) < known.interval.times(2);
        if let Some(lower) = self.lower.filter(still_heard) {
            return Reason::Preempting { lower: lower.peer, ours: own.priority };
        }
        let last = self.last_heard();
        let silence = now.since(last.map_or(self.since, |peer| peer.heard));
        Reason::NoAdvertisement { last, silence }
    }
}
