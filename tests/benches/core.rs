//! Micro-benchmarks of what every packet, turn and reload does: codec, judge, election, configuration. No sockets.

use std::{fmt::Write as _, fs, net::IpAddr};

use divan::{Bencher, black_box};
use vrrp_common::{
    abi::{Address, RouterView, Standing},
    election::{Advertised, Input, Parameters, State, VirtualRouter},
    judge::{judge, locate},
    time::{Instant, Interval},
    wire::{Advertisement, Family, Version},
};
use vrrp_tests::probe::{Kind, Traffic};
use vrrp_user::config;

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];
const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

fn main() {
    divan::main();
}

fn traffic(family: Family) -> Traffic {
    Traffic { kind: Kind::Active, vrids: 51..=51, families: vec![family], interval: SECOND, host: 4 }
}

fn frame(family: Family) -> Vec<u8> {
    traffic(family).frames().expect("it can be said").swap_remove(0)
}

#[divan::bench(args = FAMILIES)]
fn write_a_frame(bencher: Bencher<'_, '_>, family: Family) {
    let traffic = traffic(family);
    bencher.bench(|| black_box(&traffic).frames());
}

#[divan::bench(args = FAMILIES)]
fn read_a_message(bencher: Bencher<'_, '_>, family: Family) {
    let frame = frame(family);
    let message = &frame[if family == Family::V4 { 34 } else { 54 }..];
    assert!(Advertisement::parse(message, family).is_ok());
    bencher.bench(|| Advertisement::parse(black_box(message), family));
}

#[divan::bench(args = FAMILIES)]
fn judge_a_frame(bencher: Bencher<'_, '_>, family: Family) {
    let (frame, view) = (frame(family), view(family));
    let judged = |frame: &[u8]| {
        let envelope = locate(frame).ok().flatten()?;
        judge(frame, &envelope, &view, &()).ok()
    };
    assert!(judged(&frame).is_some_and(|verdict| verdict.accepted));
    bencher.bench(|| judged(black_box(&frame)));
}

/// A Backup of priority 100 that hears everything.
fn view(family: Family) -> RouterView {
    let (source, group): (IpAddr, IpAddr) = match family {
        Family::V4 => ([192, 0, 2, 1].into(), [224, 0, 0, 18].into()),
        Family::V6 => ([0xfe80, 0, 0, 0, 0, 0, 0, 1].into(), [0xff02, 0, 0, 0, 0, 0, 0, 0x12].into()),
    };
    RouterView {
        standing: Standing::new(100, false, true, false),
        source: source.into(),
        group: group.into(),
        digest: 0,
        password: [0; 8],
        interval: 0,
        version: Version::V3 as u8,
        auth_type: 0,
        serial: 0,
        flags: 0,
    }
}

/// A Backup hears its Active once more.
#[divan::bench]
fn a_turn_of_a_backup(bencher: Bencher<'_, '_>) {
    let mut router = VirtualRouter::new(Parameters {
        version: Version::V3,
        priority: 100,
        advertisement_interval: Interval::from_secs(1),
        preempt: true,
        preempt_delay: Interval::ZERO,
        down_timer_adverts: 3,
        source: address([192, 0, 2, 1]),
    });
    let started = router.handle(Input::Startup, Instant::from_nanos(1));
    assert!(started.into_iter().count() <= 1, "a Backup starts quietly: {:?}", router.state());
    let mut at = 1_000_000_000;
    bencher.bench_local(|| {
        at += 1_000_000_000;
        let now = Instant::from_nanos(at);
        let advertised = Advertised {
            at: now,
            source: address([192, 0, 2, 2]),
            priority: 200,
            interval: Interval::from_secs(1),
        };
        router.handle(Input::Advertisement(advertised), now)
    });
    assert_eq!(router.state(), State::Backup);
}

fn address(octets: [u8; 4]) -> Address {
    IpAddr::from(octets).into()
}

#[divan::bench(args = [1, 255])]
fn load_a_configuration(bencher: Bencher<'_, '_>, routers: u8) {
    let mut text = String::new();
    for vrid in 1..=routers {
        let written = writeln!(
            text,
            "vrrp_instance VI_{vrid} {{\n  interface lo\n  virtual_router_id {vrid}\n  virtual_ipaddress {{\n    \
             192.0.2.{vrid}\n  }}\n}}"
        );
        written.expect("a String takes all text");
    }
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("xvrrp.conf");
    fs::write(&path, text).expect("a file");
    assert!(config::load(&path, None).configuration.is_some());
    bencher.bench(|| config::load(black_box(&path), None));
}
