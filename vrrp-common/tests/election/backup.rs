//! Initialize and Backup: RFC 9568 §6.4.1 and §6.4.2, rows T1 to T8, F1, F2, F6 to F8 of the reference.

use super::*;

#[test]
fn startup() {
    for version in VERSIONS {
        check("full Active_Down_Interval in Backup", parameters(version), vec![started()]);
        let takeover = takeover(State::Initialize, Reason::Owner, 255);
        let rows = vec![row(0, Input::Startup, &takeover, State::Active, 1_000_000)];
        check("the owner is Active at once", owner(version), rows);
        check(
            "a second Startup is nothing",
            parameters(version),
            vec![started(), row(9, Input::Startup, &[], State::Backup, 3_609_375)],
        );
    }
}

#[test]
fn shutdown_in_backup_is_silent() {
    let gone = transition(State::Backup, State::Initialize, Reason::Shutdown);
    for version in VERSIONS {
        check(
            "Shutdown",
            parameters(version),
            vec![
                row(0, Input::Shutdown, &[], State::Initialize, None),
                started(),
                row(5, Input::Shutdown, &[gone], State::Initialize, None),
                row(6, heard(6, 20, 0), &[], State::Initialize, None),
                row(9_000_000, Input::Timer, &[], State::Initialize, None),
            ],
        );
    }
}

#[test]
fn the_down_timer_fires() {
    for version in VERSIONS {
        let silent = Reason::NoAdvertisement { last: None, silence: micros(3_609_375) };
        check(
            "nothing heard",
            parameters(version),
            vec![
                started(),
                row(3_609_374, Input::Timer, &[], State::Backup, 3_609_375),
                row(3_609_375, Input::Timer, &takeover(State::Backup, silent, 100), State::Active, 4_609_375),
            ],
        );
        let last = Some(peer(20, 101, 1_000_000));
        let silent = Reason::NoAdvertisement { last, silence: micros(3_700_000) };
        check(
            "an Active fell silent, and the wake is late",
            parameters(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 101), &[], State::Backup, 4_609_375),
                row(4_700_000, Input::Timer, &takeover(State::Backup, silent, 100), State::Active, 5_700_000),
            ],
        );
    }
}

#[test]
fn priority_zero_leaves_skew_time() {
    for version in VERSIONS {
        let resigned = Reason::Resigned { source: host(20) };
        check(
            "from the Active",
            parameters(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 101), &[], State::Backup, 4_609_375),
                row(1_300_000, heard(1_300_000, 20, 0), &[], State::Backup, 1_909_375),
                row(
                    1_909_375,
                    Input::Timer,
                    &takeover(State::Backup, resigned, 100),
                    State::Active,
                    2_909_375,
                ),
            ],
        );
        check(
            "from anybody while no Active is known",
            parameters(version),
            vec![started(), row(100_000, heard(100_000, 20, 0), &[], State::Backup, 709_375)],
        );
        check(
            "from a stranger while the Active is heard",
            parameters(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 101), &[], State::Backup, 4_609_375),
                row(1_300_000, heard(1_300_000, 30, 0), &[], State::Backup, 4_609_375),
            ],
        );
        check(
            "from a stranger when the Active has fallen silent",
            parameters(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 101), &[], State::Backup, 4_609_375),
                row(4_700_000, heard(4_650_000, 30, 0), &[], State::Backup, 5_259_375),
            ],
        );
        check(
            "from the lower router that we are about to preempt",
            parameters(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 99), &[], State::Backup, 3_609_375),
                row(1_100_000, heard(1_100_000, 30, 0), &[], State::Backup, 3_609_375),
                row(1_200_000, heard(1_200_000, 20, 0), &[], State::Backup, 1_809_375),
            ],
        );
        check(
            "its copies, or a flood of strangers, do not put the takeover off",
            parameters(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 101), &[], State::Backup, 4_609_375),
                row(1_300_000, heard(1_300_000, 20, 0), &[], State::Backup, 1_909_375),
                row(1_300_010, heard(1_300_010, 20, 0), &[], State::Backup, 1_909_375),
                row(1_900_000, heard(1_900_000, 30, 0), &[], State::Backup, 1_909_375),
                row(
                    1_909_375,
                    Input::Timer,
                    &takeover(State::Backup, resigned, 100),
                    State::Active,
                    2_909_375,
                ),
            ],
        );
        check(
            "an advertisement after it restarts the whole timer",
            parameters(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 0), &[], State::Backup, 1_609_375),
                row(1_100_000, heard(1_100_000, 30, 100), &[], State::Backup, 4_709_375),
            ],
        );
    }
}

