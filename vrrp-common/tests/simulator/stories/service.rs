//! An ordinary life: checks, preemption, ties, cuts, clean stops.

use vrrp_common::election::Announcement;

use super::*;
use Disturbance::{Check, Cut, Link, Priority, Shutdown, Start};

#[test]
fn castor_and_pollux_in_five_steps() {
    // A good nginx adds 2 to the priority of its host.
    check(&Story {
        name: "five steps",
        hosts: vec![castor(), pollux()],
        events: &[
            (0, Priority(CASTOR, 103)),
            (0, Priority(POLLUX, 102)),
            (0, Start(CASTOR)),
            (0, Start(POLLUX)),
            (10_000, Priority(CASTOR, 101)),
            (20_000, Priority(POLLUX, 100)),
            (30_000, Priority(POLLUX, 102)),
            (40_000, Priority(CASTOR, 103)),
        ],
        end: 50_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.597656 castor: Backup -> Active: nothing heard for 3.59 s since start",
            "13.199318 pollux: Backup -> Active: preempting 192.0.2.1 (priority 101): ours is 102",
            "13.199418 castor: Active -> Backup: 192.0.2.2 (priority 102) outranks us (101)",
            "22.804887 castor: Backup -> Active: preempting 192.0.2.2 (priority 100): ours is 101",
            "22.804987 pollux: Active -> Backup: 192.0.2.1 (priority 101) outranks us (100)",
            "33.406550 pollux: Backup -> Active: preempting 192.0.2.1 (priority 101): ours is 102",
            "33.406650 castor: Active -> Backup: 192.0.2.2 (priority 102) outranks us (101)",
            "43.004306 castor: Backup -> Active: preempting 192.0.2.2 (priority 102): ours is 103",
            "43.004406 pollux: Active -> Backup: 192.0.2.1 (priority 103) outranks us (102)",
        ],
        outage: 0,
        overlap: 100,
    });
}

#[test]
fn two_that_start_at_once_converge() {
    let both = [(0, Start(CASTOR)), (0, Start(POLLUX))];
    check(&Story {
        name: "101 and 100",
        hosts: vec![castor(), pollux()],
        events: &both,
        end: 20_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
        ],
        outage: 0,
        overlap: 0,
    });
    let world = check(&Story {
        name: "equal priorities: the higher address",
        hosts: vec![router(1, 100), pollux()],
        events: &both,
        end: 20_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.609375 castor: Backup -> Active: nothing heard for 3.6 s since start",
            "3.609375 pollux: Backup -> Active: nothing heard for 3.6 s since start",
            "3.609475 castor: Active -> Backup: 192.0.2.2 (priority 100) has the higher address at equal priority",
        ],
        outage: 0,
        overlap: 100,
    });
    assert_eq!(count(&world, CASTOR, |action| *action == Action::Acquire), 1);
}

#[test]
fn who_comes_back() {
    let nopreempt = Parameters { preempt: false, ..castor() };
    let delayed = Parameters { preempt_delay: Interval::from_secs(10), ..castor() };
    let events = [(0, Start(POLLUX)), (10_000, Start(CASTOR))];
    let start = [
        "0.000000 pollux: Initialize -> Backup: started",
        "3.609375 pollux: Backup -> Active: nothing heard for 3.6 s since start",
    ];
    let waits = "10.000000 castor: Initialize -> Backup: started";
    let preempts = [
        waits,
        "13.605468 castor: Backup -> Active: preempting 192.0.2.2 (priority 100): ours is 101",
        "13.605568 pollux: Active -> Backup: 192.0.2.1 (priority 101) outranks us (100)",
    ];
    // First heard at 10.609475 s; the last one before the delay ends is that of 19.609475 s.
    let preempts_late = [
        waits,
        "23.214943 castor: Backup -> Active: preempting 192.0.2.2 (priority 100): ours is 101",
        "23.215043 pollux: Active -> Backup: 192.0.2.1 (priority 101) outranks us (100)",
    ];
    let owns = [
        "10.000000 castor: Initialize -> Active: this host owns the addresses (priority 255)",
        "10.000100 pollux: Active -> Backup: 192.0.2.1 (priority 255) outranks us (100)",
    ];
    for (name, castor, end, then, overlap) in [
        ("preempt", castor(), 30_000, &preempts[..], 100),
        ("nopreempt", nopreempt, 30_000, &[waits], 0),
        ("preempt_delay", delayed, 40_000, &preempts_late, 100),
        ("an equal priority waits, whatever its address", router(3, 100), 30_000, &[waits], 0),
        ("the owner takes over at once", router(1, 255), 30_000, &owns, 100),
    ] {
        let transitions = &[&start[..], then].concat();
        let hosts = vec![castor, pollux()];
        check(&Story { name, hosts, events: &events, end, transitions, outage: 0, overlap });
    }
}

