//! Checks on their schedule, from the script to the report.

use std::{fs, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::tempdir;
use tokio::{sync::mpsc, time::timeout};
use vrrp_common::time::Interval;
use vrrp_user::{
    config::model::Script,
    sys::clock::now,
    track::{self, CheckReport, Health},
};

use crate::{
    Case,
    support::{me, shell, with_spawner, words},
};

pub(crate) const CASES: &[Case] = &[
    ("results_arrive_with_their_details", results_arrive_with_their_details),
    ("rise_and_fall_are_counted_from_real_runs", rise_and_fall_are_counted),
    ("starts_keep_their_cadence", starts_keep_their_cadence),
    ("a_dead_spawner_makes_checks_fail", a_dead_spawner_makes_checks_fail),
];

fn script(command: Vec<String>) -> Script {
    Script {
        name: "check".to_owned(),
        command,
        interval: Interval::from_millis(100),
        timeout: Interval::from_millis(2_000),
        rise: 1,
        fall: 1,
        init_fail: false,
        user: me(),
    }
}

async fn next(reports: &mut mpsc::Receiver<CheckReport>) -> CheckReport {
    timeout(Duration::from_secs(10), reports.recv()).await.expect("a report within 10 s").unwrap()
}

/// Runs `scripts` on their schedule and `judge` on the reports, until the latter is done.
fn with_reports(scripts: Vec<Script>, judge: impl AsyncFnOnce(mpsc::Receiver<CheckReport>, i32)) {
    with_spawner(async |spawner, pid| {
        let (sender, reports) = mpsc::channel(4);
        // The judge drops the receiver; the schedule must end by itself then.
        tokio::join!(track::run(scripts, spawner, sender), judge(reports, pid));
    });
}

fn results_arrive_with_their_details() {
    let mut hanging = script(words(&["sleep", "60"]));
    hanging.timeout = Interval::from_millis(150);
    let scripts = vec![
        script(words(&["true"])),
        script(words(&["false"])),
        hanging,
        script(words(&["/no/such/check"])),
        script(words(&["sh", "-c", "kill -9 $$"])),
    ];
    let expected = [
        (Health::Healthy, "exited with status 0"),
        (Health::Failing, "exited with status 1"),
        (Health::Failing, "timed out after 150 ms"),
        (Health::Failing, "cannot run /no/such/check: No such file or directory"),
        (Health::Failing, "killed by signal 9"),
    ];
    with_reports(scripts, async |mut reports, _| {
        let mut firsts = vec![None; expected.len()];
        while firsts.contains(&None) {
            let report = next(&mut reports).await;
            let first = firsts[report.script].get_or_insert_with(|| report.clone());
            // Every later one says the same, but is no change.
            assert_eq!((report.health, &report.detail), (first.health, &first.detail));
            assert_eq!(report.changed, report.runs == 1);
        }
        for (first, expected) in firsts.iter().flatten().zip(expected) {
            assert_eq!((first.health, first.detail.as_str()), expected);
            assert_eq!(first.runs, 1);
        }
        let slow = firsts[2].as_ref().unwrap().last_duration;
        assert!(slow >= Interval::from_millis(150) && slow < Interval::from_millis(1_150), "{slow}");
    });
}

fn rise_and_fall_are_counted() {
    let dir = tempdir().unwrap();
    let bad = dir.path().join("bad");
    let mut script = script(shell("test ! -e $0/bad", &dir));
    (script.rise, script.fall) = (2, 3);
    with_reports(vec![script], async |mut reports, _| {
        assert_eq!(next(&mut reports).await.health, Health::Healthy);
        fs::write(&bad, "").unwrap();
        let mut failures = 0;
        loop {
            let report = next(&mut reports).await;
            failures += u32::from(report.detail == "exited with status 1");
            assert_eq!(report.health == Health::Failing, failures == 3, "after {failures} failures");
            assert_eq!(report.changed, failures == 3);
            if failures == 3 {
                break;
            }
        }
        fs::remove_file(&bad).unwrap();
        let mut successes = 0;
        while successes < 2 {
            let report = next(&mut reports).await;
            successes += u32::from(report.detail == "exited with status 0");
            assert_eq!(report.health == Health::Healthy, successes == 2, "after {successes} successes");
        }
    });
}

fn starts_keep_their_cadence() {
    let mut script = script(words(&["sleep", "0.3"]));
    script.interval = Interval::from_millis(400);
    with_reports(vec![script], async |mut reports, _| {
        let first = next(&mut reports).await;
        let start = now().before(first.last_duration);
        for run in 2..=5 {
            let report = next(&mut reports).await;
            assert_eq!(report.runs, run);
            // fall x (interval + timeout) + 2 s = 4.4 s after the end of the run
            let validity = report.valid_until.since(now());
            assert!(
                validity > Interval::from_secs(4) && validity <= Interval::from_millis(4_400),
                "{validity}"
            );
        }
        // Four intervals of 400 ms between the first start and the fifth; 700 ms each if counted from ends.
        let fifth = now().since(start);
        assert!(fifth >= Interval::from_millis(1_850) && fifth < Interval::from_millis(2_700), "{fifth}");
    });
}

fn a_dead_spawner_makes_checks_fail() {
    with_reports(vec![script(words(&["true"]))], async |mut reports, pid| {
        assert_eq!(next(&mut reports).await.health, Health::Healthy);
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        let failed = loop {
            let report = next(&mut reports).await;
            if report.health == Health::Failing {
                break report;
            }
        };
        assert!(failed.changed);
        assert!(failed.detail.starts_with("the spawner process is gone"), "{}", failed.detail);
        assert_eq!(next(&mut reports).await.detail, failed.detail, "and it goes on saying so");
    });
}
