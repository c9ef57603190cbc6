//! The end of the spawner, of the daemon, and what does not end them.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use futures_util::future::join_all;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::tempdir;
use vrrp_user::spawner::{Outcome, Process};

use crate::{
    Case,
    support::{LONG, SHORT, me, pid_in, runs, runtime, shell, wait_gone, with_spawner, words},
};

/// The argument that makes this program a daemon to be killed; its directory follows.
pub(crate) const DAEMON: &str = "be-a-daemon";

pub(crate) const CASES: &[Case] = &[
    ("a_killed_spawner_fails_every_run_and_is_told", a_killed_spawner_fails_every_run),
    ("a_stopped_spawner_fails_every_run", a_stopped_spawner_fails_every_run),
    ("signals_for_everybody_do_not_end_the_spawner", signals_do_not_end_the_spawner),
    ("the_spawner_ends_with_the_last_handle", the_spawner_ends_with_the_last_handle),
    ("a_second_spawner_does_not_keep_the_first", a_second_spawner_does_not_keep_the_first),
    ("a_killed_daemon_takes_spawner_and_scripts_along", a_killed_daemon_takes_all_along),
];

/// Ignores what it can.
const STUBBORN: &str = "trap '' TERM INT HUP; echo $$ > $0/pid; exec sleep 60";

fn signal(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

fn a_killed_spawner_fails_every_run() {
    let dir = tempdir().unwrap();
    with_spawner(async |spawner, pid| {
        let gone = Outcome::NotRun(
            "the spawner process is gone (killed by SIGKILL): no script runs until xvrrp is restarted"
                .to_owned(),
        );
        let command = shell(STUBBORN, &dir);
        let killer = async {
            let script = pid_in(&dir, "pid").await;
            signal(pid, Signal::SIGKILL);
            wait_gone(script).await;
        };
        let (outcome, why, ()) = tokio::join!(spawner.run(&command, me(), LONG), spawner.closed(), killer);
        assert_eq!(outcome, gone, "the run under way");
        assert_eq!(Outcome::NotRun(why), gone);
        assert_eq!(spawner.run(&words(&["true"]), me(), LONG).await, gone, "a later run");
        assert_eq!(Outcome::NotRun(spawner.closed().await), gone, "asked late");
    });
}

fn a_stopped_spawner_fails_every_run() {
    with_spawner(async |spawner, pid| {
        signal(pid, Signal::SIGSTOP);
        let silence = Outcome::NotRun(format!("the spawner process {pid} does not answer"));
        // More than the socket takes.
        let command = words(&["true", &"x".repeat(4_000)]);
        let outcomes = join_all((0..100).map(|_| spawner.run(&command, me(), SHORT))).await;
        assert_eq!(outcomes, vec![silence; 100]);
        signal(pid, Signal::SIGCONT);
        assert_eq!(spawner.run(&words(&["true"]), me(), LONG).await, Outcome::Exited(0), "and it recovers");
    });
}

fn signals_do_not_end_the_spawner() {
    with_spawner(async |spawner, pid| {
        // An answer: it has got as far as blocking signals and taking its name.
        assert_eq!(spawner.run(&words(&["true"]), me(), LONG).await, Outcome::Exited(0));
        for each in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1] {
            signal(pid, each);
            assert_eq!(spawner.run(&words(&["false"]), me(), LONG).await, Outcome::Exited(1), "{each}");
        }
        assert_eq!(fs::read_to_string(format!("/proc/{pid}/comm")).unwrap(), "xvrrp-spawn\n");
    });
}

fn the_spawner_ends_with_the_last_handle() {
    let dir = tempdir().unwrap();
    let process = Process::start().unwrap();
    let pid = process.pid();
    runtime().block_on(async {
        let spawner = process.attach().unwrap();
        let program = spawner.program(&shell(STUBBORN, &dir), me());
        let script = tokio::select! {
            outcome = program.run(LONG) => panic!("{outcome:?}"),
            script = pid_in(&dir, "pid") => script,
        };
        drop(spawner);
        // The program is a handle too.
        let busy = Outcome::NotRun("previous run still exists".to_owned());
        assert_eq!(program.run(LONG).await, busy);
        assert!(runs(script));
        drop(program);
        wait_gone(script).await;
        wait_gone(pid).await;
    });
    // Reaped here: nobody else does when nobody reads.
    nix::sys::wait::waitpid(Pid::from_raw(pid), None).unwrap();
}

fn a_second_spawner_does_not_keep_the_first() {
    let first = Process::start().unwrap();
    let pid = first.pid();
    with_spawner(async |second, _| {
        drop(first);
        wait_gone(pid).await;
        assert_eq!(second.run(&words(&["true"]), me(), LONG).await, Outcome::Exited(0));
    });
    nix::sys::wait::waitpid(Pid::from_raw(pid), None).unwrap();
}

fn a_killed_daemon_takes_all_along() {
    let dir = tempdir().unwrap();
    let mut daemon = Command::new(std::env::current_exe().unwrap());
    let mut daemon = daemon.arg(DAEMON).arg(dir.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let spawner = line.trim().parse().unwrap();
    runtime().block_on(async {
        let script = pid_in(&dir, "pid").await;
        assert!(runs(spawner) && runs(script));
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        wait_gone(spawner).await;
        wait_gone(script).await;
    });
}

/// Says its spawner's process id and runs a script for ever.
pub(crate) fn be_daemon() -> ! {
    let dir = std::env::args().nth(2).unwrap();
    assert!(Path::new(&dir).is_dir());
    let process = Process::start().unwrap();
    println!("{}", process.pid());
    runtime().block_on(async {
        let command = words(&["sh", "-c", STUBBORN, &dir]);
        let outcome = process.attach().unwrap().run(&command, me(), LONG).await;
        panic!("nobody killed this daemon: {outcome:?}")
    })
}
