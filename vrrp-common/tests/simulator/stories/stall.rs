//! Castor is stopped and goes on (SIGSTOP, SIGCONT; a hang; no CPU), with a peer of lower and higher priority.

use super::*;
use Disturbance::{Continue, Start, Stop};

#[test]
fn stopped_for_a_while() {
    let start = [
        "0.000000 castor: Initialize -> Backup: started",
        "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
        "5.000000 pollux: Initialize -> Backup: started",
    ];
    // The last advertisement was sent at 9.605468 s: the lease ends at 12.590468 s.
    let lower = [
        "13.214943 pollux: Backup -> Active: no advertisement from 192.0.2.1 (priority 101) for 3.6 s",
        "20.000000 castor: Active -> Backup: our last advertisement was 10.39 s ago and 192.0.2.2 (priority 100) took over",
        "23.605468 castor: Backup -> Active: preempting 192.0.2.2 (priority 100): ours is 101",
        "23.605568 pollux: Active -> Backup: 192.0.2.1 (priority 101) outranks us (100)",
    ];
    let higher = [
        "13.207131 pollux: Backup -> Active: no advertisement from 192.0.2.1 (priority 101) for 3.6 s",
        "20.000000 castor: Active -> Backup: our last advertisement was 10.39 s ago and 192.0.2.2 (priority 102) took over",
    ];
    let never = |router| Parameters { preempt: false, ..router };
    for (name, pollux, pause, then, outage, overlap) in [
        ("0.5 s, lower peer", pollux(), 500, &[][..], 0, 0),
        ("2 s, lower peer", pollux(), 2_000, &[], 0, 0),
        ("10 s, lower peer", pollux(), 10_000, &lower, 624_475, 100),
        ("0.5 s, higher peer", never(router(2, 102)), 500, &[], 0, 0),
        ("2 s, higher peer", never(router(2, 102)), 2_000, &[], 0, 0),
        ("10 s, higher peer", never(router(2, 102)), 10_000, &higher, 616_662, 0),
    ] {
        let events = [
            (0, Start(CASTOR)),
            (5_000, Start(POLLUX)),
            (10_000, Stop(CASTOR)),
            (10_000 + pause, Continue(CASTOR)),
        ];
        let hosts = vec![castor(), pollux];
        let transitions = &[&start[..], then].concat();
        check(&Story { name, hosts, events: &events, end: 30_000, transitions, outage, overlap });
    }
}

#[test]
fn stopped_alone() {
    let world = check(&Story {
        name: "10 s, nobody else",
        hosts: vec![castor(), pollux()],
        events: &[(0, Start(CASTOR)), (10_000, Stop(CASTOR)), (20_000, Continue(CASTOR))],
        end: 30_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
        ],
        outage: 7409531,
        overlap: 0,
    });
    let again = Action::Announce(vrrp_common::election::Announcement::AfterStall);
    assert_eq!(count(&world, CASTOR, |action| *action == again), 1);
}

#[test]
fn a_stopped_backup_goes_by_what_its_kernel_heard() {
    check(&Story {
        name: "Backup stopped for 10 s",
        hosts: vec![castor(), pollux()],
        events: &[(0, Start(CASTOR)), (0, Start(POLLUX)), (10_000, Stop(POLLUX)), (20_000, Continue(POLLUX))],
        end: 30_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
        ],
        outage: 0,
        overlap: 0,
    });
}
