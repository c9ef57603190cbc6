//! Cost of a packet: the programs of a node that runs, run by the kernel on frames of each kind.

use std::{net::IpAddr, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use vrrp_common::wire::Family;

use super::{Scenario, Scope};
use crate::{
    Host, Lab,
    bench::{
        contestants::{Contestant, TC, XDP},
        frame::{Act, Reading, Round, Row, pass},
        gauge::{
            bpf::{Program, clock_cost, listen_on_loopback, programs},
            process::Processes,
        },
        routers::{BOTH, Routers, V4, V6},
    },
    probe::{Kind, Traffic},
    story::SOON,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "packet",
    about: "nanoseconds that a packet costs in the kernel's programs, above those of a program that does nothing",
    rows,
};

const INTERVAL: Duration = Duration::from_secs(1);
/// What the names of the guard's programs begin with.
const GUARD: &str = "xvrrp_guard";

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
    let row =
        |name: &str, contestants: &[&'static dyn Contestant], act: fn(&dyn Contestant) -> Result<Round>| {
            let act: Act = Box::new(act);
            let contestants = contestants.iter().map(|one| (*one, None)).collect();
            Row { scenario: "packet", name: name.to_owned(), contestants, rounds: scope.pick(3, 9), act }
        };
    vec![
        row("a Backup hears, 1 router in each family", &[XDP, TC], hearing),
        row("an Active's guard, 1 router in each family", &[XDP], guarding),
    ]
}

/// The programs that hear.
fn hearing(contestant: &dyn Contestant) -> Result<Round> {
    let lab = Lab::new("packet")?;
    let host = lab.host("castor")?;
    let _node = contestant.start(&host, &routers(), 100)?;
    let frames = FRAMES.iter().map(|(what, family, frame)| Ok((*what, bytes(*family, *frame)?)));
    let frames = frames.collect::<Result<Vec<_>>>()?;
    costs(&host, contestant, |name| if name.starts_with(GUARD) { &[] } else { &frames })
}

/// The programs that let packets of owned addresses pass while the lease is open.
fn guarding(contestant: &dyn Contestant) -> Result<Round> {
    let lab = Lab::new("packet")?;
    let host = lab.host("castor")?;
    let routers = routers();
    let node = contestant.start(&host, &routers, 200)?;
    let of_family = [V4, V6].map(|families| Routers { families, ..routers.clone() });
    for routers in &of_family {
        node.wait_active(&routers.first(), SOON)?;
    }
    // The leases are written, the addresses are there.
    pass(Duration::from_millis(500))?;
    let [v4, v6] = of_family.map(|routers| routers.asked_for());
    let [client, other] = ["192.0.2.3".parse()?, "192.0.2.77".parse()?];
    let [client6, other6] = ["2001:db8::3".parse()?, "2001:db8::77".parse()?];
    let incoming = [
        ("to another address", packet(client, other)?),
        ("to an owned address", packet(client, v4)?),
        ("to another address, IPv6", packet(client6, other6)?),
        ("to an owned address, IPv6", packet(client6, v6)?),
    ];
    let outgoing = [
        ("from another address", packet(other, client)?),
        ("from an owned address", packet(v4, client)?),
        ("from another address, IPv6", packet(other6, client6)?),
        ("from an owned address, IPv6", packet(v6, client6)?),
    ];
    let mut round = costs(&host, contestant, |name| match name {
        "xvrrp_guard_in" => &incoming,
        "xvrrp_guard_out" => &outgoing,
        _ => &[],
    })?;
    let clock = clock_cost(&incoming[0].1)?;
    round.readings.push(Reading::new("of that the kernel's clock alone", "ns", clock));
    Ok(round)
}

/// UDP between these.
fn packet(from: IpAddr, to: IpAddr) -> Result<Vec<u8>> {
    let (family, at, octets) = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => (Family::V4, 26, [from.octets(), to.octets()].concat()),
        (IpAddr::V6(from), IpAddr::V6(to)) => (Family::V6, 22, [from.octets(), to.octets()].concat()),
        _ => bail!("{from} and {to} are of two families"),
    };
    let mut bytes = bytes(family, Frame::Foreign)?;
    bytes[at..at + octets.len()].copy_from_slice(&octets);
    Ok(bytes)
}

/// What each program of the node costs on its frames.
fn costs<'a>(
    host: &Host,
    contestant: &dyn Contestant,
    frames: impl Fn(&str) -> &'a [(&'static str, Vec<u8>)],
) -> Result<Round> {
    let mut readings = Vec::new();
    for pid in Processes::find(host, contestant.programs())?.pids() {
        listen_on_loopback(*pid)?;
        for program in programs(*pid)? {
            let Program { name, verified, .. } = &program;
            let frames = frames(name);
            if !frames.is_empty() {
                readings.push(Reading::new(format!("{name}: verified instructions"), "", *verified as f64));
            }
            for (what, bytes) in frames {
                let cost = program.cost(bytes).with_context(|| format!("{name} on {what}"))?;
                readings.push(Reading::new(format!("{name}: {what}"), "ns", cost));
            }
        }
    }
    ensure!(!readings.is_empty(), "{} has no such program in the kernel", contestant.name());
    Ok(Round { readings, ..Round::default() })
}

fn routers() -> Routers {
    Routers { vrids: 51..=51, ..Routers::many(1, BOTH, INTERVAL) }
}

fn bytes(family: Family, frame: Frame) -> Result<Vec<u8>> {
    let kind = if let Frame::Vrrp(kind) = frame { kind } else { Kind::Active };
    let vrid = if kind == Kind::Unknown { 99 } else { 51 };
    let traffic = Traffic { kind, vrids: vrid..=vrid, families: vec![family], interval: INTERVAL, host: 4 };
    let mut bytes = traffic.frames()?.swap_remove(0);
    if matches!(frame, Frame::Foreign) {
        const UDP: u8 = 17;
        bytes[if family == Family::V4 { 23 } else { 20 }] = UDP;
    }
    Ok(bytes)
}
