//! The lease, and what follows when the host slept past it (the stall of the design's fifth section).

use super::*;

const STALL: Action = Action::Announce(Announcement::AfterStall);

fn stalled(number: u8, priority: u8, time: u64, silence: u64) -> [Action; 3] {
    let reason = Reason::Stalled { silence: micros(silence), by: peer(number, priority, time) };
    [transition(State::Active, State::Backup, reason), Action::Close, Action::Release]
}

#[test]
fn every_send_that_the_kernel_took_renews_the_lease() {
    for version in VERSIONS {
        check(
            "granted before the turn looked, until counted from the send",
            parameters(version),
            active_then([
                row(4_700_000, Input::Timer, &[advertise(100)], State::Active, 5_609_375),
                row(
                    4_700_400,
                    Input::Sent { granted: at(4_700_000), sent: at(4_700_300) },
                    &[grant(4_700_000, 7_685_300)],
                    State::Active,
                    5_609_375,
                ),
            ]),
        );
        let lazy = Parameters { down_timer_adverts: 1, ..parameters(version) };
        let mut router = VirtualRouter::new(lazy);
        let _ = router.handle(Input::Startup, at(0));
        let _ = router.handle(Input::Timer, at(1_609_375));
        let unguarded: Vec<_> = router.handle(sent(1_609_375), at(1_609_375)).into_iter().collect();
        let expected = [Action::Acquire, Action::Announce(Announcement::Takeover)];
        assert_eq!(unguarded, expected, "down_timer_adverts 1: no lease");
        assert_eq!((router.state(), router.lease()), (State::Active, None));
        check(
            "a Sent that is too late is nothing",
            parameters(version),
            vec![
                row(0, sent(0), &[], State::Initialize, None),
                started(),
                row(1, sent(1), &[], State::Backup, 3_609_375),
            ],
        );
    }
}

#[test]
fn who_slept_past_the_lease_leaves_the_addresses_to_whoever_took_over() {
    for version in VERSIONS {
        for (name, number, priority) in
            [("lower", 20, 99), ("higher", 20, 101), ("equal, lower address", 5, 100)]
        {
            // The last send was at 3.609375 s, the lease ended at 6.594375 s, the other took over at 7.2 s.
            // The timer counts from the awakening, so that advertisements that waited meanwhile do not bring
            // the preemption forward.
            check(
                name,
                parameters(version),
                active_then([
                    row(
                        10_000_000,
                        heard(7_200_000, number, priority),
                        &stalled(number, priority, 7_200_000, 6_390_625),
                        State::Backup,
                        13_609_375,
                    ),
                    row(10_000_000, heard(8_200_000, number, priority), &[], State::Backup, 13_609_375),
                    row(10_000_000, Input::Timer, &[], State::Backup, 13_609_375),
                ]),
            );
        }
        let stall = stalled(20, 110, 7_200_000, 6_390_625);
        let [fast, slow] = [1_000_000, 2_000_000];
        // A slower router was heard, too: at 2 s its word lasts for 7.21875 s (version 3).
        let until = if version == Version::V3 { 16_218_750 } else { 13_609_375 };
        check(
            "not before all who were heard meanwhile have fallen silent",
            parameters(version),
            active_then([
                row(10_000_000, heard_with(7_200_000, 20, 110, fast), &stall, State::Backup, 13_609_375),
                row(10_000_000, heard_with(9_000_000, 30, 109, slow), &[], State::Backup, until),
            ]),
        );
        let by = peer(20, 99, 13_200_000);
        let reason = Reason::Preempting { lower: by, ours: 100 };
        check(
            "ordinary preemption takes them back",
            parameters(version),
            active_then([
                row(
                    10_000_000,
                    heard(7_200_000, 20, 99),
                    &stalled(20, 99, 7_200_000, 6_390_625),
                    State::Backup,
                    13_609_375,
                ),
                row(13_200_000, heard(13_200_000, 20, 99), &[], State::Backup, 13_609_375),
                row(
                    13_609_375,
                    Input::Timer,
                    &takeover(State::Backup, reason, 100),
                    State::Active,
                    14_609_375,
                ),
            ]),
        );
    }
}

