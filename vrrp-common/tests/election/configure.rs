//! Settings that change while the router runs, and what an operator orders.

use super::*;

fn every(millis: u64, version: Version) -> Parameters {
    Parameters { advertisement_interval: Interval::from_millis(millis), ..parameters(version) }
}

fn advertise_every(millis: u64) -> Action {
    Action::Advertise { priority: 100, interval: Interval::from_millis(millis), copies: 1 }
}

/// Three advertisements tell of the longer interval before cadence and lease follow it.
#[test]
fn a_longer_interval_takes_effect_when_the_backups_know_of_it() {
    for version in VERSIONS {
        let mut rows =
            vec![row(4_000_000, Input::Configure(every(5_000, version)), &[], State::Active, 4_609_375)];
        for (now, next) in [(4_609_375, 5_609_375), (5_609_375, 6_609_375), (6_609_375, 7_609_375)] {
            rows.push(row(now, Input::Timer, &[advertise_every(5_000)], State::Active, next));
            // Three seconds, less half a percent.
            rows.push(row(now, sent(now), &[grant(now, now + 2_985_000)], State::Active, next));
        }
        let (now, next) = (7_609_375, 12_609_375);
        rows.push(row(now, Input::Timer, &[advertise_every(5_000)], State::Active, next));
        // Fifteen seconds, less half a percent.
        rows.push(row(now, sent(now), &[grant(now, now + 14_925_000)], State::Active, next));
        check("from 1 s to 5 s", parameters(version), active_then(rows));
    }
}

#[test]
fn a_shorter_interval_takes_effect_at_once() {
    check(
        "from 1 s to 0.1 s",
        parameters(Version::V3),
        active_then([
            row(4_000_000, Input::Configure(every(100, Version::V3)), &[], State::Active, 4_100_000),
            row(4_100_000, Input::Timer, &[advertise_every(100)], State::Active, 4_200_000),
            // 0.3 s, less half a percent.
            row(4_100_000, sent(4_100_000), &[grant(4_100_000, 4_398_500)], State::Active, 4_200_000),
        ]),
    );
}

#[test]
fn a_backup_goes_on_with_its_timer() {
    for version in VERSIONS {
        let patient = Parameters { down_timer_adverts: 5, preempt: false, ..parameters(version) };
        check(
            "more adverts in the down timer",
            parameters(version),
            vec![
                started(),
                row(1_000_000, heard(1_000_000, 20, 150), &[], State::Backup, 4_609_375),
                row(2_000_000, Input::Configure(patient), &[], State::Backup, 6_609_375),
                row(2_500_000, Input::Configure(parameters(version)), &[], State::Backup, 4_609_375),
            ],
        );
    }
}

/// The effective priority is told beside the base, but for an owner's, which nothing moves.
#[test]
fn an_owner_is_made_and_unmade_in_place() {
    let mut router = VirtualRouter::new(parameters(Version::V3));
    let _ = router.handle(Input::Startup, at(0));
    let _ = router.handle(Input::Configure(owner(Version::V3)), at(1));
    assert_eq!(router.priority(), 255);
    let _ = router.handle(Input::Configure(parameters(Version::V3)), at(2));
    assert_eq!(router.priority(), 100);
    let _ = router.handle(Input::Source(host(77)), at(3));
    let _ = router.handle(Input::Configure(parameters(Version::V3)), at(4));
    assert_eq!(router.parameters().source, host(77), "the primary address stays as last told");
}

#[test]
fn who_steps_down_says_farewell_and_listens() {
    for version in VERSIONS {
        let down =
            [transition(State::Active, State::Backup, Reason::Asked), Action::Close, RESIGN, Action::Release];
        check(
            "step down",
            parameters(version),
            active_then([
                row(4_000_000, Input::StepDown(Reason::Asked), &down, State::Backup, 7_609_375),
                row(4_000_001, Input::StepDown(Reason::Asked), &[], State::Backup, 7_609_375),
            ]),
        );
    }
}

#[test]
fn who_is_told_to_take_over_does_not_wait() {
    for version in VERSIONS {
        check(
            "take over",
            parameters(version),
            vec![
                row(0, Input::TakeOver(Reason::Asked), &[], State::Initialize, None),
                started(),
                row(
                    1_000_000,
                    Input::TakeOver(Reason::Asked),
                    &takeover(State::Backup, Reason::Asked, 100),
                    State::Active,
                    2_000_000,
                ),
            ],
        );
    }
}

/// In a group even an owner listens first.
#[test]
fn an_owner_may_be_told_to_listen_first() {
    let mut router = VirtualRouter::new(owner(Version::V3));
    router.listen_first(true);
    let _ = router.handle(Input::Startup, at(0));
    assert_eq!(
        (router.state(), router.takeover_due()),
        (State::Backup, Some(at(3_003_906).after(Interval::from_nanos(250))))
    );
}
