//! The programs, run by the kernel on frames of our making (`BPF_PROG_TEST_RUN`): every reason to refuse one, and
//! that they judge as the same function does on slices.

use aya::programs::{TestRun, TestRunOptions};
use bytemuck::Zeroable;
use nix::unistd::geteuid;
use vrrp_common::{
    abi::{Address, Standing, Tally},
    judge::{DropReason, Peers, judge, locate, record},
    time::Instant as Moment,
    wire::{ChecksumForm, Family, HEADER_LEN, Message, Version, frame},
};

use super::*;

const SLOT: u32 = 3;
const VRID: u8 = 51;
/// The interface that the kernel runs them on: the namespace's own.
const LOOPBACK: u32 = 1;

/// What the programs return: `XDP_PASS`, `XDP_DROP`; `TC_ACT_UNSPEC`, `TC_ACT_SHOT`.
const PASS: [u32; 2] = [2, u32::MAX];
const DROP: [u32; 2] = [1, 2];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Xdp,
    Tc,
}

/// The loaded programs with one router; its record and counters in plain memory beside them.
struct Bench {
    object: Object,
    view: RouterView,
    family: Family,
}

impl Bench {
    /// None, loudly, without the rights to load programs.
    fn new() -> Option<Self> {
        if !geteuid().is_root() {
            let required =
                |name: &str| std::env::var(name).is_ok_and(|value| value == "true" || value == "1");
            assert!(
                !required("CI") && !required("XVRRP_REQUIRE_LAB"),
                "this test needs root rights to load BPF"
            );
            crate::testing::say("SKIPPED, needs root rights to load BPF");
            return None;
        }
        let mut bench =
            Self { object: Object::load().unwrap(), view: RouterView::zeroed(), family: Family::V4 };
        let station: [u8; 8] = bytemuck::cast(Station { mac: [0; 6], reserved: 0 });
        bench.object.stations.insert(LOOPBACK, station, 0).unwrap();
        bench.object.strangers.insert(LOOPBACK, object::nothing().unwrap(), 0).unwrap();
        bench.object.xdp().unwrap();
        bench.object.tc().unwrap();
        Some(bench)
    }

    /// A router that has heard nothing and is judged by `view`.
    fn reset(&mut self, family: Family, view: RouterView) {
        let key = |family: Family| RouterKey { ifindex: LOOPBACK, vlan: 0, family: family as u8, vrid: VRID };
        let _ = self.object.routers.remove(&bytemuck::cast::<_, [u8; 8]>(key(self.family)));
        self.object.routers.insert(bytemuck::cast::<_, [u8; 8]>(key(family)), SLOT, 0).unwrap();
        self.object.views.write(SLOT, &view);
        self.object.heard.write(SLOT, &Record::default());
        self.object.counts.set(SLOT, object::nothing().unwrap(), 0).unwrap();
        self.object.strangers.insert(LOOPBACK, object::nothing().unwrap(), 0).unwrap();
        (self.family, self.view) = (family, view);
    }

    fn allow(&mut self, peer: Address) {
        let key = PeerKey { slot: SLOT, reserved: 0, source: peer };
        let key: [u8; size_of::<PeerKey>()] = bytemuck::cast(key);
        self.object.peers.insert(key, [254, 255], 0).unwrap();
    }

    fn run(&mut self, entry: Entry, frame: &[u8]) -> u32 {
        let options = TestRunOptions { data_in: Some(frame), ..TestRunOptions::default() };
        let result = match entry {
            Entry::Xdp => self.object.xdp().unwrap().test_run(options),
            Entry::Tc => self.object.tc().unwrap().test_run(options),
        };
        result.unwrap_or_else(|error| panic!("{entry:?} on {frame:02x?}: {error}")).return_value
    }

    fn heard(&self) -> Heard {
        self.object.heard.heard(SLOT)
    }

    /// Counted for the router, and for nobody.
    fn counted(&self) -> [Counters; 2] {
        let own = object::sum(&self.object.counts.get(&SLOT, 0).unwrap());
        [own, object::sum(&self.object.strangers.get(&LOOPBACK, 0).unwrap())]
    }

