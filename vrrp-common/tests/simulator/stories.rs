//! Named stories: what happens to castor and pollux, told as the transitions that people would read.
//!
//! Every packet takes 0.1 ms, daemons wake on time and the clocks agree, so that each time in a story follows
//! from the formulas of RFC 9568 §6.1. Unless a story says otherwise: VRRPv2 at one second, castor (192.0.2.1)
//! has priority 101, pollux (192.0.2.2) 100. Skew_Time is 605468 us for castor and 609375 us for
//! pollux.

mod adopt;
mod lease;
mod service;
mod stall;

use std::net::{IpAddr, Ipv4Addr};

use vrrp_common::{
    abi::Address,
    election::{Action, Parameters},
    time::Interval,
    wire::Version,
};

use crate::{
    clock::Clock, kernel::Datapath, lan::Conditions, promises::Span, trouble::Disturbance, world::World,
};

const CASTOR: usize = 0;
const POLLUX: usize = 1;
const IDAS: usize = 2;
const NAMES: [&str; 3] = ["castor", "pollux", "idas"];

const WIRE: Conditions = Conditions { delay: (100_000, 100_000), lateness: 0, turn: 0, loss: 0 };

struct Story<'a> {
    name: &'a str,
    hosts: Vec<Parameters>,
    /// Milliseconds, and what happens then.
    events: &'a [(u64, Disturbance)],
    /// Milliseconds.
    end: u64,
    /// "seconds host: from -> to: reason".
    transitions: &'a [&'a str],
    /// The longest time in microseconds, after the first owner came, without one.
    outage: u64,
    /// The longest time in microseconds with two owners.
    overlap: u64,
}

/// Tells the story over both ways to hear: they must not differ.
#[track_caller]
fn check(story: &Story<'_>) -> World {
    let [_, world] = [Datapath::Socket, Datapath::Records].map(|datapath| tell(story, datapath));
    world
}

#[track_caller]
fn tell(story: &Story<'_>, datapath: Datapath) -> World {
    let mut world = World::new(WIRE, 0);
    for (number, parameters) in story.hosts.iter().enumerate() {
        let offset = 1_000_000_000 + 5_000_000_000 * number as u64;
        world.add(*parameters, datapath, Clock { offset, drift: 0 });
    }
    for (at, disturbance) in story.events {
        world.disturb(at * 1_000_000, *disturbance);
    }
    let name = story.name;
    world.run_until(story.end * 1_000_000).unwrap_or_else(|broken| panic!("{name}: {broken}"));
    assert_eq!(transitions(&world), story.transitions, "{name} ({datapath:?})");
    let (outage, overlap) = gaps(&world);
    assert_eq!((outage / 1_000, overlap / 1_000), (story.outage, story.overlap), "{name}: outage, overlap");
    world
}

fn transitions(world: &World) -> Vec<String> {
    let line = |done: &crate::world::Done| match done.action {
        Action::Transition(to) => {
            let (micros, host) = (done.at / 1_000, NAMES[done.host]);
            let time = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            Some(format!("{time} {host}: {} -> {}: {}", to.from, to.to, to.reason))
        }
        _ => None,
    };
    world.done.iter().filter_map(line).collect()
}

/// The longest times in nanoseconds without an owner and with two, from the first one on.
fn gaps(world: &World) -> (u64, u64) {
    let mut spans: Vec<Span> = world.promises.open.iter().flatten().copied().collect();
    spans.sort_by_key(|span| span.from);
    let (mut outage, mut overlap, mut covered) = (0, 0, None);
    for span in spans {
        let before = covered.unwrap_or(span.from);
        outage = outage.max(span.from.saturating_sub(before));
        overlap = overlap.max(before.min(span.until).saturating_sub(span.from));
        covered = Some(before.max(span.until));
    }
    (outage.max(world.now.saturating_sub(covered.unwrap_or(world.now))), overlap)
}

fn router(number: u8, priority: u8) -> Parameters {
    Parameters {
        version: Version::V2,
        priority,
        advertisement_interval: Interval::from_secs(1),
        preempt: true,
        preempt_delay: Interval::ZERO,
        down_timer_adverts: 3,
        source: Address::from(IpAddr::from(Ipv4Addr::new(192, 0, 2, number))),
    }
}

fn castor() -> Parameters {
    router(1, 101)
}

fn pollux() -> Parameters {
    router(2, 100)
}

/// Announcements and own sends of a host, for what a story says besides its transitions.
fn count(world: &World, host: usize, wanted: impl Fn(&Action) -> bool) -> usize {
    world.done.iter().filter(|done| done.host == host && wanted(&done.action)).count()
}
