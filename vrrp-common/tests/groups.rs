//! Two hosts with a group of two routers each, on two links that can fail one by one: what `election::groups` promises,
//! told as transitions. Everything takes its nominal time; a packet takes 0.1 ms.
//!
//! VRRPv2 at one second; castor has priority 150, pollux 100. Skew_Time is 414062.5 us and 609375 us.

use std::net::{IpAddr, Ipv4Addr};

use vrrp_common::{
    abi::Address,
    election::{
        Action, Advertised, Fault, Input, Parameters, State, VirtualRouter,
        groups::{self, Member},
    },
    time::{Instant, Interval},
    wire::Version,
};

const DELAY: Interval = Interval::from_nanos(100_000);
const NAMES: [[&str; 2]; 2] = [["castor A", "castor B"], ["pollux A", "pollux B"]];

struct Packet {
    arrives: Instant,
    host: usize,
    link: usize,
    advert: Advertised,
}

#[derive(Default)]
struct World {
    now: Instant,
    hosts: Vec<Vec<VirtualRouter>>,
    /// Of castor.
    link_down: [bool; 2],
    air: Vec<Packet>,
    log: Vec<String>,
}

fn address(host: usize) -> Address {
    Address::from(IpAddr::from(Ipv4Addr::new(192, 0, 2, host as u8 + 1)))
}

impl World {
    fn new() -> Self {
        let mut world = Self::default();
        for (host, priority) in [150, 100].into_iter().enumerate() {
            let parameters = Parameters {
                version: Version::V2,
                priority,
                advertisement_interval: Interval::from_secs(1),
                preempt: true,
                preempt_delay: Interval::ZERO,
                down_timer_adverts: 3,
                source: address(host),
            };
            world.hosts.push(vec![VirtualRouter::new(parameters); 2]);
        }
        world
    }

    fn members(&self, host: usize) -> Vec<Member> {
        let member = |(link, router): (usize, &VirtualRouter)| Member {
            state: router.state(),
            takeover_due: router.takeover_due(),
            own_fault: (host == 0 && self.link_down[link]).then_some(Fault::LinkDown),
            told_fault: router.fault(),
            joined: true,
        };
        self.hosts[host].iter().enumerate().map(member).collect()
    }

    fn waits(&self, router: &VirtualRouter) -> bool {
        router.takeover_due().is_some_and(|due| due <= self.now)
    }

    fn input(&mut self, host: usize, link: usize, input: Input) {
        for action in self.hosts[host][link].handle(input, self.now) {
            match action {
                Action::Transition(to) => {
                    let micros = self.now.as_nanos() / 1_000;
                    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
                    let name = NAMES[host][link];
                    self.log.push(format!("{seconds}.{micros:06} {name}: {} -> {}", to.from, to.to));
                }
                Action::Advertise { priority, interval, .. } => {
                    let advert =
                        Advertised { at: self.now.after(DELAY), source: address(host), priority, interval };
                    if !self.link_down[link] {
                        self.air.push(Packet { arrives: advert.at, host: 1 - host, link, advert });
                    }
                    if priority != 0 {
                        self.input(host, link, Input::Sent { granted: self.now, sent: self.now });
                    }
                }
                _ => {}
            }
        }
    }

    fn settle(&mut self, host: usize) {
        loop {
            let inputs: Vec<_> = groups::inputs(&self.members(host), self.now).collect();
            if inputs.is_empty() {
                break;
            }
            inputs.into_iter().for_each(|(link, input)| self.input(host, link, input));
        }
    }

    fn next_event(&self) -> Option<Instant> {
        let elections = self.hosts.iter().flatten().filter(|router| !self.waits(router));
        let elections = elections.filter_map(VirtualRouter::deadline);
        let groups = (0..2).filter_map(|host| groups::deadline(&self.members(host)));
        elections.chain(groups).chain(self.air.iter().map(|packet| packet.arrives)).min()
    }

    fn run_until(&mut self, millis: u64) {
        let end = Instant::from_nanos(millis * 1_000_000);
        while let Some(next) = self.next_event().filter(|next| *next < end) {
            self.now = self.now.max(next);
            let (arrived, air): (Vec<_>, Vec<_>) =
                std::mem::take(&mut self.air).into_iter().partition(|packet| packet.arrives <= self.now);
            self.air = air;
            for packet in arrived {
                self.input(packet.host, packet.link, Input::Advertisement(packet.advert));
            }
            for host in 0..2 {
                for link in 0..2 {
                    let router = &self.hosts[host][link];
                    let due = router.deadline().is_some_and(|due| due <= self.now);
                    if due && !self.waits(router) {
                        self.input(host, link, Input::Timer);
                    }
                }
                self.settle(host);
            }
        }
        self.now = end;
    }

    fn start(&mut self) {
        for host in 0..2 {
            for link in 0..2 {
                self.input(host, link, Input::Startup);
            }
        }
    }

    fn link(&mut self, link: usize, down: bool) {
        self.link_down[link] = down;
        self.settle(0);
    }

    /// What happened since this was asked last.
    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }
}

#[test]
fn members_are_active_together_and_the_slowest_link_decides() {
    let mut world = World::new();
    world.start();
    world.run_until(10_000);
    // Active_Down_Interval of castor: 3 s + 414062.5 us.
    assert_eq!(
        world.told()[4..],
        ["3.414062 castor A: Backup -> Active", "3.414062 castor B: Backup -> Active"]
    );

    // Castor's second link fails: it leaves both, with a farewell on the first.
    world.link(1, true);
    assert_eq!(world.told(), ["10.000000 castor A: Active -> Fault", "10.000000 castor B: Active -> Fault"]);
    world.run_until(20_000);
    // Pollux would have A at 10.709475 (Skew_Time after the farewell). On B it heard castor last at 9.414162, and
    // waits until 3.609375 s after that.
    assert_eq!(
        world.told(),
        ["13.023537 pollux A: Backup -> Active", "13.023537 pollux B: Backup -> Active"]
    );

    // The link is mended: castor listens, preempts with both, and pollux leaves both at the first word.
    world.link(1, false);
    assert_eq!(world.told(), ["20.000000 castor A: Fault -> Backup", "20.000000 castor B: Fault -> Backup"]);
    world.run_until(30_000);
    assert_eq!(
        world.told(),
        [
            "23.414062 castor A: Backup -> Active",
            "23.414062 castor B: Backup -> Active",
            "23.414162 pollux A: Active -> Backup",
            "23.414162 pollux B: Active -> Backup",
        ]
    );
    assert!(world.hosts[0].iter().all(|router| router.state() == State::Active));
}

#[test]
fn a_group_of_two_minds_stays_backup() {
    let mut world = World::new();
    // Pollux is better on the second link only.
    let better = Parameters { priority: 200, ..*world.hosts[1][1].parameters() };
    world.hosts[1][1] = VirtualRouter::new(better);
    world.start();
    world.run_until(60_000);
    let active = world.told().into_iter().filter(|line| line.ends_with("Active")).collect::<Vec<_>>();
    assert_eq!(active, ["3.414062 castor A: Backup -> Active", "3.414062 castor B: Backup -> Active"]);
    assert!(world.hosts[1].iter().all(|router| router.state() == State::Backup));
}
