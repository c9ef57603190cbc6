//! Castor dies, and its lease ends before pollux takes over.

use super::*;
use Disturbance::{Crash, Mute, PowerOff, Start};

#[test]
fn a_daemon_crashes() {
    check(&Story {
        name: "crash",
        hosts: vec![castor(), pollux()],
        events: &[(0, Start(CASTOR)), (0, Start(POLLUX)), (10_000, Crash(CASTOR)), (20_000, Start(CASTOR))],
        end: 30_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
            "13.214943 pollux: Backup -> Active: no advertisement from 192.0.2.1 (priority 101) for 3.6 s",
            "20.000000 castor: Initialize -> Backup: started",
            "23.605468 castor: Backup -> Active: preempting 192.0.2.2 (priority 100): ours is 101",
            "23.605568 pollux: Active -> Backup: 192.0.2.1 (priority 101) outranks us (100)",
        ],
        outage: 624475,
        overlap: 100,
    });
}

#[test]
fn power_is_lost_at_ten_milliseconds() {
    // VRRPv3 at 1 cs: 36.09 ms at priority 100, and 36.05 ms at 101.
    let fast = |router| Parameters {
        version: Version::V3,
        advertisement_interval: Interval::from_centiseconds(1),
        ..router
    };
    check(&Story {
        name: "power off",
        hosts: vec![fast(castor()), fast(pollux())],
        events: &[(0, Start(CASTOR)), (0, Start(POLLUX)), (1_000, PowerOff(CASTOR))],
        end: 2_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "0.036054 castor: Backup -> Active: nothing heard for 36.05 ms since start",
            "0.036093 pollux: Backup -> Active: nothing heard for 36.09 ms since start",
            "0.036154 pollux: Active -> Backup: 192.0.2.1 (priority 101) outranks us (100)",
            "1.032248 pollux: Backup -> Active: no advertisement from 192.0.2.1 (priority 101) for 36.09 ms",
        ],
        outage: 32248,
        overlap: 60,
    });
}

#[test]
fn a_kernel_takes_no_packets() {
    check(&Story {
        name: "full queue",
        hosts: vec![castor(), pollux()],
        events: &[
            (0, Start(CASTOR)),
            (0, Start(POLLUX)),
            (10_000, Mute(CASTOR, true)),
            (20_000, Mute(CASTOR, false)),
        ],
        end: 40_000,
        transitions: &[
            "0.000000 castor: Initialize -> Backup: started",
            "0.000000 pollux: Initialize -> Backup: started",
            "3.605468 castor: Backup -> Active: nothing heard for 3.6 s since start",
            "13.214943 pollux: Backup -> Active: no advertisement from 192.0.2.1 (priority 101) for 3.6 s",
            "13.215043 castor: Active -> Backup: our last advertisement was 3.6 s ago and 192.0.2.2 (priority 100) took over",
            "16.820512 castor: Backup -> Active: preempting 192.0.2.2 (priority 100): ours is 101",
            "20.215143 pollux: Active -> Backup: 192.0.2.1 (priority 101) outranks us (100)",
        ],
        outage: 624475,
        overlap: 100,
    });
}
