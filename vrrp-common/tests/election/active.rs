//! Active: RFC 9568 §6.4.3, rows F1 to F6 of the reference, own cadence and the limit on answers.

use super::*;

const LOSING: Action = Action::Announce(Announcement::LosingActive);
const SILENT: Action = Action::Announce(Announcement::LosingSilent);

#[test]
fn own_cadence_is_a_grid() {
    for version in VERSIONS {
        check(
            "on time, late, and late by several intervals",
            parameters(version),
            active_then([
                row(4_609_374, Input::Timer, &[], State::Active, 4_609_375),
                row(4_609_375, Input::Timer, &[advertise(100)], State::Active, 5_609_375),
                row(4_609_375, sent(4_609_375), &[grant(4_609_375, 7_594_375)], State::Active, 5_609_375),
                // 0.3 s late: the next is due when it would have been.
                row(5_909_375, Input::Timer, &[advertise(100)], State::Active, 6_609_375),
                row(5_909_375, sent(5_909_375), &[grant(5_909_375, 8_894_375)], State::Active, 6_609_375),
                // 2.2 s late: one advertisement, not three.
                row(8_809_375, Input::Timer, &[advertise(100)], State::Active, 9_609_375),
            ]),
        );
    }
}

#[test]
fn shutdown_closes_before_it_resigns() {
    let gone = transition(State::Active, State::Initialize, Reason::Shutdown);
    for version in VERSIONS {
        let actions = [gone, Action::Close, RESIGN, Action::Release];
        let rows = active_then([row(4_000_000, Input::Shutdown, &actions, State::Initialize, None)]);
        check("Shutdown", parameters(version), rows);
    }
}

#[test]
fn a_better_router_is_given_way_without_a_word() {
    for version in VERSIONS {
        for (name, number, priority) in [
            ("higher priority", 20, 101),
            ("higher priority, lower address", 5, 101),
            ("higher address", 20, 100),
        ] {
            for parameters in [parameters(version), nopreempt(version)] {
                let by = peer(number, priority, 4_000_000);
                let reason = Reason::Outranked { by, ours: 100 };
                let leave =
                    [transition(State::Active, State::Backup, reason), Action::Close, Action::Release];
                // Handled 0.1 s after it was received: the timer counts from there.
                let rows =
                    [row(4_100_000, heard(4_000_000, number, priority), &leave, State::Backup, 7_609_375)];
                check(name, parameters, active_then(rows));
            }
        }
    }
    let reason = Reason::Outranked { by: peer(20, 101, 4_000_000), ours: 100 };
    let leave = [transition(State::Active, State::Backup, reason), Action::Close, Action::Release];
    check(
        "a Backup of version 3 goes by the new Active's interval",
        parameters(Version::V3),
        active_then([
            // 3 * 160 ms + 97.5 ms.
            row(4_000_000, heard_with(4_000_000, 20, 101, 160_000), &leave, State::Backup, 4_577_500),
        ]),
    );
}

#[test]
fn addresses_of_16_bytes_break_ties() {
    let v6 = |text: &str| Address::from(text.parse::<std::net::IpAddr>().unwrap());
    let ours = Parameters { source: v6("fe80::2"), ..parameters(Version::V3) };
    for (theirs, state) in
        [("fe80::1", State::Active), ("fe80::3", State::Backup), ("fe80::2", State::Active)]
    {
        let mut router = VirtualRouter::new(ours);
        let _ = router.handle(Input::Startup, at(0));
        let _ = router.handle(Input::Timer, at(4_000_000));
        let advert =
            Advertised { at: at(4_000_001), source: v6(theirs), priority: 100, interval: micros(1_000_000) };
        let _ = router.handle(Input::Advertisement(advert), at(4_000_001));
        assert_eq!(router.state(), state, "{theirs}");
    }
}

