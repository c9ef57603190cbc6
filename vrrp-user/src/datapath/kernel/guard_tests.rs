//! The guard's programs, run by the kernel on frames of our making: what passes, what does not, what is counted.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use aya::programs::{TestRun, TestRunOptions};
use vrrp_common::{
    abi::{GuardKey, place},
    election::Lease,
};

use super::{bench_tests::*, guard::GuardParts, *};

/// What the programs return.
const GO_ON: u32 = u32::MAX;
const DROPPED: u32 = 2;
const IN: &str = "xvrrp_guard_in";
const OUT: &str = "xvrrp_guard_out";

/// The addresses of the router, and those of somebody else.
const OURS: [&str; 3] = ["192.0.2.100", "2001:db8::100", "fe80::100"];
const THEIRS: [&str; 3] = ["192.0.2.9", "2001:db8::9", "fe80::9"];

struct Post {
    bench: Bench,
    parts: GuardParts,
}

impl Post {
    fn new() -> Option<Self> {
        let mut bench = Bench::new()?;
        let parts = bench.object.guard().unwrap();
        let mut post = Self { bench, parts };
        for address in OURS {
            post.parts.maps.enter(GuardKey::new(ip(address).into(), LOOPBACK), Slot(SLOT)).unwrap();
        }
        Some(post)
    }

    fn run(&mut self, program: &'static str, frame: &[u8]) -> u32 {
        let options = TestRunOptions { data_in: Some(frame), ..TestRunOptions::default() };
        self.bench.object.classifier(program).unwrap().test_run(options).unwrap().return_value
    }

    fn grant(&self, granted: Instant, until: Instant) {
        self.parts.maps.grant(Slot(SLOT), Lease { granted, until });
    }

    fn open(&self) {
        let now = clock::now();
        self.grant(now, now.after(Interval::from_secs(60)));
    }

    /// Packets so far: open, closed, superseded, expired.
    fn passages(&self) -> [u64; 4] {
        self.parts.maps.passages(Slot(SLOT))
    }
}

fn ethernet(protocol: u16, packet: &[u8]) -> Vec<u8> {
    [&[0; 12][..], &protocol.to_be_bytes(), packet].concat()
}

/// A packet of an IP protocol, of either family.
fn packet(from: &str, to: &str, protocol: u8) -> Vec<u8> {
    match (ip(from), ip(to)) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let header = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, protocol, 0, 0];
            ethernet(0x0800, &[&header[..], &from.octets(), &to.octets(), &[0; 8]].concat())
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let header = [0x60, 0, 0, 0, 0, 8, protocol, 255];
            ethernet(0x86dd, &[&header[..], &from.octets(), &to.octets(), &[0; 8]].concat())
        }
        _ => panic!("{from} to {to}"),
    }
}

fn arp(operation: u8, sender: &str, target: &str) -> Vec<u8> {
    let (IpAddr::V4(sender), IpAddr::V4(target)) = (ip(sender), ip(target)) else { panic!("no IPv4") };
    let header = [0, 1, 8, 0, 6, 4, 0, operation];
    ethernet(0x0806, &[&header[..], &[2; 6], &sender.octets(), &[0; 6], &target.octets()].concat())
}

/// A neighbour solicitation (135) or advertisement (136) between two others.
fn discovery(kind: u8, target: &str) -> Vec<u8> {
    let IpAddr::V6(target) = ip(target) else { panic!("no IPv6") };
    let mut frame = packet("fe80::7", "ff02::1", 58);
    frame.truncate(14 + 40);
    frame.extend([kind, 0, 0, 0, 0, 0, 0, 0]);
    frame.extend(target.octets());
    frame
}

/// With an 802.1Q tag in the frame.
fn tagged(frame: &[u8]) -> Vec<u8> {
    [&frame[..12], &[0x81, 0, 0, 10], &frame[12..]].concat()
}

