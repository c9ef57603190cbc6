//! Fault, which is ours, and inputs that come when nobody expects them.

use super::*;

#[test]
fn a_router_that_is_not_eligible_waits_in_fault() {
    let failing = Fault::CheckFailing(3);
    for version in VERSIONS {
        let recovered = transition(State::Fault, State::Backup, Reason::Recovered(failing));
        let router = check(
            "from the start",
            parameters(version),
            vec![
                row(0, Input::Eligibility(Some(Fault::LinkDown)), &[], State::Initialize, None),
                row(1, Input::Startup, &[faulted(State::Initialize, Fault::LinkDown)], State::Fault, None),
                row(2, heard(2, 20, 0), &[], State::Fault, None),
                row(3, Input::Timer, &[], State::Fault, None),
                row(4, Input::Eligibility(Some(failing)), &[], State::Fault, None),
                row(5, Input::Eligibility(None), &[recovered], State::Backup, 3_609_380),
                row(6, Input::Eligibility(None), &[], State::Backup, 3_609_380),
                row(
                    7,
                    Input::Eligibility(Some(failing)),
                    &[faulted(State::Backup, failing)],
                    State::Fault,
                    None,
                ),
            ],
        );
        assert_eq!(router.fault(), Some(failing));
        let gone = transition(State::Fault, State::Initialize, Reason::Shutdown);
        check(
            "and may shut down there",
            parameters(version),
            vec![
                started(),
                row(
                    7,
                    Input::Eligibility(Some(failing)),
                    &[faulted(State::Backup, failing)],
                    State::Fault,
                    None,
                ),
                row(8, Input::Shutdown, &[gone], State::Initialize, None),
            ],
        );
        let actions = [faulted(State::Active, Fault::LinkDown), Action::Close, RESIGN, Action::Release];
        check(
            "an Active resigns",
            parameters(version),
            active_then([row(
                4_000_000,
                Input::Eligibility(Some(Fault::LinkDown)),
                &actions,
                State::Fault,
                None,
            )]),
        );
    }
}

#[test]
fn an_owner_that_recovers_is_active_at_once() {
    for version in VERSIONS {
        let recovered = takeover(State::Fault, Reason::Recovered(Fault::LinkDown), 255);
        check(
            "recovery",
            owner(version),
            vec![
                row(0, Input::Eligibility(Some(Fault::LinkDown)), &[], State::Initialize, None),
                row(1, Input::Startup, &[faulted(State::Initialize, Fault::LinkDown)], State::Fault, None),
                row(2, Input::Eligibility(None), &recovered, State::Active, 1_000_002),
            ],
        );
    }
}

#[test]
fn what_is_told_before_the_start_counts() {
    for version in VERSIONS {
        let started = transition(State::Initialize, State::Backup, Reason::Started);
        let router = check(
            "priority and address",
            parameters(version),
            vec![
                row(0, Input::Priority(200), &[], State::Initialize, None),
                row(0, Input::Source(host(99)), &[], State::Initialize, None),
                row(0, Input::Startup, &[started], State::Backup, 3_218_750),
            ],
        );
        assert_eq!(router.parameters().source, host(99));
    }
}

#[test]
fn a_new_address_changes_the_tie_break() {
    for version in VERSIONS {
        let losing = [advertise(100), Action::Announce(Announcement::LosingActive)];
        check(
            "from the loser to the winner",
            parameters(version),
            active_then([
                row(4_000_000, Input::Source(host(30)), &[], State::Active, 4_609_375),
                row(4_000_001, heard(4_000_001, 20, 100), &losing, State::Active, 4_609_375),
            ]),
        );
    }
}

#[test]
fn nonsense_does_not_panic() {
    let nothing = Parameters {
        priority: 0,
        advertisement_interval: Interval::ZERO,
        down_timer_adverts: 0,
        ..parameters(Version::V3)
    };
    let endless = Parameters { advertisement_interval: Interval::from_nanos(u64::MAX), ..nothing };
    for parameters in [nothing, endless] {
        let mut router = VirtualRouter::new(parameters);
        for now in [0, 1, u64::MAX / 1_000, 5, u64::MAX / 1_000] {
            for input in [
                Input::Startup,
                Input::Timer,
                sent(now),
                heard_with(u64::MAX / 1_000, 20, 0, 0),
                heard_with(0, 20, 1, 0),
                heard_with(now, 9, 255, u64::MAX / 1_000),
                Input::Priority(0),
                Input::Timer,
            ] {
                let _ = router.handle(input, at(now));
            }
        }
    }
}