#[test]
fn a_clean_stop_costs_skew_time() {
    check(&Story {
        name: "clean stop",
        hosts: vec![castor(), pollux()],
        events: &[
            (0, Start(CASTOR)),
            (0, Start(POLLUX)),
            (10_000, Shutdown(CASTOR)),
            (20_000, Start(CASTOR)),
        ],
        end: 30_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
            "10.000000 castor: Active -> Initialize: shutting down",
            "10.609475 pollux: Backup -> Active: 192.0.2.1 resigned",
            "20.000000 castor: Initialize -> Backup: started",
            "23.605468 castor: Backup -> Active: preempting 192.0.2.2 (priority 100): ours is 101",
            "23.605568 pollux: Active -> Backup: 192.0.2.1 (priority 101) outranks us (100)",
        ],
        outage: 609475,
        overlap: 100,
    });
}

#[test]
fn a_failing_check_resigns() {
    check(&Story {
        name: "check of weight 0",
        hosts: vec![castor(), pollux()],
        events: &[
            (0, Start(CASTOR)),
            (0, Start(POLLUX)),
            (10_000, Check(CASTOR, false)),
            (20_000, Check(CASTOR, true)),
        ],
        end: 30_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
            "10.000000 castor: Active -> Fault: check 0 fails",
            "10.609475 pollux: Backup -> Active: 192.0.2.1 resigned",
            "20.000000 castor: Fault -> Backup: check 0 succeeds",
            "23.605468 castor: Backup -> Active: preempting 192.0.2.2 (priority 100): ours is 101",
            "23.605568 pollux: Active -> Backup: 192.0.2.1 (priority 101) outranks us (100)",
        ],
        outage: 609475,
        overlap: 100,
    });
}

#[test]
fn a_link_goes_down_and_comes_back() {
    check(&Story {
        name: "carrier lost",
        hosts: vec![castor(), pollux()],
        events: &[
            (0, Start(CASTOR)),
            (0, Start(POLLUX)),
            (10_000, Link(CASTOR, false)),
            (20_000, Link(CASTOR, true)),
        ],
        end: 30_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
            "10.000000 castor: Active -> Fault: link down",
            "13.214943 pollux: Backup -> Active: no advertisement from 192.0.2.1 (priority 101) for 3.6 s",
            "20.000000 castor: Fault -> Backup: link up",
            "23.605468 castor: Backup -> Active: preempting 192.0.2.2 (priority 100): ours is 101",
            "23.605568 pollux: Active -> Backup: 192.0.2.1 (priority 101) outranks us (100)",
        ],
        outage: 3214943,
        overlap: 100,
    });
}

#[test]
fn a_cut_without_loss_of_carrier_makes_two_owners_until_it_is_mended() {
    let world = check(&Story {
        name: "cut",
        hosts: vec![castor(), pollux()],
        events: &[
            (0, Start(CASTOR)),
            (0, Start(POLLUX)),
            (10_000, Cut(CASTOR, POLLUX, true)),
            (10_000, Cut(POLLUX, CASTOR, true)),
            (20_000, Disturbance::Mend),
        ],
        end: 30_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
            "13.214943 pollux: Backup -> Active: no advertisement from 192.0.2.1 (priority 101) for 3.6 s",
            "20.215143 pollux: Active -> Backup: 192.0.2.1 (priority 101) outranks us (100)",
        ],
        outage: 0,
        overlap: 7000200,
    });
    let announced = |what| count(&world, CASTOR, |action| *action == Action::Announce(what));
    assert_eq!(announced(Announcement::LosingActive), 1);
    assert_eq!(announced(Announcement::LosingSilent), 1);
}

#[test]
fn a_stranger_that_resigns_shortens_nothing() {
    // Idas hears nobody and takes over, pollux hears both; idas leaves again.
    check(&Story {
        name: "stranger",
        hosts: vec![router(1, 150), pollux(), router(3, 50)],
        events: &[
            (0, Start(CASTOR)),
            (0, Start(POLLUX)),
            (5_000, Cut(CASTOR, 2, true)),
            (5_000, Cut(2, CASTOR, true)),
            (5_000, Start(2)),
            (15_000, Shutdown(2)),
        ],
        end: 30_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.414062 castor: Backup -> Active: nothing heard for 3.41 s since start",
            "5.000000 idas: Initialize -> Backup: started",
            "8.804687 idas: Backup -> Active: nothing heard for 3.8 s since start",
            "15.000000 idas: Active -> Initialize: shutting down",
        ],
        outage: 0,
        overlap: 6195312,
    });
}
