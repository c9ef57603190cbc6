//! What must be remembered to tell whether a promise holds: what became of each advertisement, who owned when.
//! The promises themselves are in `checks`.

mod checks;

use vrrp_common::{abi::Address, election::State, time::Instant};

use crate::{host::Host, lan::Packet, world::World};

#[derive(Default)]
pub(crate) struct Promises {
    /// What became of each router's last advertisement at each other host: `fates[from][to]`.
    fates: Vec<Vec<Option<Advert>>>,
    /// When each router's effective priority last changed.
    ranks: Vec<u64>,
    /// Whether each host was asked for the addresses.
    acquired: Vec<bool>,
    cadence: Vec<Option<Cadence>>,
    /// The times during which each host's addresses answered.
    pub(crate) open: Vec<Vec<Span>>,
    calm: Option<Calm>,
}

/// An advertisement of a priority other than 0.
#[derive(Clone, Copy)]
struct Advert {
    number: u64,
    sent: u64,
    priority: u8,
    source: Address,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    UnderWay,
    /// By the wire, or by a receiver that was off, not listening or has started anew.
    Lost,
    /// At that time of the receiver's clock. `followed`: it restarted a Backup's timer.
    Arrived {
        at: Instant,
        followed: bool,
    },
}

#[derive(Clone, Copy)]
struct Cadence {
    since: u64,
    last: u64,
    count: u64,
}

/// From when and until when an address answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) until: u64,
}

/// Nothing is disturbed any more.
struct Calm {
    /// From then on there is one owner.
    settled: u64,
    /// How long a change from one to a better owner may take.
    change: u64,
    /// Since when there have been two.
    two: Option<u64>,
}

impl Promises {
    pub(crate) fn watch_one_more(&mut self) {
        self.fates.iter_mut().for_each(|row| row.push(None));
        self.fates.push(vec![None; self.fates.len() + 1]);
        self.ranks.push(0);
        self.acquired.push(false);
        self.cadence.push(None);
        self.open.push(Vec::new());
    }

    pub(crate) fn sent(&mut self, now: u64, packet: &Packet, to: usize, carried: bool) {
        let Packet { from, number, content } = *packet;
        if content.priority != 0 {
            let fate = if carried { Fate::UnderWay } else { Fate::Lost };
            let (priority, source) = (content.priority, content.source);
            self.fates[from][to] = Some(Advert { number, sent: now, priority, source, fate });
        }
    }

    pub(crate) fn missed(&mut self, packet: &Packet, to: usize) {
        self.settle(packet, to, Fate::Lost);
    }

    pub(crate) fn arrived(&mut self, packet: &Packet, to: usize, host: &Host, at: Instant) {
        let listens = !matches!(host.state(), Some(State::Initialize | State::Fault));
        // A daemon that is gone does not listen, but may have left an open lease, which its kernel closes.
        let fate = if listens { Fate::Arrived { at, followed: false } } else { Fate::Lost };
        self.settle(packet, to, fate);
    }

    /// The daemon on `to` restarted its timer for what had arrived at `then`.
    pub(crate) fn followed(&mut self, to: usize, then: Instant) {
        for row in &mut self.fates {
            if let Some(Advert { fate: Fate::Arrived { at, followed }, .. }) = &mut row[to] {
                *followed |= *at == then;
            }
        }
    }

    fn settle(&mut self, packet: &Packet, to: usize, fate: Fate) {
        let Some(advert) = &mut self.fates[packet.from][to] else { return };
        if advert.number == packet.number {
            advert.fate = fate;
        } else if packet.content.priority == 0 && advert.number > packet.number {
            // A farewell that was overtaken by what came after it takes that back.
            advert.fate = Fate::Lost;
        }
    }

    /// The router on `host` starts anew: it knows nothing of what arrived before.
    pub(crate) fn forget(&mut self, host: usize) {
        for row in &mut self.fates {
            if let Some(advert) = &mut row[host] {
                advert.fate = Fate::Lost;
            }
        }
        self.break_cadence(host);
    }

    /// The daemon on `host` is gone, and its addresses with it.
    pub(crate) fn end(&mut self, host: usize) {
        self.acquired[host] = false;
        self.forget(host);
    }

    pub(crate) fn rank_changed(&mut self, host: usize, now: u64) {
        self.ranks[host] = now;
    }

    pub(crate) fn break_cadence(&mut self, host: usize) {
        self.cadence[host] = None;
    }

    /// Why `winner` and `loser` may both be open: the advertisement that would close `loser` is on its way,
    /// was lost, or was not due yet since the priorities changed.
    fn excused(&self, winner: usize, loser: usize, hosts: &[Host]) -> bool {
        let Some(advert) = self.fates[winner][loser] else { return false };
        let beats = hosts[loser].kernel.beaten_by(advert.priority, advert.source);
        let undelivered = beats && !matches!(advert.fate, Fate::Arrived { .. });
        let standing = hosts[winner].kernel.standing().priority();
        let outranks = hosts[loser].kernel.beaten_by(standing, advert.source);
        undelivered || outranks && advert.sent <= self.ranks[winner].max(self.ranks[loser])
    }
}

impl World {
    /// Nothing is disturbed after `from`: one owner from `settled` on.
    pub(crate) fn expect_calm(&mut self, settled: u64, change: u64) {
        self.promises.calm = Some(Calm { settled, change, two: None });
    }

    /// Keeps the book of `host`'s open times after its lease or its kernel's view has changed.
    pub(crate) fn follow_lease(&mut self, host: usize) {
        let it = &self.hosts[host];
        let until = it.kernel.until().map_or(self.now, |until| it.clock.reaches(until));
        let spans = &mut self.promises.open[host];
        let running = spans.last_mut().filter(|span| span.until > self.now);
        match (it.open(self.now), running) {
            (true, Some(span)) => span.until = until,
            (true, None) => spans.push(Span { from: self.now, until }),
            (false, Some(span)) => span.until = self.now,
            (false, None) => {}
        }
    }
}
