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
    config::model::{Check, Script},
    sys::clock::now,
    track::{CheckReport, Health, Watches},
};

use crate::{
    Case,
    support::{me, shell, with_spawner, words},
};

pub(crate) const CASES: &[Case] = &[
    ("results_arrive_with_their_details", results_arrive_with_their_details),
    ("rise_and_fall_are_counted_from_real_runs", rise_and_fall_are_counted),
    ("starts_keep_their_cadence", starts_keep_their_cadence),
    ("only_what_differs_begins_anew", only_what_differs_begins_anew),
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
        let numbered = scripts.into_iter().enumerate();
        let checks: Vec<Check> = numbered
            .map(|(number, script)| Check::Script(Script { name: number.to_string(), ..script }))
            .collect();
        let mut watches = Watches::new(spawner, sender);
        watches.set(&checks);
        judge(reports, pid).await;
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
            let number: usize = report.check.name.parse().unwrap();
            let first = firsts[number].get_or_insert_with(|| report.clone());
            // Every later one says the same.
            assert_eq!((report.health, &report.detail), (first.health, &first.detail));
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

/// What a reload does: an unchanged check is not run anew, a changed one is, one that is gone is not.
fn only_what_differs_begins_anew() {
    let slow = Script { interval: Interval::from_secs(60), ..script(words(&["true"])) };
    let named = |name: &str, command: &str| {
        Check::Script(Script { name: name.to_owned(), command: words(&[command]), ..slow.clone() })
    };
    with_spawner(async |spawner, _| {
        let (sender, mut reports) = mpsc::channel(16);
        let mut watches = Watches::new(spawner, sender);
        watches.set(&[named("same", "true"), named("changed", "true"), named("gone", "true")]);
        for _ in 0..3 {
            next(&mut reports).await;
        }
        watches.set(&[named("new", "true"), named("changed", "false"), named("same", "true")]);
        let mut second = [next(&mut reports).await, next(&mut reports).await]
            .map(|report| (report.check.name.to_string(), report.health, report.runs));
        second.sort_by(|one, other| one.0.cmp(&other.0));
        let expected = [("changed", Health::Failing), ("new", Health::Healthy)];
        assert_eq!(second, expected.map(|(name, health)| (name.to_owned(), health, 1)));
        let more = timeout(Duration::from_millis(300), reports.recv()).await;
        assert!(more.is_err(), "{more:?}");
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
        assert!(failed.detail.starts_with("the spawner process is gone"), "{}", failed.detail);
        assert_eq!(next(&mut reports).await.detail, failed.detail, "and it goes on saying so");
    });
}
