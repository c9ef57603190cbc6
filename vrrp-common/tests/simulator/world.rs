//! The virtual clock and everything that happens on it. What a daemon does in its turn is in `turn`.

use std::{cmp::Ordering, collections::BinaryHeap};

use vrrp_common::{
    election::{Action, Advertised, Parameters, State},
    time::Interval,
};

use crate::{
    clock::Clock,
    host::Host,
    kernel::{Datapath, Kernel},
    lan::{Conditions, Lan, Packet},
    promises::Promises,
    rng::Rng,
    trouble::Disturbance,
};

/// A broken promise, in words.
pub(crate) type Broken = String;

pub(crate) enum Event {
    Arrive(usize, Packet),
    Wake(usize),
    Send(usize),
    Disturb(Disturbance),
}

struct Due {
    at: u64,
    /// Events at one time happen in the order in which they were planned.
    number: u64,
    event: Event,
}

/// One thing that a daemon did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) at: u64,
    pub(crate) host: usize,
    pub(crate) action: Action,
}

pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) hosts: Vec<Host>,
    pub(crate) lan: Lan,
    pub(crate) rng: Rng,
    pub(crate) promises: Promises,
    /// Everything that was done, in order.
    pub(crate) done: Vec<Done>,
    /// What happened, for people; kept only on request.
    pub(crate) log: Option<Vec<String>>,
    agenda: BinaryHeap<Due>,
    planned: u64,
}

impl World {
    pub(crate) fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            now: 0,
            hosts: Vec::new(),
            lan: Lan::new(conditions),
            rng: Rng::new(seed),
            promises: Promises::default(),
            done: Vec::new(),
            log: None,
            agenda: BinaryHeap::new(),
            planned: 0,
        }
    }

    /// Adds a host whose daemon has not been started.
    pub(crate) fn add(&mut self, parameters: Parameters, datapath: Datapath, clock: Clock) -> usize {
        let kernel = Kernel::new(datapath, parameters.source);
        self.hosts.push(Host::new(clock, parameters, kernel));
        self.lan.plug_in();
        self.promises.watch_one_more();
        self.hosts.len() - 1
    }

    pub(crate) fn plan(&mut self, at: u64, event: Event) {
        self.planned += 1;
        self.agenda.push(Due { at, number: self.planned, event });
    }

    pub(crate) fn disturb(&mut self, at: u64, disturbance: Disturbance) {
        self.plan(at, Event::Disturb(disturbance));
    }

    /// Runs until `end`, checking the promises after every event.
    pub(crate) fn run_until(&mut self, end: u64) -> Result<(), Broken> {
        while self.agenda.peek().is_some_and(|due| due.at <= end) {
            let Some(due) = self.agenda.pop() else { break };
            self.now = due.at;
            match due.event {
                Event::Arrive(host, packet) => self.arrive(host, packet),
                Event::Wake(host) => self.wake(host)?,
                Event::Send(host) => self.send_now(host)?,
                Event::Disturb(disturbance) => self.happen(disturbance),
            }
            self.check_leases()?;
            self.check_calm()?;
        }
        self.now = end;
        Ok(())
    }

    pub(crate) fn note(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.log.is_some() {
            let line = format!("{:>12.6} {}", self.now as f64 / 1e9, line(self));
            self.log.get_or_insert_default().push(line);
        }
    }

    /// Puts an advertisement on the wire; whether the sender's kernel took it.
    pub(crate) fn transmit(&mut self, from: usize, priority: u8, interval: Interval, copies: u8) -> bool {
        let sender = &self.hosts[from];
        if !sender.link || sender.mute {
            return false;
        }
        let (source, at) = (sender.parameters.source, sender.clock.at(0));
        let content = Advertised { at, source, priority, interval };
        for _ in 0..copies {
            self.planned += 1;
            let packet = Packet { from, number: self.planned, content };
            for to in (0..self.hosts.len()).filter(|to| *to != from) {
                let delay = self.lan.carry(from, to, &mut self.rng);
                self.promises.sent(self.now, &packet, to, delay.is_some());
                if let Some(delay) = delay {
                    self.plan(self.now + delay, Event::Arrive(to, packet));
                }
            }
        }
        true
    }

    fn arrive(&mut self, to: usize, packet: Packet) {
        let host = &mut self.hosts[to];
        if !host.hears() {
            return self.promises.missed(&packet, to);
        }
        let content = Advertised { at: host.clock.at(self.now), ..packet.content };
        self.promises.arrived(&packet, to, host, content.at);
        host.kernel.receive(content);
        self.follow_lease(to);
        self.note(|world| {
            let open = if world.hosts[to].open(world.now) { "open" } else { "closed" };
            format!("host {to} receives priority {} from host {} ({open})", content.priority, packet.from)
        });
        if self.hosts[to].kernel.rung() {
            self.call(to);
        }
    }

    /// Wakes a daemon as soon as the host gets round to it.
    pub(crate) fn call(&mut self, host: usize) {
        let lateness = self.rng.up_to(self.lan.conditions.lateness);
        self.wake_at(host, self.now + lateness);
    }

    /// Wakes a daemon at `at`, unless it wakes earlier anyhow.
    pub(crate) fn wake_at(&mut self, host: usize, at: u64) {
        let Some(daemon) = &mut self.hosts[host].daemon else { return };
        if daemon.turn.is_none() && daemon.wake.is_none_or(|wake| at < wake) {
            daemon.wake = Some(at);
            self.plan(at, Event::Wake(host));
        }
    }

    pub(crate) fn actives(&self) -> impl Iterator<Item = usize> {
        let active = |host: &usize| self.hosts[*host].state() == Some(State::Active);
        (0..self.hosts.len()).filter(active)
    }

    /// The hosts whose addresses answer now.
    pub(crate) fn owners(&self) -> impl Iterator<Item = usize> {
        (0..self.hosts.len()).filter(|host| self.hosts[*host].open(self.now))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The heap gives the greatest first: that is the earliest here.
impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}