#[test]
fn whose_advertisements_restart_the_timer() {
    for version in VERSIONS {
        for (name, parameters, priority, deadline) in [
            ("higher", parameters(version), 101, 4_609_375),
            ("equal: the tie is broken only in Active", parameters(version), 100, 4_609_375),
            ("lower, preempting", parameters(version), 99, 3_609_375),
            ("lower, nopreempt", nopreempt(version), 1, 4_609_375),
        ] {
            // The address never matters in Backup: one below and one above our own.
            for number in [5, 20] {
                let row = row(1_000_000, heard(1_000_000, number, priority), &[], State::Backup, deadline);
                check(name, parameters, vec![started(), row]);
            }
        }
        check(
            "our own address",
            parameters(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 10, 200), &[], State::Backup, 3_609_375),
                row(1_000_000, heard(1_000_000, 10, 0), &[], State::Backup, 3_609_375),
            ],
        );
    }
}

#[test]
fn a_lower_active_is_preempted_when_the_timer_runs_out() {
    for version in VERSIONS {
        let reason = Reason::Preempting { lower: peer(20, 99, 3_100_000), ours: 100 };
        check(
            "preempt",
            parameters(version),
            vec![
                started(),
                row(100_000, heard(100_000, 20, 99), &[], State::Backup, 3_609_375),
                row(3_100_000, heard(3_100_000, 20, 99), &[], State::Backup, 3_609_375),
                row(3_609_375, Input::Timer, &takeover(State::Backup, reason, 100), State::Active, 4_609_375),
            ],
        );
        let last = Some(peer(20, 99, 100_000));
        let reason = Reason::NoAdvertisement { last, silence: micros(3_509_375) };
        check(
            "it was silent for two intervals: nobody is preempted",
            parameters(version),
            vec![
                started(),
                row(100_000, heard(100_000, 20, 99), &[], State::Backup, 3_609_375),
                row(3_609_375, Input::Timer, &takeover(State::Backup, reason, 100), State::Active, 4_609_375),
            ],
        );
    }
}

#[test]
fn timers_count_from_the_kernels_time() {
    for version in VERSIONS {
        check(
            "handed in late",
            parameters(version),
            vec![started(), row(3_000_000, heard(1_000_000, 20, 101), &[], State::Backup, 4_609_375)],
        );
        check(
            "received after the deadline, before the host woke",
            parameters(version),
            vec![
                started(),
                row(9_000_000, heard(8_000_000, 20, 101), &[], State::Backup, 11_609_375),
                row(9_000_000, Input::Timer, &[], State::Backup, 11_609_375),
            ],
        );
        check(
            "older than what set the timer",
            parameters(version),
            vec![
                started(),
                row(3_000_000, heard(2_000_000, 20, 101), &[], State::Backup, 5_609_375),
                row(3_000_000, heard(1_000_000, 20, 101), &[], State::Backup, 5_609_375),
                row(3_000_000, heard(1_500_000, 20, 0), &[], State::Backup, 5_609_375),
            ],
        );
        check(
            "a stamp from the future counts as now",
            parameters(version),
            vec![started(), row(1_000_000, heard(99_000_000, 20, 101), &[], State::Backup, 4_609_375)],
        );
    }
}

#[test]
fn version_3_learns_the_actives_interval_and_version_2_does_not() {
    for (version, interval, skew, deadline) in [
        (Version::V3, 100_000, 60_937_500, 1_360_937), // 360937.5 us: checked below to the nanosecond
        (Version::V2, 1_000_000, 609_375_000, 4_609_375),
    ] {
        let mut router = VirtualRouter::new(parameters(version));
        let _ = router.handle(Input::Startup, at(0));
        let _ = router.handle(heard_with(1_000_000, 20, 101, 100_000), at(1_000_000));
        assert_eq!(router.active_adver_interval(), micros(interval));
        assert_eq!(router.skew_time().as_nanos(), skew);
        assert_eq!(router.deadline().map(|due| due.as_nanos() / 1_000), Some(deadline));
        assert_eq!(router.active_peer(), Some(peer(20, 101, 1_000_000)));
        // A discarded advertisement teaches nothing.
        let _ = router.handle(heard_with(1_010_000, 30, 99, 50_000), at(1_010_000));
        assert_eq!(router.active_adver_interval(), micros(interval));
        // On becoming Active our own interval counts again.
        let _ = router.handle(Input::Timer, at(5_000_000));
        assert_eq!((router.state(), router.active_peer()), (State::Active, None));
        assert_eq!(router.active_adver_interval(), micros(1_000_000));
        assert_eq!(router.active_down_interval(), micros(3_609_375));
    }
}

