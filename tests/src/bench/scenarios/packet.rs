//! Cost of a packet: the programs of a node that runs, run by the kernel on frames of each kind.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use vrrp_common::wire::Family;

use super::{Scenario, Scope};
use crate::{
    Lab,
    bench::{
        contestants::{Contestant, TC, XDP},
        frame::{Act, Reading, Round, Row},
        gauge::{
            bpf::{listen_on_loopback, programs},
            process::Processes,
        },
        routers::{BOTH, Routers},
    },
    probe::{Kind, Traffic},
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "packet",
    about: "nanoseconds that a packet costs in the kernel's programs, above those of a program that does nothing",
    rows,
};

/// What a packet can be.
const FRAMES: &[(&str, Family, Frame)] = &[
    ("valid advertisement, IPv4", Family::V4, Frame::Vrrp(Kind::Active)),
    ("valid advertisement, IPv6", Family::V6, Frame::Vrrp(Kind::Active)),
    ("junk for our router, IPv4", Family::V4, Frame::Vrrp(Kind::Junk)),
    ("advertisement for another router, IPv4", Family::V4, Frame::Vrrp(Kind::Unknown)),
    ("foreign packet: UDP, IPv4", Family::V4, Frame::Foreign),
    ("foreign packet: UDP, IPv6", Family::V6, Frame::Foreign),
];

#[derive(Clone, Copy, Debug)]
enum Frame {
    Vrrp(Kind),
    Foreign,
}

fn rows(scope: Scope) -> Vec<Row> {
    let act: Act = Box::new(round);
    let contestants = vec![(XDP, None), (TC, None)];
    vec![Row {
        scenario: "packet",
        name: "1 router in each family".to_owned(),
        contestants,
        rounds: scope.pick(5, 15),
        act,
    }]
}

fn round(contestant: &dyn Contestant) -> Result<Round> {
    let lab = Lab::new("packet")?;
    let host = lab.host("castor")?;
    let routers = Routers { vrids: 51..=51, ..Routers::many(1, BOTH, Duration::from_secs(1)) };
    let _node = contestant.start(&host, &routers, 100)?;
    let processes = Processes::find(&host, contestant.programs())?;
    let mut readings = Vec::new();
    for pid in processes.pids() {
        listen_on_loopback(*pid)?;
        for program in programs(*pid)? {
            readings.push(Reading::new(
                format!("{}: verified instructions", program.name),
                "",
                program.verified as f64,
            ));
            for (what, family, frame) in FRAMES {
                let cost = program.cost(&bytes(*family, *frame, routers.interval)?);
                let cost = cost.with_context(|| format!("{} on {what}", program.name))?;
                readings.push(Reading::new(format!("{}: {what}", program.name), "ns", cost));
            }
        }
    }
    ensure!(!readings.is_empty(), "{} has no program in the kernel", contestant.name());
    Ok(Round { readings, ..Round::default() })
}

fn bytes(family: Family, frame: Frame, interval: Duration) -> Result<Vec<u8>> {
    let kind = if let Frame::Vrrp(kind) = frame { kind } else { Kind::Active };
    let vrid = if kind == Kind::Unknown { 99 } else { 51 };
    let traffic = Traffic { kind, vrids: vrid..=vrid, families: vec![family], interval, host: 4 };
    let mut bytes = traffic.frames()?.swap_remove(0);
    if matches!(frame, Frame::Foreign) {
        const UDP: u8 = 17;
        bytes[if family == Family::V4 { 23 } else { 20 }] = UDP;
    }
    Ok(bytes)
}
