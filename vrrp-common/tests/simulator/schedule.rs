//! Random schedules: a LAN, hosts and a while of trouble from one seed, then calm.

use std::net::{IpAddr, Ipv4Addr};

use vrrp_common::{
    abi::Address,
    election::{Parameters, active_down_interval},
    time::Interval,
    wire::Version,
};

use crate::{
    clock::Clock,
    kernel::Datapath,
    lan::Conditions,
    rng::Rng,
    trouble::Disturbance,
    world::{Broken, Done, World},
};

/// How long the trouble lasts, in intervals.
const TROUBLE: u64 = 30;
/// A clock runs by that many millionths fast or slow: more than any quartz, less than the lease's margin.
const DRIFT: i64 = 2_000;

/// Runs the schedule of `seed`. With `log`, everything that happens is noted for people.
pub(crate) fn run(seed: u64, log: bool) -> (Result<Vec<Done>, Broken>, Vec<String>) {
    let mut plan = Plan::new(seed);
    let mut world = plan.world(seed);
    world.log = log.then(Vec::new);
    let result = plan.play(&mut world);
    (result.map(|()| std::mem::take(&mut world.done)), world.log.unwrap_or_default())
}

struct Plan {
    rng: Rng,
    /// The shortest interval.
    interval: u64,
    hosts: Vec<Parameters>,
    conditions: Conditions,
    /// Some kernel refused packets.
    muted: bool,
}

