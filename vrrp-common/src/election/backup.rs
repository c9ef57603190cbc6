//! The Backup state (RFC 9568 §6.4.2): whose advertisements move the `Active_Down_Timer`, and by how much.

use super::{Advertised, Peer, Reason, own::Own};
use crate::{
    abi::Address,
    time::{Instant, Interval},
};

/// A Backup's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Backup {
    /// The moment the timer counts from: nothing received before it moves the timer.
    since: Instant,
    /// When the `Active_Down_Timer` fires.
    down: Instant,
    active_adver_interval: Interval,
    /// The best router whose advertisements the timer follows.
    active: Option<Known>,
    /// A router of lower priority, heard but not accepted.
    lower: Option<Known>,
    /// Who resigned, if that is what the timer was last set for.
    resigned: Option<Address>,
    delay: Delay,
}

/// A router that advertises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    peer: Peer,
    interval: Interval,
    /// Until when its last advertisement speaks for it.
    until: Instant,
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

impl Known {
    fn new(own: &Own, advert: &Advertised) -> Self {
        let interval = own.learned(advert.interval);
        Self { peer: advert.into(), interval, until: advert.at.after(own.down(interval)) }
    }

    fn speaks_at(&self, at: Instant) -> bool {
        at < self.until
    }

    /// Whether this router is another than the one that advertises, still counts, and would not yield to it.
    fn stands_against(&self, advert: &Advertised) -> bool {
        self.peer.source != advert.source
            && self.speaks_at(advert.at)
            && (self.peer.priority, self.peer.source) > (advert.priority, advert.source)
    }
}

impl Backup {
    /// Nobody known: one whole Active_Down_Interval of our own interval (RFC 9568 §6.4.1).
    pub(super) fn started(own: &Own, now: Instant) -> Self {
        Self::waiting(own, own.interval(), now)
    }

    /// An Active stepped back for `advert`; the timer counts from `since`.
    pub(super) fn following(own: &Own, advert: &Advertised, since: Instant) -> Self {
        let mut backup = Self::waiting(own, own.learned(advert.interval), since);
        backup.advertisement(own, advert);
        backup
    }

    fn waiting(own: &Own, active_adver_interval: Interval, since: Instant) -> Self {
        Self {
            since,
            down: since.after(own.down(active_adver_interval)),
            active_adver_interval,
            active: None,
            lower: None,
            resigned: None,
            delay: Delay::NotBegun,
        }
    }

    pub(super) fn active_adver_interval(&self) -> Interval {
        self.active_adver_interval
    }

    /// When [`Self::timer`] has something to do.
    pub(super) fn deadline(&self) -> Instant {
        match self.delay {
            Delay::Until(end) => self.down.min(end),
            Delay::NotBegun | Delay::Over => self.down,
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

    /// The router that holds the addresses as far as was heard.
    pub(super) fn active_peer(&self) -> Option<Peer> {
        let latest = self.active.iter().chain(&self.lower).map(|known| known.peer.heard).max()?;
        self.active_at(latest).or(self.lower).map(|known| known.peer)
    }

    pub(super) fn advertisement(&mut self, own: &Own, advert: &Advertised) {
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
        (self.down <= now).then(|| self.why(own, now))
    }

    /// Shifts the running timer by the difference of the skews, so that it ends as if the new priority had
    /// held from the last advertisement on.
    pub(super) fn priority_changed(&mut self, old_skew: Interval, new_skew: Interval) {
        self.down = self.down.after(new_skew).before(old_skew);
    }

    fn lower_priority(&mut self, own: &Own, advert: &Advertised) {
        if let (Delay::NotBegun, Some(delay)) = (self.delay, own.preempt_delay()) {
            self.delay = Delay::Until(advert.at.max(self.since).after(delay));
        }
        if !self.preempts(own, advert.at) {
            return self.accept(own, advert);
        }
        self.lower = Some(Known::new(own, advert));
        if self.active.is_some_and(|known| known.peer.source == advert.source) {
            self.active = None;
        }
    }

    /// Restarts the timer (RFC 9568 §6.4.2).
    ///
    /// While a better router still counts, a second Active beneath it only lengthens the wait: the second one
    /// may yield at once, and the better one's lease must not be cut short by an interval that is not its own.
    fn accept(&mut self, own: &Own, advert: &Advertised) {
        let known = Known::new(own, advert);
        let current = advert.at >= self.since;
        if current {
            self.since = advert.at;
            self.resigned = None;
        }
        if self.active.is_some_and(|active| active.stands_against(advert)) {
            self.down = self.down.max(known.until);
            return;
        }
        self.active = Some(known);
        if current {
            self.active_adver_interval = known.interval;
            self.down = known.until;
        }
    }

    /// Sets the timer to Skew_Time (RFC 9568 §6.4.2), unless another router than the one that resigns is
    /// still heard as Active: a stranger's farewell says nothing of it.
    fn resignation(&mut self, own: &Own, advert: &Advertised) {
        let stranger = self.active_at(advert.at).is_some_and(|known| known.peer.source != advert.source);
        if stranger || advert.at < self.since {
            return;
        }
        self.since = advert.at;
        self.down = advert.at.after(own.skew(self.active_adver_interval));
        self.resigned = Some(advert.source);
        self.active = None;
    }

    fn active_at(&self, at: Instant) -> Option<Known> {
        let heard = |known: &Known| known.speaks_at(at);
        self.active.filter(heard).or_else(|| self.lower.filter(heard))
    }

    fn why(&self, own: &Own, now: Instant) -> Reason {
        if let Some(source) = self.resigned {
            return Reason::Resigned { source };
        }
        let still_heard = |known: &Known| now.since(known.peer.heard) < known.interval.times(2);
        if let Some(lower) = self.lower.filter(still_heard) {
            return Reason::Preempting { lower: lower.peer, ours: own.priority };
        }
        let last = self.active.or(self.lower).map(|known| known.peer);
        let silence = now.since(last.map_or(self.since, |peer| peer.heard));
        Reason::NoAdvertisement { last, silence }
    }
}
