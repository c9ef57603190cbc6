//! `preempt_delay` as keepalived means it (its behaviour 2.3), and what the receive path is told meanwhile.

use super::*;

fn delayed(version: Version) -> Parameters {
    Parameters { preempt_delay: micros(5_000_000), ..parameters(version) }
}

#[test]
fn a_lower_active_is_tolerated_until_the_delay_ends() {
    for version in VERSIONS {
        let reason = Reason::Preempting { lower: peer(20, 99, 8_500_000), ours: 100 };
        check(
            "the whole course",
            delayed(version),
            vec![
                started(),
                // The first one begins the delay, and is accepted; the end of the delay is a deadline.
                row(1_000_000, heard(1_000_000, 20, 99), &[], State::Backup, 4_609_375),
                row(3_500_000, heard(3_500_000, 20, 99), &[], State::Backup, 6_000_000),
                row(5_500_000, heard(5_500_000, 20, 99), &[], State::Backup, 6_000_000),
                row(6_000_000, Input::Timer, &[], State::Backup, 9_109_375),
                // From now on they are discarded; what remains of Active_Down_Interval runs out.
                row(6_500_000, heard(6_500_000, 20, 99), &[], State::Backup, 9_109_375),
                row(8_500_000, heard(8_500_000, 20, 99), &[], State::Backup, 9_109_375),
                row(
                    9_109_375,
                    Input::Timer,
                    &takeover(State::Backup, reason, 100),
                    State::Active,
                    10_109_375,
                ),
            ],
        );
        check(
            "an equal or higher router clears it",
            delayed(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 99), &[], State::Backup, 4_609_375),
                row(2_000_000, heard(2_000_000, 30, 100), &[], State::Backup, 5_609_375),
                row(5_000_000, heard(5_000_000, 20, 99), &[], State::Backup, 8_609_375),
                row(8_000_000, heard(8_000_000, 20, 99), &[], State::Backup, 10_000_000),
            ],
        );
        let last = Some(peer(20, 99, 1_000_000));
        let reason = Reason::NoAdvertisement { last, silence: micros(3_609_375) };
        check(
            "it does not hold up a takeover from the silent",
            delayed(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 99), &[], State::Backup, 4_609_375),
                row(4_609_375, Input::Timer, &takeover(State::Backup, reason, 100), State::Active, 5_609_375),
            ],
        );
        let resigned = Reason::Resigned { source: host(20) };
        check(
            "nor from one that resigns",
            delayed(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 99), &[], State::Backup, 4_609_375),
                row(2_000_000, heard(2_000_000, 20, 0), &[], State::Backup, 2_609_375),
                row(
                    2_609_375,
                    Input::Timer,
                    &takeover(State::Backup, resigned, 100),
                    State::Active,
                    3_609_375,
                ),
            ],
        );
        check(
            "handed in late, what was received after its end is discarded",
            delayed(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 99), &[], State::Backup, 4_609_375),
                row(7_000_000, heard(4_000_000, 20, 99), &[], State::Backup, 6_000_000),
                row(7_000_000, heard(6_500_000, 20, 99), &[], State::Backup, 6_000_000),
                row(7_000_000, Input::Timer, &[], State::Backup, 7_609_375),
            ],
        );
    }
}

#[test]
fn the_receive_path_knows_when_a_lower_priority_counts() {
    let standing = |router: &VirtualRouter, now| {
        let standing = router.standing(at(now));
        (standing.priority(), standing.active(), standing.preempt(), standing.watch_losing())
    };
    for version in VERSIONS {
        let mut router = VirtualRouter::new(delayed(version));
        assert_eq!(standing(&router, 0), (100, false, true, false), "Initialize");
        let _ = router.handle(Input::Startup, at(0));
        assert_eq!(standing(&router, 0), (100, false, false, true), "not begun");
        let _ = router.handle(heard(1_000_000, 20, 99), at(1_000_000));
        let _ = router.handle(heard(4_000_000, 20, 99), at(4_000_000));
        assert_eq!(standing(&router, 5_999_999), (100, false, false, true), "running");
        assert_eq!(standing(&router, 6_000_000), (100, false, true, false), "over");
        let _ = router.handle(Input::Timer, at(6_000_000));
        assert_eq!(standing(&router, 6_000_000), (100, false, true, false), "over");
        let _ = router.handle(heard(6_100_000, 30, 101), at(6_100_000));
        assert_eq!(standing(&router, 6_100_000), (100, false, false, true), "cleared");
        let _ = router.handle(Input::Timer, at(99_000_000));
        assert_eq!(standing(&router, 99_000_000), (100, true, true, false), "Active");

        let mut router = VirtualRouter::new(nopreempt(version));
        let _ = router.handle(Input::Startup, at(0));
        assert_eq!(standing(&router, 0), (100, false, false, false), "nopreempt");
        let mut router = VirtualRouter::new(parameters(version));
        let _ = router.handle(Input::Startup, at(0));
        let _ = router.handle(Input::Priority(103), at(0));
        assert_eq!(standing(&router, 0), (103, false, true, false), "preempt");
    }
}