#[test]
fn a_losing_router_is_answered_and_overruled() {
    for version in VERSIONS {
        for (name, number, priority) in
            [("lower priority", 20, 99), ("lower address at equal priority", 5, 100)]
        {
            check(
                name,
                parameters(version),
                active_then([
                    row(
                        3_700_000,
                        heard(3_700_000, number, priority),
                        &[advertise(100), LOSING],
                        State::Active,
                        4_609_375,
                    ),
                    row(3_700_000, sent(3_700_000), &[grant(3_700_000, 6_685_000)], State::Active, 4_609_375),
                    // Within half an interval nothing is answered, within a second nothing announced.
                    row(4_199_999, heard(4_199_999, number, priority), &[], State::Active, 4_609_375),
                    row(
                        4_200_000,
                        heard(4_200_000, number, priority),
                        &[advertise(100)],
                        State::Active,
                        4_609_375,
                    ),
                    row(4_609_375, Input::Timer, &[advertise(100)], State::Active, 5_609_375),
                    row(
                        4_700_000,
                        heard(4_700_000, number, priority),
                        &[advertise(100), LOSING],
                        State::Active,
                        5_609_375,
                    ),
                    row(4_700_000, sent(4_700_000), &[grant(4_700_000, 7_685_000)], State::Active, 5_609_375),
                    row(5_609_375, Input::Timer, &[advertise(100)], State::Active, 6_609_375),
                    row(5_609_375, sent(5_609_375), &[grant(5_609_375, 8_594_375)], State::Active, 6_609_375),
                    row(6_609_375, Input::Timer, &[advertise(100)], State::Active, 6_700_000),
                    // Silent for two of its intervals: once more, and only once.
                    row(6_700_000, Input::Timer, &[SILENT], State::Active, 7_609_375),
                    row(7_609_375, Input::Timer, &[advertise(100)], State::Active, 8_609_375),
                ]),
            );
        }
        check(
            "a slow loser is waited for by its own interval",
            parameters(version),
            active_then([
                row(
                    4_000_000,
                    heard_with(4_000_000, 20, 99, 300_000),
                    &[advertise(100), LOSING],
                    State::Active,
                    4_600_000,
                ),
                row(4_600_000, Input::Timer, &[SILENT], State::Active, 4_609_375),
            ]),
        );
    }
}

#[test]
fn priority_zero_is_answered_and_moves_nothing() {
    for version in VERSIONS {
        check(
            "priority 0",
            parameters(version),
            active_then([
                row(4_000_000, heard(4_000_000, 20, 0), &[advertise(100)], State::Active, 4_609_375),
                // One limit for both kinds of answer.
                row(4_400_000, heard(4_400_000, 20, 99), &[LOSING], State::Active, 4_609_375),
                row(4_499_999, heard(4_499_999, 20, 0), &[], State::Active, 4_609_375),
                row(4_500_000, heard(4_500_000, 20, 0), &[advertise(100)], State::Active, 4_609_375),
            ]),
        );
        check(
            "our own address is never answered",
            parameters(version),
            active_then([
                row(4_000_000, heard(4_000_000, 10, 0), &[], State::Active, 4_609_375),
                row(4_000_000, heard(4_000_000, 10, 255), &[], State::Active, 4_609_375),
            ]),
        );
    }
}

#[test]
fn a_change_of_priority_goes_out_with_the_next_advertisement() {
    for version in VERSIONS {
        check(
            "lowered",
            parameters(version),
            active_then([
                row(4_000_000, Input::Priority(90), &[], State::Active, 4_609_375),
                row(4_609_375, Input::Timer, &[advertise(90)], State::Active, 5_609_375),
            ]),
        );
        let reason = Reason::Outranked { by: peer(5, 95, 4_100_000), ours: 64 };
        let leave = [transition(State::Active, State::Backup, reason), Action::Close, Action::Release];
        check(
            "but counts at once",
            parameters(version),
            active_then([
                row(4_000_000, Input::Priority(64), &[], State::Active, 4_609_375),
                // Skew_Time at priority 64 is 750 ms.
                row(4_100_000, heard(4_100_000, 5, 95), &leave, State::Backup, 7_850_000),
            ]),
        );
    }
}
