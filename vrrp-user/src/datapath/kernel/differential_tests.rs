//! The programs judge as the same functions do on slices, on generated packets (`BPF_PROG_TEST_RUN`).

use std::net::{Ipv4Addr, Ipv6Addr};

use bytemuck::Zeroable;
use vrrp_common::{
    abi::{Address, Standing, Tally},
    judge::{Notice, Peers, judge, locate, record, settled},
    time::Instant as Moment,
    wire::{HEADER_LEN, Version},
};

use super::{bench_tests::*, *};
use crate::config::model::Network;

/// Peers as the programs have them.
struct Listed(Vec<Address>);

impl Peers for Listed {
    fn ttl_range(&self, source: &Address) -> Option<(u8, u8)> {
        self.0.contains(source).then_some((254, 255))
    }

    fn admits(&self, source: &Address) -> bool {
        let source = IpAddr::from(*source);
        ADMITTED_V4.contains(source) || ADMITTED_V6.contains(source)
    }
}

const ADMITTED_V4: Network = Network { address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 0)), length: 31 };
const ADMITTED_V6: Network =
    Network { address: IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), length: 127 };

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

/// A frame, some without an address, with a few bytes changed, cut or padded; often with a good checksum again.
fn mutated(random: &mut Random, scene: &Scene) -> Vec<u8> {
    let mut frame = if random.below(4) == 0 { scene.frame_of(&[]) } else { scene.frame() };
    for _ in 0..random.below(3) {
        let at = 14 + random.below(frame.len() - 14);
        frame[at] = if random.below(2) == 0 { random.below(256) as u8 } else { frame[at] ^ 1 };
    }
    if random.below(2) == 0 {
        let places = if frame.len() > scene.offset() + HEADER_LEN { 3 } else { 2 };
        let at = [2, 4, HEADER_LEN][random.below(places)];
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
    bench.listen(&[ip("192.0.2.1"), ip("fe80::1")], &[ADMITTED_V4, ADMITTED_V6]);
    let mut outcomes = Tally::zeroed();
    let (mut empty_lists, mut counted_packets) = (0, 0);
    for _ in 0..PACKETS / PER_SCENE {
        let scene = [Scene::v4(Version::V2), Scene::v4(Version::V3), Scene::v6()][random.below(3)].clone();
        let flags = [0, RouterView::UNICAST, RouterView::STRICT, RouterView::ADMITS][random.below(4)];
        let empty = random.below(4) == 0;
        let mut scene = scene.flagged(if empty { flags | RouterView::NO_ADDRESSES } else { flags });
        let yes = |random: &mut Random| random.below(2) == 0;
        let priority = [1, 100, 150, 255][random.below(4)];
        let standing = Standing::new(priority, yes(&mut random), yes(&mut random), yes(&mut random));
        scene.view.standing = standing;
        let own = if empty { Vec::new() } else { scene.listed() };
        scene.view.digest = vrrp_common::judge::digest(own.into_iter().map(Address::from));
        if random.below(20) == 0 {
            scene.view.source = scene.source.into();
        }
        if flags == RouterView::UNICAST {
            scene.view.source = scene.group.into();
        }
        let frames: Vec<Vec<u8>> = (0..PER_SCENE).map(|_| mutated(&mut random, &scene)).collect();
        for (index, program) in [Program::Xdp, Program::Tc].into_iter().enumerate() {
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
                    empty_lists += u32::from(verdict.digest == vrrp_common::judge::digest([].into_iter()));
                    // The programs do not judge again what comes again; here everything is judged.
                    let notice = Notice::new(verdict, 0);
                    record(&mut expected, scene.view.standing, &notice, Moment::from_nanos(at as u64 + 1));
                }
                let before = total(&bench);
                let fate = match judged {
                    // Of what cannot be located nobody knows for whom it is.
                    Err(reason) if reason.is_ours() && locate(&frame[..]).is_ok() => DROP[index],
                    _ => PASS[index],
                };
                assert_eq!(bench.run(program, frame), fate, "{program:?} {judged:?} {frame:02x?}");
                let counted = difference(&total(&bench), &before);
                let mut wanted = [0; DropReason::COUNT];
                if let Err(reason) = judged {
                    wanted[reason as usize] = 1;
                    outcomes.refused[reason as usize] += 1;
                } else if matches!(judged, Ok(Some(_))) {
                    counted_packets += 1;
                }
                assert_eq!(counted, wanted, "{program:?} {judged:?} {frame:02x?}");
                assert_eq!(
                    timeless(bench.heard()),
                    timeless(settled(expected)),
                    "{program:?} {judged:?} {frame:02x?}"
                );
            }
        }
    }
    assert!(counted_packets > 10_000, "few packets counted: {counted_packets}");
    assert!(empty_lists > 1_000, "few packets without an address counted: {empty_lists}");
    assert!(outcomes.refused.iter().all(|count| *count > 0), "a reason was not met: {outcomes:?}");
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
    let kinds = [&mut heard.accepted, &mut heard.better, &mut heard.losing, &mut heard.resigned];
    for stamp in kinds.into_iter().chain(&mut heard.peers) {
        stamp.at = 0;
    }
    // Here nothing comes again.
    heard.repeat = Repeat::default();
    heard
}