    fn events(&mut self) -> Vec<u32> {
        let mut slots = Vec::new();
        while let Some(item) = self.object.events.next() {
            slots.push(bytemuck::pod_read_unaligned::<Event>(&item).slot);
        }
        slots
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A router and who advertises to it.
#[derive(Clone)]
struct Scene {
    family: Family,
    version: Version,
    source: IpAddr,
    group: IpAddr,
    view: RouterView,
}

impl Scene {
    fn v4(version: Version) -> Self {
        let group = ip("224.0.0.18");
        let v2 = version == Version::V2;
        let view = RouterView {
            standing: Standing::new(100, false, true, false),
            source: ip("192.0.2.2").into(),
            group: group.into(),
            digest: 0,
            password: if v2 { *b"secret\0\0" } else { [0; 8] },
            interval: if v2 { 1_000_000_000 } else { 0 },
            version: version as u8,
            auth_type: u8::from(v2),
            reserved: 0,
            flags: 0,
        };
        Self { family: Family::V4, version, source: ip("192.0.2.1"), group, view }
    }

    fn v6() -> Self {
        let group = ip("ff02::12");
        let view =
            RouterView { source: ip("fe80::2").into(), group: group.into(), ..Self::v4(Version::V3).view };
        Self { family: Family::V6, version: Version::V3, source: ip("fe80::1"), group, view }
    }

    fn flagged(mut self, flags: u32) -> Self {
        self.view.flags = flags;
        self
    }

    fn listed(&self) -> Vec<IpAddr> {
        match self.family {
            Family::V4 => vec![ip("192.0.2.10")],
            Family::V6 => vec![ip("fe80::10"), ip("2001:db8::10")],
        }
    }

    fn frame(&self) -> Vec<u8> {
        self.frame_of(&self.listed())
    }

    fn frame_of(&self, addresses: &[IpAddr]) -> Vec<u8> {
        let message = Message {
            version: self.version,
            vrid: VRID,
            priority: 150,
            interval: Interval::from_secs(1),
            family: self.family,
            password: (self.version == Version::V2).then_some(*b"secret\0\0"),
            addresses,
        };
        let mut buffer = vec![0; 4200];
        let form = if self.version == Version::V2 { ChecksumForm::Message } else { ChecksumForm::Pseudo };
        let length =
            frame::advertisement([2, 0, 0, 0, 0, 1], self.source, self.group, &message, form, &mut buffer);
        buffer.truncate(length.unwrap());
        buffer
    }

    /// Where the message begins.
    fn offset(&self) -> usize {
        if self.family == Family::V4 { 34 } else { 54 }
    }
}

type Change<'a> = dyn Fn(&mut Vec<u8>) + 'a;

/// What a change makes of a good frame, by both programs: counted for `reason`, dropped or passed on, and nothing
/// moved.
fn refused(bench: &mut Bench, scene: &Scene, change: &Change<'_>, reason: DropReason) {
    let mut frame = scene.frame();
    change(&mut frame);
    for (index, entry) in [Entry::Xdp, Entry::Tc].into_iter().enumerate() {
        bench.reset(scene.family, scene.view);
        let returned = bench.run(entry, &frame);
        let what = format!("{entry:?} {:?} {reason:?}", scene.family);
        let [own, strangers] = bench.counted();
        assert_eq!(own.refused(reason) + strangers.refused(reason), 1, "{what}: {own:?} {strangers:?}");
        assert_eq!(own.received + strangers.received, 1, "{what}");
        assert_eq!(bench.heard(), Heard::default(), "{what}");
        let for_us = !matches!(
            reason,
            DropReason::IpHeader
                | DropReason::Fragment
                | DropReason::Vrid
                | DropReason::Mode
                | DropReason::UnknownPeer
                | DropReason::OwnSource
        );
        assert_eq!(returned, if for_us { DROP[index] } else { PASS[index] }, "{what}");
        assert!(bench.events().is_empty(), "{what}");
    }
}

fn set(at: usize, bytes: &[u8]) -> impl Fn(&mut Vec<u8>) {
    move |frame| frame[at..at + bytes.len()].copy_from_slice(bytes)
}

/// Changes a word of the message and its checksum with it (RFC 1624 §3).
fn mended(scene: &Scene, at: usize, bytes: [u8; 2]) -> impl Fn(&mut Vec<u8>) {
    let offset = scene.offset();
    move |frame| {
        let word = |frame: &[u8], at: usize| u32::from(frame[at]) << 8 | u32::from(frame[at + 1]);
        let old = word(frame, offset + at);
        frame[offset + at..offset + at + 2].copy_from_slice(&bytes);
        let sum = (!word(frame, offset + 6) & 0xffff) + (!old & 0xffff) + word(frame, offset + at);
        let sum = (sum & 0xffff) + (sum >> 16);
        let sum = !((sum & 0xffff) + (sum >> 16));
        frame[offset + 6..offset + 8].copy_from_slice(&(sum as u16).to_be_bytes());
    }
}

#[test]
fn every_reason_to_refuse_is_counted_and_moves_nothing() {
    let Some(mut bench) = Bench::new() else { return };
    let v2 = Scene::v4(Version::V2);
    for scene in [Scene::v4(Version::V3), Scene::v6()] {
        let v4 = scene.family == Family::V4;
        let offset = scene.offset();
        let mut check = |scene: &Scene, change: &Change<'_>, reason| {
            refused(&mut bench, scene, change, reason);
        };
        check(&scene, &set(14, &[if v4 { 0x44 } else { 0x50 }]), DropReason::IpHeader);
        check(&scene, &|frame: &mut Vec<u8>| frame.truncate(frame.len() - 1), DropReason::IpHeader);
        check(&scene, &set(offset + 1, &[VRID + 1]), DropReason::Vrid);
        check(&scene, &set(offset - 1, &[19]), DropReason::Mode);
        check(&scene, &set(if v4 { 22 } else { 21 }, &[254]), DropReason::Ttl);
        check(&scene, &set(offset + 3, &[3]), DropReason::Length);
        check(&scene, &set(offset, &[0x41]), DropReason::Version);
        check(&scene, &set(offset, &[0x32]), DropReason::Type);
        check(&scene, &set(offset + 3, &[0]), DropReason::CountZero);
        check(&scene, &set(offset + 2, &[151]), DropReason::Checksum);
        check(&scene, &mended(&scene, 4, [0, 0]), DropReason::IntervalZero);
        let strict = scene.clone().flagged(RouterView::STRICT);
        check(&strict, &|_| {}, DropReason::AddressList);
        let mut own = scene.clone();
        own.view.source = own.source.into();
        check(&own, &|_| {}, DropReason::OwnSource);
        // Sent to the group's hardware address still, so that both programs look at it.
        let mut unicast = scene.clone().flagged(RouterView::UNICAST);
        unicast.view.source = unicast.group.into();
        check(&unicast, &|_| {}, DropReason::UnknownPeer);
    }
    let v4 = Scene::v4(Version::V3);
    refused(&mut bench, &v4, &set(20, &[0x20]), DropReason::Fragment);
    refused(&mut bench, &v2, &mended(&v2, 4, [0, 1]), DropReason::AuthType);
    refused(&mut bench, &v2, &mended(&v2, HEADER_LEN + 4, *b"SE"), DropReason::AuthPassword);
    refused(&mut bench, &v2, &mended(&v2, 4, [1, 2]), DropReason::IntervalDiffers);
    let v6 = Scene::v6().flagged(RouterView::STRICT);
    refused(&mut bench, &v6, &mended(&v6, HEADER_LEN, [0x20, 0x01]), DropReason::LinkLocalFirst);
}

#[test]
fn what_counts_is_recorded_passed_on_and_told_once() {
    let Some(mut bench) = Bench::new() else { return };
    for scene in [Scene::v4(Version::V3), Scene::v4(Version::V2), Scene::v6()] {
        for (index, entry) in [Entry::Xdp, Entry::Tc].into_iter().enumerate() {
            bench.reset(scene.family, scene.view);
            bench.events();
            let before = clock::now();
            for _ in 0..3 {
                assert_eq!(bench.run(entry, &scene.frame()), PASS[index]);
            }
            let accepted = bench.heard().accepted;
            assert_eq!((accepted.count, accepted.priority, accepted.interval), (3, 150, 1_000_000_000));
            assert_eq!(IpAddr::from(accepted.source), scene.source);
            assert!((before.as_nanos()..=clock::now().as_nanos()).contains(&accepted.at));
            assert_eq!(bench.events(), [SLOT], "a steady advertisement is no news");
            // News, but the daemon has not looked yet.
            bench.run(entry, &mended_frame(&scene, 200));
            assert!(bench.events().is_empty());
            bench.object.heard.acknowledge(SLOT);
            bench.run(entry, &mended_frame(&scene, 201));
            assert_eq!(bench.events(), [SLOT]);
            assert_eq!(bench.heard().accepted.priority, 201);
            assert_eq!(bench.counted()[0].received, 5);
        }
    }
}

/// An advertisement of another priority.
fn mended_frame(scene: &Scene, priority: u8) -> Vec<u8> {
    let mut frame = scene.frame();
    let count = frame[scene.offset() + 3];
    mended(scene, 2, [priority, count])(&mut frame);
    frame
}

#[test]
fn the_longest_advertisement_is_heard() {
    let Some(mut bench) = Bench::new() else { return };
    let scene = Scene::v4(Version::V3);
    let addresses: Vec<IpAddr> = (0..=254).map(|host| IpAddr::from([192, 0, 2, host])).collect();
    for entry in [Entry::Xdp, Entry::Tc] {
        bench.reset(scene.family, scene.view);
        bench.run(entry, &scene.frame_of(&addresses));
        assert_eq!((bench.heard().accepted.count, bench.heard().differing_list), (1, 1), "{entry:?}");
    }
}

#[test]
fn a_unicast_router_hears_its_peers_within_their_ttl() {
    let Some(mut bench) = Bench::new() else { return };
    for scene in [Scene::v4(Version::V3), Scene::v6()] {
        let mut scene = scene.flagged(RouterView::UNICAST);
        scene.view.source = scene.group.into();
        bench.allow(scene.source.into());
        let hops = if scene.family == Family::V4 { 22 } else { 21 };
        for entry in [Entry::Xdp, Entry::Tc] {
            bench.reset(scene.family, scene.view);
            for ttl in [253, 254, 255] {
                let mut frame = scene.frame();
                frame[hops] = ttl;
                bench.run(entry, &frame);
            }
            assert_eq!(bench.heard().accepted.count, 2, "{entry:?}");
            assert_eq!(bench.counted()[0].refused(DropReason::Ttl), 1, "{entry:?}");
        }
    }
}

#[test]
fn what_is_for_another_host_or_protocol_passes_uncounted() {
    let Some(mut bench) = Bench::new() else { return };
    let scene = Scene::v4(Version::V3);
    let changes: [&Change<'_>; 4] =
        [&set(0, &[2, 0, 0, 0, 0, 9]), &set(23, &[17]), &set(12, &[0x08, 0x06]), &|frame| {
            frame.splice(12..12, [0x81, 0x00, 0x00, 10]).for_each(drop);
        }];
    for change in changes {
        let mut frame = scene.frame();
        change(&mut frame);
        for (index, entry) in [Entry::Xdp, Entry::Tc].into_iter().enumerate() {
            bench.reset(scene.family, scene.view);
            assert_eq!(bench.run(entry, &frame), PASS[index], "{entry:?}");
            assert_eq!((bench.counted(), bench.heard()), Default::default(), "{entry:?}");
        }
    }
}

/// Peers as the programs have them.
struct Listed(Vec<Address>);

impl Peers for Listed {
    fn ttl_range(&self, source: &Address) -> Option<(u8, u8)> {
        self.0.contains(source).then_some((254, 255))
    }
}

/// xorshift64*: the same packets in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}

/// A frame with a few bytes changed, cut or padded; often with a good checksum again.
fn mutated(random: &mut Random, scene: &Scene) -> Vec<u8> {
    let mut frame = scene.frame();
    for _ in 0..random.below(3) {
        let at = 14 + random.below(frame.len() - 14);
        frame[at] = if random.below(2) == 0 { random.below(256) as u8 } else { frame[at] ^ 1 };
    }
    if random.below(2) == 0 {
        let at = [2, 4, HEADER_LEN][random.below(3)];
        let value = [0, 1, 32, 99, 100, 101, 150, 255][random.below(8)];
        let [first, second] = [frame[scene.offset() + at], frame[scene.offset() + at + 1]];
        let word = if random.below(2) == 0 { [value, second] } else { [first, value] };
        mended(scene, at, word)(&mut frame);
    }
    match random.below(8) {
        // The kernel does not run tc programs on less than the header of what the frame says it is.
        0 => frame.truncate(scene.offset() + random.below(frame.len() - scene.offset())),
        1 => frame.extend([0xa5; 18]),
        _ => {}
    }
    frame
}

#[test]
fn the_programs_judge_as_judge_does_on_slices() {
    const PACKETS: usize = 120_000;
    const PER_SCENE: usize = 50;
    let Some(mut bench) = Bench::new() else { return };
    let mut random = Random(0x9568);
    let peers = Listed(vec![ip("192.0.2.1").into(), ip("fe80::1").into()]);
    peers.0.iter().for_each(|peer| bench.allow(*peer));
    let mut outcomes = Tally::zeroed();
    for _ in 0..PACKETS / PER_SCENE {
        let scene = [Scene::v4(Version::V2), Scene::v4(Version::V3), Scene::v6()][random.below(3)].clone();
        let mut scene = scene.flagged([0, RouterView::UNICAST, RouterView::STRICT][random.below(3)]);
        let yes = |random: &mut Random| random.below(2) == 0;
        let priority = [1, 100, 150, 255][random.below(4)];
        let standing = Standing::new(priority, yes(&mut random), yes(&mut random), yes(&mut random));
        scene.view.standing = standing;
        scene.view.digest = vrrp_common::judge::digest(scene.listed().into_iter().map(Address::from));
        if random.below(20) == 0 {
            scene.view.source = scene.source.into();
        }
        if scene.view.flags == RouterView::UNICAST {
            scene.view.source = scene.group.into();
        }
        let frames: Vec<Vec<u8>> = (0..PER_SCENE).map(|_| mutated(&mut random, &scene)).collect();
        for (index, entry) in [Entry::Xdp, Entry::Tc].into_iter().enumerate() {
            bench.reset(scene.family, scene.view);
            let mut expected = Heard::default();
            for (at, frame) in frames.iter().enumerate() {
                let judged = locate(&frame[..]).and_then(|envelope| {
                    let Some(envelope) = envelope else { return Ok(None) };
                    if envelope.key(LOOPBACK, 0).vrid != VRID || envelope.family != scene.family {
                        return Err(DropReason::Vrid);
                    }
                    judge(&frame[..], &envelope, &scene.view, &peers).map(Some)
                });
                if let Ok(Some(verdict)) = &judged {
                    record(&mut expected, &scene.view, verdict, Moment::from_nanos(at as u64 + 1));
                }
                let before = total(&bench);
                let fate = match judged {
                    // Of what cannot be located nobody knows for whom it is.
                    Err(reason) if reason.is_ours() && locate(&frame[..]).is_ok() => DROP[index],
                    _ => PASS[index],
                };
                assert_eq!(bench.run(entry, frame), fate, "{entry:?} {judged:?} {frame:02x?}");
                let counted = difference(&total(&bench), &before);
                let mut wanted = [0; DropReason::COUNT];
                if let Err(reason) = judged {
                    wanted[reason as usize] = 1;
                    outcomes.refused[reason as usize] += 1;
                } else if matches!(judged, Ok(Some(_))) {
                    outcomes.received += 1;
                }
                assert_eq!(counted, wanted, "{entry:?} {judged:?} {frame:02x?}");
                assert_eq!(timeless(bench.heard()), timeless(expected), "{entry:?} {judged:?} {frame:02x?}");
            }
        }
    }
    assert!(outcomes.received > 10_000, "few packets counted: {outcomes:?}");
    let met = outcomes.refused.iter().filter(|count| **count > 0).count();
    assert!(met == 18, "every reason but accept_from: {outcomes:?}");
}

fn total(bench: &Bench) -> Counters {
    let [mut sum, strangers] = bench.counted();
    sum.add(&strangers);
    sum
}

fn difference(after: &Counters, before: &Counters) -> [u64; DropReason::COUNT] {
    DropReason::ALL.map(|reason| after.refused(reason) - before.refused(reason))
}

/// The kernel has its own clock.
fn timeless(mut heard: Heard) -> Heard {
    for stamp in [&mut heard.accepted, &mut heard.better, &mut heard.losing, &mut heard.resigned] {
        stamp.at = 0;
    }
    heard
}

/// The kernel's limit is a million; older verifiers need more for the same program.
#[test]
fn the_verifier_has_room() {
    let Some(mut bench) = Bench::new() else { return };
    let xdp = bench.object.xdp().unwrap().info().unwrap().verified_instruction_count();
    let tc = bench.object.tc().unwrap().info().unwrap().verified_instruction_count();
    for verified in [xdp, tc] {
        assert!(verified.is_some_and(|count| (1..500_000).contains(&count)), "{verified:?}");
    }
}