/// Every way in which a packet can be one of `address`, with the program that sees it.
fn packets_of(address: &str) -> Vec<(&'static str, Vec<u8>)> {
    let v4 = ip(address).is_ipv4();
    let other = if v4 { "192.0.2.7" } else { "2001:db8::7" };
    let mut packets = vec![
        (IN, packet(other, address, 6)),
        (OUT, packet(address, other, 6)),
        (IN, tagged(&packet(other, address, 17))),
        // A later fragment, whether IPv4's or (by its header) IPv6's.
        (OUT, packet(address, other, 44)),
    ];
    if v4 {
        let mut fragment = packet(other, address, 17);
        fragment[20..22].copy_from_slice(&[0x00, 0xb9]);
        packets.extend([
            (IN, fragment),
            (IN, arp(1, other, address)),
            (OUT, arp(2, address, other)),
            (OUT, arp(1, address, address)),
        ]);
    } else {
        packets.extend([
            (IN, discovery(135, address)),
            (OUT, discovery(136, address)),
            (OUT, discovery(135, address)),
        ]);
    }
    packets
}

#[test]
fn packets_of_an_address_pass_while_its_lease_is_open() {
    let Some(mut post) = Post::new() else { return };
    let now = clock::now();
    let ago = |seconds| Instant::from_nanos(now.as_nanos() - Interval::from_secs(seconds).as_nanos());
    let hour = now.after(Interval::from_secs(3600));
    let mut counted = [0; 4];
    for (number, granted, until, superseded) in [
        (0, now, hour, Instant::default()),
        (0, now, hour, ago(1)),
        (1, now, Instant::default(), Instant::default()),
        (2, ago(1), hour, now),
        (2, now, hour, now),
        (3, ago(2), ago(1), Instant::default()),
    ] {
        post.grant(granted, until);
        let word = std::mem::offset_of!(Record, superseded);
        post.parts.maps.records.set_word(SLOT, word, superseded.as_nanos());
        for address in OURS {
            for (program, frame) in packets_of(address) {
                let expected = if number == 0 { GO_ON } else { DROPPED };
                assert_eq!(post.run(program, &frame), expected, "{program} {address} {number} {frame:02x?}");
                counted[number] += 1;
            }
        }
        assert_eq!(post.passages(), counted);
    }
}

#[test]
fn what_is_no_packet_of_a_guarded_address_goes_on_uncounted() {
    let Some(mut post) = Post::new() else { return };
    for address in THEIRS {
        for (program, frame) in packets_of(address) {
            assert_eq!(post.run(program, &frame), GO_ON, "{program} {address} {frame:02x?}");
        }
    }
    for address in OURS {
        let other = if ip(address).is_ipv4() { "192.0.2.7" } else { "2001:db8::7" };
        // The other way round they are packets of somebody else: a Backup's clients, for one.
        for (program, frame) in [(OUT, packet(other, address, 6)), (IN, packet(address, other, 6))] {
            assert_eq!(post.run(program, &frame), GO_ON, "{program} {address}");
        }
        // Advertisements may come from and go to any address.
        for (program, frame) in [(OUT, packet(address, other, 112)), (IN, packet(other, address, 112))] {
            assert_eq!(post.run(program, &frame), GO_ON, "{program} {address}");
        }
    }
    for frame in [ethernet(0x0806, &[0; 10]), ethernet(0x88cc, &[0; 60])] {
        for program in [IN, OUT] {
            assert_eq!(post.run(program, &frame), GO_ON, "{program} {frame:02x?}");
        }
    }
    assert_eq!(post.passages(), [0; 4]);
}

#[test]
fn an_address_is_guarded_from_when_it_is_entered_until_it_is_removed() {
    let Some(mut post) = Post::new() else { return };
    let frame = packet("192.0.2.7", "192.0.2.9", 6);
    let key = GuardKey::new(ip("192.0.2.9").into(), 0);
    assert_eq!(post.run(IN, &frame), GO_ON);
    post.parts.maps.enter(key, Slot(SLOT)).unwrap();
    assert_eq!(post.run(IN, &frame), DROPPED);
    post.parts.maps.remove(&key).unwrap();
    assert_eq!(post.run(IN, &frame), GO_ON);
    post.parts.maps.remove(&key).unwrap();
}

