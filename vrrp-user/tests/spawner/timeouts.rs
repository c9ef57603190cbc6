//! Programs that do not end in time.

use std::time::{Duration, Instant};

use tempfile::{TempDir, tempdir};
use vrrp_common::time::Interval;
use vrrp_user::{
    config::model::{Configuration, Group, Notify, Program},
    notify::{Happening, Notice, Subject, SubjectKind, Teller},
    spawner::Outcome,
};

use crate::{
    Case,
    support::{LONG, SHORT, me, pid_in, runs, shell, wait_gone, with_spawner, words},
};

pub(crate) const CASES: &[Case] = &[
    ("a_hanging_program_is_reported_in_time_and_stopped", a_hanging_program_is_stopped),
    ("a_leader_that_ignores_sigterm_is_killed", a_leader_that_ignores_sigterm_is_killed),
    ("a_grandchild_that_ignores_sigterm_is_killed", a_grandchild_that_ignores_sigterm_is_killed),
    ("a_program_is_never_run_beside_itself", a_program_is_never_run_beside_itself),
    ("other_programs_run_on_while_one_hangs", other_programs_run_on_while_one_hangs),
    ("the_next_notify_program_runs_after_one_that_hangs", the_next_notify_program_runs),
    ("a_timeout_of_nothing_is_a_timeout", a_timeout_of_nothing_is_a_timeout),
];

/// Runs `script`, which writes its process id to `pid` and hangs; returns the id of the process, after the
/// outcome was seen to be in time.
fn hang(script: &str, dir: &TempDir, after: impl FnOnce(i32)) {
    with_spawner(async |spawner, _| {
        let start = Instant::now();
        let outcome = spawner.run(&shell(script, dir), me(), SHORT).await;
        let took = start.elapsed();
        assert_eq!(outcome, Outcome::TimedOut, "{script}");
        assert!(took >= Duration::from_millis(200) && took < Duration::from_secs(2), "{took:?}");
        let pid = pid_in(dir, "pid").await;
        after(pid);
        wait_gone(pid).await;
    });
}

fn a_hanging_program_is_stopped() {
    let start = Instant::now();
    hang("echo $$ > $0/pid; exec sleep 60", &tempdir().unwrap(), |_| ());
    assert!(start.elapsed() < Duration::from_millis(2200), "SIGTERM is enough: {:?}", start.elapsed());
}

fn a_leader_that_ignores_sigterm_is_killed() {
    let start = Instant::now();
    let ignore = "trap '' TERM; echo $$ > $0/pid; exec sleep 60";
    hang(ignore, &tempdir().unwrap(), |pid| assert!(runs(pid), "reported before it is killed"));
    assert!(start.elapsed() >= Duration::from_millis(2200), "2 s of patience: {:?}", start.elapsed());
}

fn a_grandchild_that_ignores_sigterm_is_killed() {
    let start = Instant::now();
    let script = "(trap '' TERM; sh -c 'echo $$ > $0/pid; exec sleep 60' $0) & wait";
    hang(script, &tempdir().unwrap(), |pid| assert!(runs(pid), "reported before it is killed"));
    assert!(start.elapsed() >= Duration::from_millis(2200), "2 s of patience: {:?}", start.elapsed());
}

fn a_program_is_never_run_beside_itself() {
    let dir = tempdir().unwrap();
    with_spawner(async |spawner, _| {
        let script = "test -e $0/pid && exit 0; trap '' TERM; echo $$ > $0/pid; exec sleep 60";
        let program = spawner.program(&shell(script, &dir), me());
        let busy = Outcome::NotRun("previous run still exists".to_owned());
        let twin = program.clone();
        let (one, other) = tokio::join!(program.run(SHORT), twin.run(SHORT));
        let late = if one == busy { other } else { one };
        assert_eq!(late, Outcome::TimedOut, "one of them runs");
        assert_eq!(program.run(SHORT).await, busy, "late, but there");
        // The same command under another name is another program.
        assert_eq!(spawner.run(&shell(script, &dir), me(), SHORT).await, Outcome::Exited(0));
        wait_gone(pid_in(&dir, "pid").await).await;
        let again = loop {
            let outcome = program.run(SHORT).await;
            if outcome != busy {
                break outcome;
            }
        };
        assert_eq!(again, Outcome::Exited(0));
    });
}

fn other_programs_run_on_while_one_hangs() {
    with_spawner(async |spawner, _| {
        let hanging = words(&["sh", "-c", "trap '' TERM; sleep 3; sleep 60"]);
        let (quick, slow) = (words(&["true"]), spawner.run(&hanging, me(), SHORT));
        let quick = async {
            let end = Instant::now() + Duration::from_secs(3);
            while Instant::now() < end {
                let start = Instant::now();
                assert_eq!(spawner.run(&quick, me(), LONG).await, Outcome::Exited(0));
                assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
            }
        };
        assert_eq!(tokio::join!(slow, quick).0, Outcome::TimedOut);
    });
}

fn the_next_notify_program_runs() {
    let (dir, patience) = (tempdir().unwrap(), Interval::from_secs(1));
    with_spawner(async |spawner, _| {
        let program = |script| Some(Program { command: shell(script, &dir), user: me() });
        let notify = Notify {
            fault: program("echo $$ > $0/pid; exec sleep 60"),
            backup: program("echo $$ > $0/next"),
            ..Notify::default()
        };
        let group = Group { name: "G".to_owned(), members: Vec::new(), notify };
        let mut teller = Teller::new(spawner, patience);
        teller.set(&Configuration { groups: vec![group], ..Configuration::default() });
        let start = Instant::now();
        for happening in [Happening::Fault, Happening::Backup] {
            let subject = Subject { kind: SubjectKind::Group, name: "G".into() };
            teller.tell(&Notice { subject, happening, priority: 0 });
        }
        pid_in(&dir, "next").await;
        assert!(start.elapsed() >= Duration::from_secs(1), "beside the other: {:?}", start.elapsed());
        wait_gone(pid_in(&dir, "pid").await).await;
    });
}

fn a_timeout_of_nothing_is_a_timeout() {
    with_spawner(async |spawner, _| {
        let outcome = spawner.run(&words(&["sleep", "60"]), me(), Interval::ZERO).await;
        assert_eq!(outcome, Outcome::TimedOut);
        let never = Interval::from_nanos(u64::MAX);
        assert_eq!(spawner.run(&words(&["sleep", "0.1"]), me(), never).await, Outcome::Exited(0));
    });
}