#[test]
fn one_active_does_not_speak_for_another() {
    // With 160 ms: 3 * 160 + 160 * 156 / 256 = 577.5 ms.
    check(
        "a shorter interval",
        parameters(Version::V3),
        vec![
            started(),
            row(1_000_000, heard(1_000_000, 20, 110), &[], State::Backup, 4_609_375),
            row(1_100_000, heard_with(1_100_000, 30, 120, 160_000), &[], State::Backup, 4_609_375),
            row(4_500_000, heard_with(4_500_000, 30, 120, 160_000), &[], State::Backup, 5_077_500),
        ],
    );
    check(
        "but a router's new interval replaces its old one",
        parameters(Version::V3),
        vec![
            started(),
            row(1_000_000, heard(1_000_000, 20, 110), &[], State::Backup, 4_609_375),
            row(1_100_000, heard_with(1_100_000, 20, 110, 160_000), &[], State::Backup, 1_677_500),
        ],
    );
    for version in VERSIONS {
        let mut router = check(
            "a farewell",
            parameters(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 110), &[], State::Backup, 4_609_375),
                row(1_100_000, heard(1_100_000, 30, 120), &[], State::Backup, 4_709_375),
                row(1_200_000, heard(1_200_000, 30, 0), &[], State::Backup, 4_609_375),
                row(1_300_000, heard(1_300_000, 20, 0), &[], State::Backup, 1_909_375),
            ],
        );
        assert_eq!(router.active_peer(), None);
        let _ = router.handle(heard(1_400_000, 40, 130), at(1_400_000));
        let _ = router.handle(heard(1_500_000, 50, 120), at(1_500_000));
        assert_eq!(router.active_peer(), Some(peer(40, 130, 1_400_000)), "the better of two");
        // Four at a time are remembered: the fourth farewell leaves Skew_Time, not an earlier one.
        for number in 60..64 {
            let _ = router.handle(heard(1_600_000, number, 120), at(1_600_000));
        }
        for (number, deadline) in [(63, 5_209_375), (62, 5_209_375), (61, 5_209_375), (60, 2_309_375)] {
            let _ = router.handle(heard(1_700_000, number, 0), at(1_700_000));
            assert_eq!(router.deadline(), Some(at(deadline)), "192.0.2.{number}");
        }
    }
}

#[test]
fn a_change_of_priority_shifts_the_timer_by_the_difference_of_the_skews() {
    for version in VERSIONS {
        // Skew_Time at 1 s: 218750 us at 200, 996093.75 us at 1, 7812.5 us at 254.
        let raised = check(
            "raised",
            parameters(version),
            vec![
                started(),
                row(1, Input::Priority(200), &[], State::Backup, 3_218_750),
                row(2, Input::Priority(100), &[], State::Backup, 3_609_375),
                row(3, heard(3, 20, 0), &[], State::Backup, 609_378),
                row(4, Input::Priority(200), &[], State::Backup, 218_753),
            ],
        );
        assert_eq!(raised.priority(), 200);
        for (asked, effective, down) in [(0, 1, 3_996_093_750), (255, 254, 3_007_812_500)] {
            let mut router = VirtualRouter::new(parameters(version));
            let _ = router.handle(Input::Startup, at(0));
            let _ = router.handle(Input::Priority(asked), at(1));
            assert_eq!(router.priority(), effective);
            assert_eq!(router.deadline(), Some(Instant::from_nanos(down)));
        }
        let owner = check(
            "an owner's never moves",
            owner(version),
            vec![row(0, Input::Priority(10), &[], State::Initialize, None)],
        );
        assert_eq!(owner.priority(), 255);
    }
}

#[test]
fn the_owner_preempts_whatever_the_configuration_says() {
    for version in VERSIONS {
        let stubborn = Parameters { preempt: false, preempt_delay: micros(9_000_000), ..owner(version) };
        let mut router = VirtualRouter::new(stubborn);
        let _ = router.handle(Input::Startup, at(0));
        // A second owner with a higher address turns it away.
        let _ = router.handle(heard(10, 20, 255), at(10));
        assert_eq!(router.state(), State::Backup);
        assert!(router.standing(at(10)).preempt());
        assert!(!router.standing(at(10)).watch_losing());
        // Skew_Time is 3906.25 us at priority 255: the timer does not move for a lower one.
        let down = Some(Instant::from_nanos(10_000 + 3_003_906_250));
        assert_eq!(router.deadline(), down);
        let _ = router.handle(heard(1_000_000, 30, 254), at(1_000_000));
        assert_eq!(router.deadline(), down);
    }
}