/// Addresses share marks: there are more of these than bits.
#[test]
fn an_address_is_guarded_while_others_come_and_go() {
    const OTHERS: u32 = 5_000;
    let Some(mut post) = Post::new() else { return };
    let key = |number: u32| GuardKey::new(IpAddr::from((0x0a00_0000 + number).to_be_bytes()).into(), 0);
    for number in 0..OTHERS {
        post.parts.maps.enter(key(number), Slot(SLOT)).unwrap();
    }
    let frames: Vec<_> = OURS.iter().flat_map(|address| packets_of(address)).collect();
    for number in (0..OTHERS).filter(|number| number % 97 != 0) {
        post.parts.maps.remove(&key(number)).unwrap();
    }
    let left =
        (0..OTHERS).step_by(97).map(key).chain(OURS.map(|own| GuardKey::new(ip(own).into(), LOOPBACK)));
    for (program, frame) in &frames {
        assert_eq!(post.run(program, frame), DROPPED, "{program} {frame:02x?}");
    }
    post.parts.maps.sweep(&left.collect());
    for (program, frame) in &frames {
        assert_eq!(post.run(program, frame), DROPPED, "{program} {frame:02x?}");
    }
    let of =
        |number: u32| packet("192.0.2.7", &IpAddr::from((0x0a00_0000 + number).to_be_bytes()).to_string(), 6);
    for number in 0..OTHERS {
        let expected = if number % 97 == 0 { DROPPED } else { GO_ON };
        assert_eq!(post.run(IN, &of(number)), expected, "{number}");
    }
}

/// Whether a cell finds its slot or the map does, which of two that share a place has to.
#[test]
fn an_address_has_the_lease_of_its_own_router() {
    const OPEN: Slot = Slot(SLOT + 1);
    const CLOSED: Slot = Slot(SLOT);
    let Some(mut post) = Post::new() else { return };
    let now = clock::now();
    post.parts.maps.grant(OPEN, Lease { granted: now, until: now.after(Interval::from_secs(60)) });
    let [first, second] = neighbours();
    let check = |post: &mut Post, expected: [u32; 2]| {
        let results = [first, second].map(|address| post.run(IN, &packet("192.0.2.7", address, 6)));
        assert_eq!(results, expected);
    };
    let key = |address: &str| GuardKey::new(ip(address).into(), 0);
    post.parts.maps.enter(key(first), OPEN).unwrap();
    post.parts.maps.enter(key(second), CLOSED).unwrap();
    check(&mut post, [GO_ON, DROPPED]);
    // Each moves to the other's router, as in a reload.
    post.parts.maps.enter(key(first), CLOSED).unwrap();
    check(&mut post, [DROPPED, DROPPED]);
    post.parts.maps.enter(key(second), OPEN).unwrap();
    check(&mut post, [DROPPED, GO_ON]);
    post.parts.maps.remove(&key(first)).unwrap();
    check(&mut post, [GO_ON, GO_ON]);
    post.parts.maps.enter(key(second), CLOSED).unwrap();
    check(&mut post, [GO_ON, DROPPED]);
    post.parts.maps.sweep(&[key(first)].into());
    check(&mut post, [GO_ON, GO_ON]);
}

/// Two addresses that share mark and cell.
fn neighbours() -> [&'static str; 2] {
    let [first, second] = ["10.0.0.1", "10.0.26.110"];
    assert_eq!(place(ip(first).into()), place(ip(second).into()));
    [first, second]
}

/// The one that stays is judged by its own lease, which is closed, while its cell changes hands.
#[test]
fn a_cell_that_changes_hands_misleads_nobody() {
    const OPEN: Slot = Slot(SLOT + 1);
    const ROUNDS: u32 = 100_000;
    let Some(mut post) = Post::new() else { return };
    let now = clock::now();
    post.parts.maps.grant(OPEN, Lease { granted: now, until: now.after(Interval::from_secs(60)) });
    let [stays, comes] = neighbours().map(|address| GuardKey::new(ip(address).into(), 0));
    let frame = packet("192.0.2.7", neighbours()[0], 6);
    let Post { bench, parts: GuardParts { maps, .. } } = &mut post;
    maps.enter(stays, Slot(SLOT)).unwrap();
    let program = bench.object.classifier(IN).unwrap();
    let ended = AtomicBool::new(false);
    let changes = thread::scope(|scope| {
        let changing = scope.spawn(|| {
            let mut changes = 0_u32;
            while !ended.load(Ordering::Relaxed) {
                maps.cells.vacate(&stays);
                maps.enter(comes, OPEN).unwrap();
                maps.remove(&comes).unwrap();
                // Not entered anew: the kernel gives the memory of a map's entries to others at once.
                maps.cells.take(stays, Slot(SLOT));
                changes += 1;
            }
            changes
        });
        for _ in 0..20 {
            let options =
                TestRunOptions { data_in: Some(&frame), repeat: ROUNDS, ..TestRunOptions::default() };
            program.test_run(options).unwrap();
        }
        ended.store(true, Ordering::Relaxed);
        changing.join().unwrap()
    });
    assert!(changes > 100, "{changes} changes");
    assert_eq!(maps.passages(OPEN), [0; 4]);
    assert_eq!(maps.passages(Slot(SLOT)), [0, u64::from(20 * ROUNDS), 0, 0]);
}

