//! A host's kernel: it stamps what it receives and keeps the lease, whether the daemon lives or not.

use vrrp_common::{
    abi::{Address, Standing},
    election::{Advertised, Lease},
    time::Instant,
};

/// How the daemon hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Datapath {
    /// Every advertisement waits in a queue and wakes the daemon.
    Socket,
    /// Only the last of each kind and source is kept, and only what is news wakes the daemon.
    Records,
}

pub(crate) struct Kernel {
    datapath: Datapath,
    source: Address,
    standing: Standing,
    lease: Option<Lease>,
    superseded: Instant,
    unread: Vec<(Kind, Advertised)>,
    /// The last sender, priority and interval of what was accepted.
    accepted: Option<Advertised>,
    /// Something wants the daemon.
    rung: bool,
}

/// The kinds of `vrrp_common::abi::Heard`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Accepted,
    Better,
    Losing,
    Resigned,
}

impl Kernel {
    pub(crate) fn new(datapath: Datapath, source: Address) -> Self {
        Self {
            datapath,
            source,
            standing: Standing::new(1, false, true, false),
            lease: None,
            superseded: Instant::from_nanos(0),
            unread: Vec::new(),
            accepted: None,
            rung: false,
        }
    }

    /// A new daemon attaches: nothing heard, addresses closed.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.datapath, self.source);
    }

    /// The lease that a daemon left which is gone, if another one may adopt it at `now`. What was heard since it
    /// was granted waits to be read.
    pub(crate) fn inherit(&mut self, now: Instant) -> Option<Lease> {
        let lease = self.lease.filter(|_| self.open(now))?;
        self.unread.retain(|(_, advert)| advert.at >= lease.granted);
        Some(lease)
    }

    pub(crate) fn write(&mut self, standing: Standing) {
        self.standing = standing;
    }

    pub(crate) fn standing(&self) -> Standing {
        self.standing
    }

    pub(crate) fn grant(&mut self, lease: Lease) {
        self.lease = Some(lease);
    }

    pub(crate) fn close(&mut self) {
        self.lease = None;
    }

    /// `now < UNTIL && SUPERSEDED < GRANTED`.
    pub(crate) fn open(&self, now: Instant) -> bool {
        self.lease.is_some_and(|lease| now < lease.until && self.superseded < lease.granted)
    }

    /// Whether advertisements are heard while there is no daemon.
    pub(crate) fn hears_alone(&self) -> bool {
        self.datapath == Datapath::Records
    }

    pub(crate) fn until(&self) -> Option<Instant> {
        self.lease.map(|lease| lease.until)
    }

    pub(crate) fn beaten_by(&self, priority: u8, source: Address) -> bool {
        (priority, source) > (self.standing.priority(), self.source)
    }

    /// An advertisement arrived and was judged valid.
    pub(crate) fn receive(&mut self, advert: Advertised) {
        let better = advert.priority != 0 && self.beaten_by(advert.priority, advert.source);
        if better {
            self.superseded = advert.at;
        }
        match self.datapath {
            Datapath::Socket => {
                self.unread.push((Kind::Accepted, advert));
                self.rung = true;
            }
            Datapath::Records => self.record(advert, better),
        }
    }

    fn record(&mut self, advert: Advertised, better: bool) {
        if advert.priority == 0 {
            self.rung = true;
            return self.keep(Kind::Resigned, advert);
        }
        if advert.priority >= self.standing.priority() || !self.standing.preempt() {
            let same = |last: &Advertised| Advertised { at: advert.at, ..*last } == advert;
            self.rung |= !self.accepted.as_ref().is_some_and(same);
            self.accepted = Some(advert);
            self.keep(Kind::Accepted, advert);
        }
        self.rung |= self.standing.active() || !better && self.standing.watch_losing();
        self.keep(if better { Kind::Better } else { Kind::Losing }, advert);
    }

    fn keep(&mut self, kind: Kind, advert: Advertised) {
        let same = |(of, last): &&mut (Kind, Advertised)| *of == kind && last.source == advert.source;
        match self.unread.iter_mut().find(same) {
            Some(slot) => slot.1 = advert,
            None => self.unread.push((kind, advert)),
        }
    }

    /// What the daemon finds when it looks, in the order of reception.
    pub(crate) fn look(&mut self) -> Vec<Advertised> {
        self.rung = false;
        let mut found: Vec<_> = self.unread.drain(..).map(|(_, advert)| advert).collect();
        found.sort_by_key(|advert| advert.at);
        found.dedup();
        found
    }

    pub(crate) fn rung(&self) -> bool {
        self.rung
    }
}
