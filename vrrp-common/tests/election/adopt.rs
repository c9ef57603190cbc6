//! A daemon that succeeds another one: within the lease it goes on, after it it starts like any other.

use super::*;

/// The lease that the daemon before left: granted at 3.609375 s, until 6.594375 s.
const LEFT: fn() -> Lease = || Lease { granted: at(3_609_375), until: at(6_594_375) };

fn adopted(left: u64) -> [Action; 4] {
    let reason = Reason::Adopted { left: micros(left) };
    [
        transition(State::Initialize, State::Active, reason),
        advertise(100),
        Action::Acquire,
        Action::Announce(Announcement::Takeover),
    ]
}

fn adoption() -> [Row; 2] {
    [
        row(5_000_000, Input::Adopt(LEFT()), &adopted(1_594_375), State::Active, 6_000_000),
        row(5_000_000, sent(5_000_000), &[grant(5_000_000, 7_985_000)], State::Active, 6_000_000),
    ]
}

#[test]
fn within_the_lease_it_advertises_at_once_and_goes_on() {
    for version in VERSIONS {
        check("adoption", parameters(version), adoption().into());
        let next = row(6_000_000, Input::Timer, &[advertise(100)], State::Active, 7_000_000);
        check("own cadence", parameters(version), adoption().into_iter().chain([next]).collect());
    }
}

#[test]
fn from_the_end_of_the_lease_on_it_starts_as_backup() {
    for version in VERSIONS {
        let start = transition(State::Initialize, State::Backup, Reason::Started);
        for (now, deadline) in [(6_594_375, 10_203_750), (9_000_000, 12_609_375)] {
            let rows = vec![row(now, Input::Adopt(LEFT()), &[start], State::Backup, deadline)];
            check("too late", parameters(version), rows);
        }
    }
}

#[test]
fn an_adopted_router_yields_and_resigns_like_any_active() {
    for version in VERSIONS {
        let reason = Reason::Outranked { by: peer(20, 101, 5_100_000), ours: 100 };
        let yields = [transition(State::Active, State::Backup, reason), Action::Close, Action::Release];
        let better = row(5_100_000, heard(5_100_000, 20, 101), &yields, State::Backup, 8_709_375);
        check("yields", parameters(version), adoption().into_iter().chain([better]).collect());

        let resigns = [
            transition(State::Active, State::Initialize, Reason::Shutdown),
            Action::Close,
            RESIGN,
            Action::Release,
        ];
        let stop = row(5_200_000, Input::Shutdown, &resigns, State::Initialize, None);
        check("resigns", parameters(version), adoption().into_iter().chain([stop]).collect());
    }
}

#[test]
fn a_fault_that_came_between_two_daemons_is_resigned_from() {
    for version in VERSIONS {
        let faulted = [faulted(State::Active, Fault::LinkDown), Action::Close, RESIGN];
        let down = Input::Eligibility(Some(Fault::LinkDown));
        let rows = vec![
            row(5_000_000, down, &[], State::Initialize, None),
            row(5_000_000, Input::Adopt(LEFT()), &faulted, State::Fault, None),
        ];
        check("fault", parameters(version), rows);
    }
}

/// Nothing could be sent before the lease ran out, and another router took over: it keeps the addresses.
#[test]
fn who_could_not_send_in_time_steps_back() {
    for version in VERSIONS {
        let reason = Reason::Stalled { silence: micros(3_890_625), by: peer(20, 99, 7_300_000) };
        let steps_back = [transition(State::Active, State::Backup, reason), Action::Close, Action::Release];
        let rows = vec![
            row(5_000_000, Input::Adopt(LEFT()), &adopted(1_594_375), State::Active, 6_000_000),
            row(7_500_000, heard(7_300_000, 20, 99), &steps_back, State::Backup, 11_109_375),
        ];
        check("mute", parameters(version), rows);
    }
}

#[test]
fn only_a_router_that_has_not_started_adopts() {
    for version in VERSIONS {
        let rows = vec![started(), row(1, Input::Adopt(LEFT()), &[], State::Backup, 3_609_375)];
        check("started", parameters(version), rows);
    }
}