#[test]
fn a_stall_within_the_lease_is_lateness() {
    for version in VERSIONS {
        let rows = active_then([
            // One nanosecond-exact step before the end, and at the end.
            row(6_594_374, heard(6_000_000, 20, 99), &[advertise(100), LOSING], State::Active, 4_609_375),
            row(6_594_374, Input::Timer, &[advertise(100)], State::Active, 6_609_375),
        ]);
        check("half asleep", parameters(version), rows);
        let rows = [row(
            6_594_375,
            heard(6_000_000, 20, 99),
            &stalled(20, 99, 6_000_000, 2_985_000),
            State::Backup,
            10_203_750,
        )];
        check("asleep", parameters(version), active_then(rows));
    }
}

const LOSING: Action = Action::Announce(Announcement::LosingActive);

#[test]
fn nobody_took_over() {
    for version in VERSIONS {
        check(
            "advertise, renew, announce again",
            parameters(version),
            active_then([
                row(10_000_000, Input::Timer, &[advertise(100)], State::Active, 10_609_375),
                row(
                    10_000_000,
                    sent(10_000_000),
                    &[grant(10_000_000, 12_985_000), STALL],
                    State::Active,
                    10_609_375,
                ),
                row(10_609_375, Input::Timer, &[advertise(100)], State::Active, 11_609_375),
                row(
                    10_609_375,
                    sent(10_609_375),
                    &[grant(10_609_375, 13_594_375)],
                    State::Active,
                    11_609_375,
                ),
            ]),
        );
        check(
            "a resignation is no takeover",
            parameters(version),
            active_then([
                row(10_000_000, heard(9_000_000, 20, 0), &[advertise(100)], State::Active, 4_609_375),
                row(
                    10_000_000,
                    sent(10_000_000),
                    &[grant(10_000_000, 12_985_000), STALL],
                    State::Active,
                    4_609_375,
                ),
                row(10_000_000, Input::Timer, &[advertise(100)], State::Active, 10_609_375),
            ]),
        );
        check(
            "what was received before the last send was overruled by it",
            parameters(version),
            active_then([row(
                10_000_000,
                heard(3_609_375, 20, 99),
                &[advertise(100), LOSING],
                State::Active,
                4_609_375,
            )]),
        );
    }
}

#[test]
fn sends_that_fail() {
    for version in VERSIONS {
        let failing = |now, next| row(now, Input::Timer, &[advertise(100)], State::Active, next);
        check(
            "the lease runs out, and the first success opens and announces",
            parameters(version),
            active_then([
                failing(4_609_375, 5_609_375),
                failing(5_609_375, 6_609_375),
                failing(6_609_375, 7_609_375),
                row(
                    6_609_375,
                    sent(6_609_375),
                    &[grant(6_609_375, 9_594_375), STALL],
                    State::Active,
                    7_609_375,
                ),
            ]),
        );
        let silent = Reason::NoAdvertisement { last: None, silence: micros(3_609_375) };
        check(
            "the takeover's own send fails",
            parameters(version),
            vec![
                started(),
                row(3_609_375, Input::Timer, &takeover(State::Backup, silent, 100), State::Active, 4_609_375),
                failing(4_609_375, 5_609_375),
                // A loser is answered, but we have nothing to announce yet.
                row(4_700_000, heard(4_700_000, 20, 99), &[advertise(100)], State::Active, 5_609_375),
                failing(5_609_375, 6_609_375),
                row(
                    5_609_375,
                    sent(5_609_375),
                    &acquire(grant(5_609_375, 8_594_375)),
                    State::Active,
                    6_609_375,
                ),
            ],
        );
        let silent = Reason::NoAdvertisement { last: None, silence: micros(3_609_375) };
        let gone = transition(State::Active, State::Initialize, Reason::Shutdown);
        check(
            "no send ever succeeded: there is nothing to release",
            parameters(version),
            vec![
                started(),
                row(3_609_375, Input::Timer, &takeover(State::Backup, silent, 100), State::Active, 4_609_375),
                row(4_000_000, Input::Shutdown, &[gone, Action::Close, RESIGN], State::Initialize, None),
            ],
        );
        check(
            "somebody takes over because nothing of ours arrives",
            parameters(version),
            active_then([
                failing(4_609_375, 5_609_375),
                failing(5_609_375, 6_609_375),
                // The lease is still open: an ordinary loser.
                row(6_590_000, heard(6_590_000, 20, 99), &[advertise(100), LOSING], State::Active, 6_609_375),
                row(
                    6_609_375,
                    Input::Timer,
                    &stalled(20, 99, 6_590_000, 3_000_000),
                    State::Backup,
                    10_218_750,
                ),
            ]),
        );
    }
}
