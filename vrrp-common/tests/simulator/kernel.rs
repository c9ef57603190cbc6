//! A host's kernel: it stamps what it receives and keeps the lease, whether the daemon lives or not. The records are
//! the real ones, moved and read by the real functions.

use bytemuck::Zeroable;
use vrrp_common::{
    abi::{Address, Heard, RouterView, Stamp, Standing},
    election::{Advertised, Lease, replay},
    judge::{Notice, Verdict, come_again, record, settled},
    time::Instant,
};

/// How the daemon hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Datapath {
    /// Every advertisement waits in a queue and wakes the daemon, which records what it reads.
    Socket,
    /// The kernel records, and only what is news wakes the daemon.
    Records,
}

pub(crate) struct Kernel {
    datapath: Datapath,
    source: Address,
    standing: Standing,
    lease: Option<Lease>,
    superseded: Instant,
    queue: Vec<Advertised>,
    heard: Heard,
    /// What the daemon has looked at.
    seen: Heard,
    /// Something wants the daemon.
    rung: bool,
}

impl Kernel {
    pub(crate) fn new(datapath: Datapath, source: Address) -> Self {
        Self {
            datapath,
            source,
            standing: Standing::new(1, false, true, false),
            lease: None,
            superseded: Instant::from_nanos(0),
            queue: Vec::new(),
            heard: Heard::default(),
            seen: Heard::default(),
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
        self.queue.clear();
        if self.datapath == Datapath::Socket {
            self.heard = Heard::default();
        }
        self.seen = before(settled(self.heard), lease.granted);
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
                self.queue.push(advert);
                self.rung = true;
            }
            Datapath::Records => self.rung |= self.record(&advert),
        }
    }

    /// Whether it was news.
    fn record(&mut self, advert: &Advertised) -> bool {
        let view = RouterView { standing: self.standing, source: self.source, ..RouterView::zeroed() };
        let resigned = advert.priority == 0;
        let better = !resigned && self.beaten_by(advert.priority, advert.source);
        let accepted = advert.priority >= self.standing.priority() || !self.standing.preempt();
        let verdict = Verdict {
            source: advert.source,
            priority: advert.priority,
            interval: advert.interval,
            digest: 0,
            checksum: None,
            differing_list: false,
            first_not_link_local: false,
            second_owner: false,
            resigned,
            accepted: !resigned && accepted,
            better,
            losing: !resigned && !better,
        };
        // Priority and source are all that the messages of a simulation differ in, and the interval.
        let print =
            u64::from(advert.priority) ^ advert.interval.as_nanos() << 8 ^ u64::from(view.serial) << 48;
        come_again(&mut self.heard, view.standing, &advert.source, print, advert.at).unwrap_or_else(|| {
            record(&mut self.heard, view.standing, &Notice::new(&verdict, print), advert.at)
        })
    }

    /// What the daemon finds when it looks, in the order of reception.
    pub(crate) fn look(&mut self) -> Vec<Advertised> {
        self.rung = false;
        for advert in std::mem::take(&mut self.queue) {
            self.record(&advert);
        }
        let heard = settled(self.heard);
        let found = replay(&self.seen, &heard).collect();
        self.seen = heard;
        found
    }

    pub(crate) fn rung(&self) -> bool {
        self.rung
    }
}

/// What of a record was heard before `granted`.
fn before(mut heard: Heard, granted: Instant) -> Heard {
    let kinds = [&mut heard.accepted, &mut heard.better, &mut heard.losing, &mut heard.resigned];
    for stamp in kinds.into_iter().chain(&mut heard.peers) {
        if Instant::from_nanos(stamp.at) >= granted {
            *stamp = Stamp::default();
        }
    }
    heard
}
