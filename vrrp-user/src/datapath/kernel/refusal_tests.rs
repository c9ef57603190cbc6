//! Every reason to refuse a packet, in every family that has it, by both programs (`BPF_PROG_TEST_RUN`).

use vrrp_common::wire::{Family, HEADER_LEN, Version};

use super::{bench_tests::*, *};

/// A good frame and what is done to it; then it is refused for this reason.
struct Case {
    reason: DropReason,
    scene: Scene,
    change: Box<Change<'static>>,
}

fn case(reason: DropReason, scene: &Scene, change: impl Fn(&mut Vec<u8>) + 'static) -> Case {
    Case { reason, scene: scene.clone(), change: Box::new(change) }
}

fn cases(family: Family) -> Vec<Case> {
    let scene = if family == Family::V4 { Scene::v4(Version::V3) } else { Scene::v6() };
    let mut cases = of_the_packet(&scene);
    cases.extend(of_the_message(&scene));
    cases.extend(match family {
        Family::V4 => of_version_two(),
        Family::V6 => {
            let strict = scene.flagged(RouterView::STRICT);
            vec![case(DropReason::LinkLocalFirst, &strict, mended(&strict, HEADER_LEN, [0x20, 0x01]))]
        }
    });
    cases
}

fn of_the_packet(scene: &Scene) -> Vec<Case> {
    let v4 = scene.family == Family::V4;
    let offset = scene.offset();
    let mut own = scene.clone();
    own.view.source = own.source.into();
    // Sent to the group's hardware address still, so that both programs look at it.
    let mut unicast = scene.clone().flagged(RouterView::UNICAST);
    unicast.view.source = unicast.group.into();
    let closed = scene.clone().flagged(RouterView::ADMITS);
    vec![
        case(DropReason::IpHeader, scene, set(14, &[if v4 { 0x44 } else { 0x50 }])),
        case(DropReason::IpHeader, scene, |frame| frame.truncate(frame.len() - 1)),
        case(DropReason::Vrid, scene, set(offset + 1, &[VRID + 1])),
        case(DropReason::Mode, scene, set(offset - 1, &[19])),
        case(DropReason::UnknownPeer, &unicast, |_| {}),
        case(DropReason::Ttl, scene, set(if v4 { 22 } else { 21 }, &[254])),
        case(DropReason::NotAdmitted, &closed, |_| {}),
        case(DropReason::OwnSource, &own, |_| {}),
    ]
}

fn of_the_message(scene: &Scene) -> Vec<Case> {
    let offset = scene.offset();
    let strict = scene.clone().flagged(RouterView::STRICT);
    let empty = scene.frame_of(&[]);
    vec![
        case(DropReason::Length, scene, set(offset + 3, &[3])),
        case(DropReason::Version, scene, set(offset, &[0x41])),
        case(DropReason::Type, scene, set(offset, &[0x32])),
        case(DropReason::CountZero, scene, set(offset + 3, &[0])),
        case(DropReason::CountZero, scene, move |frame| frame.clone_from(&empty)),
        case(DropReason::Checksum, scene, set(offset + 2, &[151])),
        case(DropReason::IntervalZero, scene, mended(scene, 4, [0, 0])),
        case(DropReason::AddressList, &strict, |_| {}),
    ]
}

fn of_version_two() -> Vec<Case> {
    let v2 = Scene::v4(Version::V2);
    vec![
        case(DropReason::Fragment, &v2, set(20, &[0x20])),
        case(DropReason::Fragment, &v2, set(21, &[0x01])),
        case(DropReason::AuthType, &v2, mended(&v2, 4, [0, 1])),
        case(DropReason::AuthPassword, &v2, mended(&v2, HEADER_LEN + 4, *b"SE")),
        case(DropReason::IntervalDiffers, &v2, mended(&v2, 4, [1, 2])),
    ]
}

/// What a packet of a family cannot be refused for: IPv6 fragments have an extension header, and are no VRRP
/// then; IPv6 has no version 2, and IPv4 no link-local addresses.
fn without(family: Family) -> &'static [DropReason] {
    match family {
        Family::V4 => &[DropReason::LinkLocalFirst],
        Family::V6 => &[
            DropReason::Fragment,
            DropReason::AuthType,
            DropReason::AuthPassword,
            DropReason::IntervalDiffers,
        ],
    }
}

#[test]
fn every_reason_that_a_family_has_is_tried() {
    for family in [Family::V4, Family::V6] {
        let tried: Vec<DropReason> = cases(family).iter().map(|case| case.reason).collect();
        for reason in DropReason::ALL {
            assert_ne!(tried.contains(&reason), without(family).contains(&reason), "{family:?} {reason:?}");
        }
    }
}

#[test]
fn every_reason_to_refuse_is_counted_and_moves_nothing() {
    let Some(mut bench) = Bench::new() else { return };
    for case in [Family::V4, Family::V6].into_iter().flat_map(cases) {
        for (index, program) in [Program::Xdp, Program::Tc].into_iter().enumerate() {
            refused(&mut bench, &case, index, program);
        }
    }
}

/// Counted for its reason, dropped or passed on, and nothing moved.
fn refused(bench: &mut Bench, Case { reason, scene, change }: &Case, index: usize, program: Program) {
    let mut frame = scene.frame();
    change(&mut frame);
    bench.reset(scene.family, scene.view);
    let returned = bench.run(program, &frame);
    let what = format!("{program:?} {:?} {reason:?}", scene.family);
    let [own, strangers] = bench.counted();
    assert_eq!(own.refused(*reason) + strangers.refused(*reason), 1, "{what}: {own:?} {strangers:?}");
    assert_eq!(own.received + strangers.received, 1, "{what}");
    assert_eq!(bench.heard(), Heard::default(), "{what}");
    let for_others = [
        DropReason::IpHeader,
        DropReason::Fragment,
        DropReason::Vrid,
        DropReason::Mode,
        DropReason::UnknownPeer,
        DropReason::NotAdmitted,
        DropReason::OwnSource,
    ];
    let fate = if for_others.contains(reason) { PASS } else { DROP };
    assert_eq!(returned, fate[index], "{what}");
    assert!(bench.events().is_empty(), "{what}");
}