impl Plan {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(!seed);
        let version = rng.pick(&[Version::V2, Version::V3, Version::V3]);
        let interval = match version {
            Version::V2 => rng.pick(&[1_000_000_000, 2_000_000_000]),
            Version::V3 => rng.pick(&[10_000_000, 100_000_000, 1_000_000_000]),
        };
        let conditions = Conditions {
            delay: (interval / 10_000, interval / rng.pick(&[1_000, 100, 4])),
            lateness: rng.pick(&[0, interval / 100, interval / 4]),
            turn: rng.pick(&[0, interval / 1_000, interval / 20]),
            loss: rng.pick(&[0, 50, 300]),
        };
        let hosts = parameters(&mut rng, version, interval);
        Self { rng, interval, hosts, conditions, muted: false }
    }

    fn world(&mut self, seed: u64) -> World {
        let mut world = World::new(self.conditions, seed);
        for parameters in &self.hosts {
            let clock = Clock {
                offset: self.rng.between(1_000_000_000, 1_000_000_000_000),
                drift: self.rng.pick(&[-DRIFT, 0, DRIFT]),
            };
            let datapath = self.rng.pick(&[Datapath::Socket, Datapath::Records]);
            world.add(*parameters, datapath, clock);
        }
        world
    }

    fn play(&mut self, world: &mut World) -> Result<(), Broken> {
        let trouble = TROUBLE * self.interval;
        let count = self.hosts.len() as u64;
        for host in 0..self.hosts.len() {
            let first = if self.rng.chance(700) { 0 } else { self.rng.up_to(trouble / 2) };
            world.disturb(first, Disturbance::Start(host));
        }
        for _ in 0..self.rng.up_to(3 * count) {
            let at = self.rng.up_to(trouble);
            self.trouble(world, at, trouble);
        }
        world.run_until(trouble)?;
        self.calm_down(world, trouble);
        // Preemption may follow preemption, each after its delay and a whole Active_Down_Interval.
        let longest = self.longest();
        let delay = self.hosts.iter().map(|host| host.preempt_delay.as_nanos()).max().unwrap_or(0);
        world.run_until(trouble + 4 * longest + 2 * delay)?;
        world.check_settled()
    }

    /// One trouble at `at`, and most often its end before `latest`.
    fn trouble(&mut self, world: &mut World, at: u64, latest: u64) {
        let host = self.rng.up_to(self.hosts.len() as u64 - 1) as usize;
        let other = (host + 1 + self.rng.up_to(self.hosts.len() as u64 - 2) as usize) % self.hosts.len();
        let end = (at + self.rng.up_to(8 * self.interval)).min(latest);
        let (begin, repair) = match self.rng.up_to(9) {
            0 | 1 => (Disturbance::Stop(host), Disturbance::Continue(host)),
            2 => (Disturbance::Crash(host), Disturbance::Start(host)),
            3 => (Disturbance::PowerOff(host), Disturbance::Start(host)),
            4 => (Disturbance::Shutdown(host), Disturbance::Start(host)),
            5 => (Disturbance::Link(host, false), Disturbance::Link(host, true)),
            6 => (Disturbance::Check(host, false), Disturbance::Check(host, true)),
            7 => {
                self.muted = true;
                (Disturbance::Mute(host, true), Disturbance::Mute(host, false))
            }
            8 => (Disturbance::Cut(host, other, true), Disturbance::Cut(host, other, false)),
            _ => {
                let new = self.hosts[host].priority.saturating_add_signed(self.rng.up_to(20) as i8 - 10);
                (
                    Disturbance::Priority(host, new.clamp(1, 254)),
                    Disturbance::Loss(self.rng.pick(&[0, 100, 500])),
                )
            }
        };
        world.disturb(at, begin);
        if self.rng.chance(900) {
            world.disturb(end, repair);
        }
        if self.rng.chance(300) && matches!(begin, Disturbance::Cut(..)) {
            world.disturb(at, Disturbance::Cut(other, host, true));
            world.disturb(end, Disturbance::Cut(other, host, false));
        }
    }

    /// Everything is mended; some daemons may stay away for good.
    fn calm_down(&mut self, world: &mut World, from: u64) {
        world.disturb(from, Disturbance::Mend);
        for host in 0..self.hosts.len() {
            for repair in [
                Disturbance::Continue(host),
                Disturbance::Link(host, true),
                Disturbance::Check(host, true),
                Disturbance::Mute(host, false),
            ] {
                world.disturb(from, repair);
            }
            let end = if self.rng.chance(800) { Disturbance::Start(host) } else { Disturbance::Crash(host) };
            world.disturb(from, end);
        }
        let Conditions { delay: (_, delay), lateness, turn, .. } = self.conditions;
        // What was sent before has arrived, every daemon has seen that it is calm, and one whose kernel refused
        // its packets has come to its next advertisement.
        let seen = delay + lateness + turn;
        let calm = from + if self.muted { seen.max(self.longest_interval().as_nanos()) } else { seen };
        world.expect_calm(calm + self.longest() + delay + lateness + turn, delay + turn);
    }

    fn longest_interval(&self) -> Interval {
        self.hosts.iter().map(|host| host.advertisement_interval).max().unwrap_or_default()
    }

    /// The longest Active_Down_Interval that a router here can have, on the slowest clock.
    fn longest(&self) -> u64 {
        let interval = self.longest_interval();
        let down =
            |host: &Parameters| active_down_interval(host.version, 1, interval, host.down_timer_adverts);
        let longest = self.hosts.iter().map(down).max().unwrap_or_default().as_nanos();
        longest + longest / 400
    }
}

fn parameters(rng: &mut Rng, version: Version, interval: u64) -> Vec<Parameters> {
    let down_timer_adverts = rng.pick(&[2, 3, 3, 3, 5]);
    let mixed = version == Version::V3 && rng.chance(200);
    // Near 254 hardly any Skew_Time is left.
    let base = rng.pick(&[100, 100, 253]);
    let spread = rng.pick(&[0, 1, 5, 100]).min(254 - base);
    let mut hosts: Vec<_> = (1..=rng.between(2, 5))
        .map(|number| Parameters {
            version,
            priority: (base + rng.up_to(spread)) as u8,
            advertisement_interval: Interval::from_nanos(
                interval * if mixed { rng.pick(&[1, 2, 5]) } else { 1 },
            ),
            preempt: rng.chance(700),
            preempt_delay: Interval::from_nanos(if rng.chance(200) { rng.up_to(5 * interval) } else { 0 }),
            down_timer_adverts,
            source: Address::from(IpAddr::from(Ipv4Addr::new(192, 0, 2, number as u8))),
        })
        .collect();
    if rng.chance(150) {
        hosts[0].priority = 255;
    }
    hosts
}
