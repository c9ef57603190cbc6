//! The programs, run by the kernel on frames of our making: what they hear, pass on and tell.

use aya::maps::lpm_trie::Key;
use vrrp_common::{
    abi::Admitted,
    wire::{Family, Version},
};

use super::{bench_tests::*, *};
use crate::config::model::Network;

#[test]
fn what_counts_is_recorded_passed_on_and_told_once() {
    let Some(mut bench) = Bench::new() else { return };
    for scene in [Scene::v4(Version::V3), Scene::v4(Version::V2), Scene::v6()] {
        for (index, program) in [Program::Xdp, Program::Tc].into_iter().enumerate() {
            bench.reset(scene.family, scene.view);
            bench.events();
            let before = clock::now();
            for _ in 0..3 {
                assert_eq!(bench.run(program, &scene.frame()), PASS[index]);
            }
            let accepted = bench.heard().accepted;
            assert_eq!((accepted.count, accepted.priority, accepted.interval), (3, 150, 1_000_000_000));
            assert_eq!(IpAddr::from(accepted.source), scene.source);
            assert!((before.as_nanos()..=clock::now().as_nanos()).contains(&accepted.at));
            assert_eq!(bench.events(), [SLOT], "a steady advertisement is no news");
            // News, but the daemon has not looked yet.
            bench.run(program, &mended_frame(&scene, 200));
            assert!(bench.events().is_empty());
            bench.object.heard.acknowledge(SLOT);
            bench.run(program, &mended_frame(&scene, 201));
            assert_eq!(bench.events(), [SLOT]);
            assert_eq!(bench.heard().accepted.priority, 201);
            assert_eq!(bench.counted()[0].received, 5);
        }
    }
}

#[test]
fn the_longest_advertisement_is_heard() {
    let Some(mut bench) = Bench::new() else { return };
    let scene = Scene::v4(Version::V3);
    let addresses: Vec<IpAddr> = (0..=254).map(|host| IpAddr::from([192, 0, 2, host])).collect();
    for program in [Program::Xdp, Program::Tc] {
        bench.reset(scene.family, scene.view);
        bench.run(program, &scene.frame_of(&addresses));
        assert_eq!((bench.heard().accepted.count, bench.heard().differing_list), (1, 1), "{program:?}");
    }
}

#[test]
fn a_unicast_router_hears_its_peers_within_their_ttl() {
    let Some(mut bench) = Bench::new() else { return };
    for scene in [Scene::v4(Version::V3), Scene::v6()] {
        let mut scene = scene.flagged(RouterView::UNICAST);
        scene.view.source = scene.group.into();
        bench.listen(&[scene.source], &[]);
        let hops = if scene.family == Family::V4 { 22 } else { 21 };
        for program in [Program::Xdp, Program::Tc] {
            bench.reset(scene.family, scene.view);
            for ttl in [253, 254, 255] {
                let mut frame = scene.frame();
                frame[hops] = ttl;
                bench.run(program, &frame);
            }
            assert_eq!(bench.heard().accepted.count, 2, "{program:?}");
            assert_eq!(bench.counted()[0].refused(DropReason::Ttl), 1, "{program:?}");
        }
    }
}

#[test]
fn accept_from_admits_its_networks_and_nobody_else() {
    let Some(mut bench) = Bench::new() else { return };
    let network = |address: &str, length| Network { address: ip(address), length };
    let networks = [network("192.0.2.0", 29), network("2001:db8::", 32), network("fe80::", 126)];
    bench.listen(&[], &networks);
    let v4 = |host: &str| Scene { source: ip(host), ..Scene::v4(Version::V3) };
    let v6 = |host: &str| Scene { source: ip(host), ..Scene::v6() };
    for (scene, admitted) in [
        (v4("192.0.2.7"), true),
        (v4("192.0.2.8"), false),
        (v4("192.0.3.7"), false),
        (v6("fe80::3"), true),
        (v6("fe80::4"), false),
        (v6("2001:db8:ffff::1"), true),
        (v6("2001:db9::1"), false),
    ] {
        for program in [Program::Xdp, Program::Tc] {
            let what = format!("{program:?} {}", scene.source);
            let closed = scene.clone().flagged(RouterView::ADMITS);
            bench.reset(scene.family, closed.view);
            bench.run(program, &scene.frame());
            assert_eq!(bench.heard().accepted.count, u64::from(admitted), "{what}");
            let refused = bench.counted()[0].refused(DropReason::NotAdmitted);
            assert_eq!(refused, u64::from(!admitted), "{what}");
            bench.reset(scene.family, scene.view);
            bench.run(program, &scene.frame());
            assert_eq!(bench.heard().accepted.count, 1, "{what}: there is no list");
        }
    }
}

#[test]
fn accept_from_of_one_router_is_not_that_of_another() {
    let Some(mut bench) = Bench::new() else { return };
    let scene = Scene::v4(Version::V3).flagged(RouterView::ADMITS);
    let everybody =
        Admitted { slot: SLOT + 1, network: vrrp_common::abi::Address::from(ip("0.0.0.0")).octets() };
    let key = Key::new(Admitted::SLOT_BITS, bytemuck::cast(everybody));
    bench.object.admitted.insert(&key, 1, 0).unwrap();
    for program in [Program::Xdp, Program::Tc] {
        bench.reset(scene.family, scene.view);
        bench.run(program, &scene.frame());
        assert_eq!(bench.counted()[0].refused(DropReason::NotAdmitted), 1, "{program:?}");
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
        for (index, program) in [Program::Xdp, Program::Tc].into_iter().enumerate() {
            bench.reset(scene.family, scene.view);
            assert_eq!(bench.run(program, &frame), PASS[index], "{program:?}");
            assert_eq!((bench.counted(), bench.heard()), Default::default(), "{program:?}");
        }
    }
}

/// The kernel's limit is a million, and older verifiers need more for the same program; but a node waits for it when it
/// starts.
#[test]
fn the_verifier_has_room() {
    let Some(mut bench) = Bench::new() else { return };
    let xdp = bench.object.xdp().unwrap().info().unwrap().verified_instruction_count();
    let tc = bench.object.tc().unwrap().info().unwrap().verified_instruction_count();
    for verified in [xdp, tc] {
        assert!(verified.is_some_and(|count| (1..100_000).contains(&count)), "{verified:?}");
    }
}
