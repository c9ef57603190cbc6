//! Users, and rights that scripts keep while the daemon drops its own.

use std::fs;

use nix::{
    errno::Errno,
    sys::signal::kill,
    unistd::{Gid, Pid, geteuid, getgroups, setgroups},
};
use tempfile::tempdir;
use vrrp_user::{
    config::model::Credentials,
    rights,
    spawner::{Outcome, Process},
};

use crate::{
    Case,
    support::{LONG, me, pid_in, runtime, shell, with_spawner, words},
};

/// The last but one gives this process's rights up, for the last.
pub(crate) const CASES: &[Case] = &[
    ("programs_run_as_their_user_and_nothing_more", programs_run_as_their_user),
    ("scripts_keep_the_rights_that_the_daemon_drops", scripts_keep_their_rights),
    ("a_user_that_one_may_not_become_is_no_success", a_user_that_one_may_not_become),
];

const NOBODY: Credentials = Credentials { uid: 65_534, gid: 65_534 };

/// Says what is left out without root; under CI nothing may be.
fn is_root(what: &str) -> bool {
    if geteuid().is_root() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "CI must run as root: {what}");
    eprintln!("LEFT OUT, needs root: {what}");
    false
}

fn programs_run_as_their_user() {
    if !is_root("programs run as their user") {
        return;
    }
    let before = getgroups().unwrap();
    setgroups(&[Gid::from_raw(4), Gid::from_raw(24)]).unwrap(); // for no script to keep
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let own = own.lines().find(|line| line.starts_with("CapEff")).unwrap();
    with_spawner(async |spawner, _| {
        for (user, script) in [
            (NOBODY, "test $(id -ru):$(id -u):$(id -rg):$(id -g):$(id -G) = 65534:65534:65534:65534:65534"),
            (NOBODY, "grep -q 'CapPrm:.0000000000000000' /proc/self/status"),
            (Credentials { uid: 0, gid: 0 }, "test $(id -u):$(id -g) = 0:0"),
            (Credentials { uid: 0, gid: 1 }, "test $(id -u):$(id -g):$(id -G) = 0:1:1"),
            (Credentials { uid: 0, gid: 0 }, &format!("grep -q '{own}' /proc/self/status")),
        ] {
            let outcome = spawner.run(&words(&["sh", "-c", script]), user, LONG).await;
            assert_eq!(outcome, Outcome::Exited(0), "{user:?} {script}");
        }
    });
    setgroups(&before).unwrap();
}

/// `killall -0` by root on a service of another user.
fn scripts_keep_their_rights() {
    if !is_root("scripts keep the rights that the daemon drops") {
        return;
    }
    let dir = tempdir().unwrap();
    let process = Process::start().unwrap();
    let spawner_pid = Pid::from_raw(process.pid());
    rights::drop_all_but_needed().unwrap();
    runtime().block_on(async {
        let spawner = process.attach().unwrap();
        fs::write(dir.path().join("pid"), "").unwrap();
        let world = "chmod 777 $0 && chmod 666 $0/pid";
        assert_eq!(spawner.run(&shell(world, &dir), me(), LONG).await, Outcome::Exited(0));
        let service = shell("echo $$ > $0/pid; exec sleep 60", &dir);
        let probe = async {
            let service = pid_in(&dir, "pid").await;
            assert_eq!(
                kill(Pid::from_raw(service), None),
                Err(Errno::EPERM),
                "the daemon has dropped CAP_KILL"
            );
            let probe = words(&["sh", "-c", &format!("kill -0 {service}")]);
            assert_eq!(spawner.run(&probe, NOBODY, LONG).await, Outcome::Exited(0));
            assert_eq!(spawner.run(&probe, Credentials { uid: 1, gid: 1 }, LONG).await, Outcome::Exited(1));
            assert_eq!(spawner.run(&probe, me(), LONG).await, Outcome::Exited(0));
        };
        tokio::select! {
            outcome = spawner.run(&service, NOBODY, LONG) => panic!("{outcome:?}"),
            () = probe => {}
        }
    });
    nix::sys::wait::waitpid(spawner_pid, None).unwrap();
}

fn a_user_that_one_may_not_become() {
    rights::drop_all_but_needed().unwrap();
    let other = Credentials { uid: me().uid ^ 1, gid: me().gid };
    with_spawner(async |spawner, _| {
        let why = format!(
            "cannot run true: cannot become user {} and group {}: Operation not permitted",
            other.uid, other.gid
        );
        assert_eq!(spawner.run(&words(&["true"]), other, LONG).await, Outcome::NotRun(why));
    });
}
