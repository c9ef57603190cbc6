//! A daemon that ends and one that comes after it: within the lease nobody else notices.

use super::*;
use Disturbance::{Crash, Start};

/// Castor's last advertisement before its end is that of 9.605468 s: the lease lasts until 12.590468 s.
#[test]
fn a_restart_within_the_lease_costs_nothing() {
    check(&Story {
        name: "adoption",
        hosts: vec![castor(), pollux()],
        events: &[(0, Start(CASTOR)), (0, Start(POLLUX)), (10_000, Crash(CASTOR)), (12_500, Start(CASTOR))],
        end: 30_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
            "12.500000 castor: Initialize -> Active: going on for the daemon before, whose lease had 90.46 ms left",
        ],
        outage: 0,
        overlap: 0,
    });
}

/// 0.1 s after the end of the lease and 0.6 s before pollux would take over.
#[test]
fn a_restart_after_the_lease_begins_as_backup() {
    check(&Story {
        name: "too late",
        hosts: vec![castor(), pollux()],
        events: &[(0, Start(CASTOR)), (0, Start(POLLUX)), (10_000, Crash(CASTOR)), (12_600, Start(CASTOR))],
        end: 14_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
            "12.600000 castor: Initialize -> Backup: started",
            "13.214943 pollux: Backup -> Active: no advertisement from 192.0.2.1 (priority 101) for 3.6 s",
        ],
        outage: 624_475,
        overlap: 0,
    });
}

/// Idas (priority 110, Skew_Time 570312 us) preempts castor while that has no daemon; the kernel heard it.
#[test]
fn who_was_succeeded_meanwhile_adopts_nothing() {
    let idas = router(3, 110);
    let story = Story {
        name: "succeeded",
        hosts: vec![castor(), pollux(), idas],
        events: &[
            (0, Start(CASTOR)),
            (0, Start(POLLUX)),
            (7_000, Start(IDAS)),
            (10_000, Crash(CASTOR)),
            (11_000, Start(CASTOR)),
        ],
        end: 30_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
            "7.000000 idas: Initialize -> Backup: started",
            "10.570312 idas: Backup -> Active: preempting 192.0.2.1 (priority 101): ours is 110",
            "11.000000 castor: Initialize -> Backup: started",
        ],
        outage: 0,
        overlap: 100,
    };
    tell(&story, Datapath::Records);
}