#[test]
fn a_link_local_address_is_guarded_on_its_own_link() {
    let Some(mut post) = Post::new() else { return };
    let frame = discovery(135, "fe80::9");
    post.parts.maps.enter(GuardKey::new(ip("fe80::9").into(), LOOPBACK + 1), Slot(SLOT)).unwrap();
    assert_eq!(post.run(IN, &frame), GO_ON);
    post.parts.maps.enter(GuardKey::new(ip("fe80::9").into(), LOOPBACK), Slot(SLOT)).unwrap();
    assert_eq!(post.run(IN, &frame), DROPPED);
}

/// With nobody there to read it: the receive programs close the lease by themselves.
#[test]
fn an_advertisement_that_beats_the_router_closes_its_lease() {
    let Some(mut post) = Post::new() else { return };
    for (own, open) in [(200, true), (100, false)] {
        for program in [Program::Xdp, Program::Tc] {
            let scene = Scene::v4(vrrp_common::wire::Version::V3);
            let mut view = scene.view;
            view.standing = vrrp_common::abi::Standing::new(own, true, true, false);
            post.bench.reset(scene.family, view);
            post.open();
            post.bench.run(program, &scene.frame());
            let expected = if open { GO_ON } else { DROPPED };
            let frame = packet("192.0.2.7", OURS[0], 6);
            assert_eq!(post.run(IN, &frame), expected, "{program:?}, priority {own} against 150");
            post.open();
            assert_eq!(post.run(IN, &frame), GO_ON, "a lease that was granted later is another one");
        }
    }
}

/// The price of a packet, beside that of the same program where there is nothing to look at. For a build with
/// optimization on a quiet machine; printed with `--nocapture`.
#[test]
fn what_it_costs() {
    const ROUNDS: u32 = 200_000;
    let Some(mut post) = Post::new() else { return };
    post.open();
    let mut cost = |program: &'static str, frame: &[u8]| {
        let run = |post: &mut Post| -> Duration {
            let options =
                TestRunOptions { data_in: Some(frame), repeat: ROUNDS, ..TestRunOptions::default() };
            post.bench.object.classifier(program).unwrap().test_run(options).unwrap().duration
        };
        (0..5).map(|_| run(&mut post)).min().unwrap()
    };
    let nothing = ethernet(0x88cc, &[0; 60]);
    for program in [IN, OUT] {
        let base = cost(program, &nothing);
        let (to, from) = ("192.0.2.100", "192.0.2.7");
        let (other, owned) = match program {
            IN => (packet(from, "192.0.2.9", 6), packet(from, to, 6)),
            _ => (packet("192.0.2.9", from, 6), packet(to, from, 6)),
        };
        let (other, owned) = (cost(program, &other), cost(program, &owned));
        crate::testing::say(&format!(
            "{program}: none {base:?}, another address {other:?}, a guarded one {owned:?}"
        ));
        assert!(owned < Duration::from_micros(5), "{owned:?}");
    }
}

#[test]
fn the_verifier_reads_it_in_no_time() {
    let Some(mut post) = Post::new() else { return };
    for program in [IN, OUT] {
        let info = post.bench.object.classifier(program).unwrap().info().unwrap();
        let verified = info.verified_instruction_count();
        assert!(verified.is_some_and(|count| (1..5_000).contains(&count)), "{program}: {verified:?}");
    }
}
