//! What a run's outcome is, and what the program finds around itself.

use std::{
    fs::{self, File, Permissions},
    os::{fd::AsFd, unix::fs::PermissionsExt},
    path::Path,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use tempfile::tempdir;
use vrrp_user::spawner::{Outcome, Process};

use crate::{
    Case,
    support::{LONG, me, shell, with_spawner, words},
};

pub(crate) const CASES: &[Case] = &[
    ("programs_end_as_they_end", programs_end_as_they_end),
    ("files_that_are_no_programs_say_why", files_that_are_no_programs_say_why),
    ("programs_find_a_clean_place", programs_find_a_clean_place),
    ("no_descriptor_leaks", no_descriptor_leaks),
    ("fifty_at_once", fifty_at_once),
    ("threads_forbid_the_fork", threads_forbid_the_fork),
];

/// Runs each command; expects its outcome.
fn check(table: &[(&[&str], Outcome)]) {
    with_spawner(async |spawner, _| {
        for (command, expected) in table {
            assert_eq!(spawner.run(&words(command), me(), LONG).await, *expected, "{command:?}");
        }
    });
}

fn not_run(why: &str) -> Outcome {
    Outcome::NotRun(why.to_owned())
}

fn programs_end_as_they_end() {
    check(&[
        (&["true"], Outcome::Exited(0)),
        (&["false"], Outcome::Exited(1)),
        (&["sh", "-c", "exit 7"], Outcome::Exited(7)),
        (&["sh", "-c", "no-such-program"], Outcome::Exited(127)),
        (&["sh", "-c", "kill -9 $$"], Outcome::Signalled(9)),
        (&["sh", "-c", "kill -TERM $$"], Outcome::Signalled(15)),
        (&["sh", "-c", "kill -40 $$"], not_run("killed by a real-time signal")),
        (&["sh", "-c", "test \"$*\" = 'a b  c'", "0", "a", "b  c"], Outcome::Exited(0)),
        // A leader's own end counts, whatever it leaves behind.
        (&["sh", "-c", "sleep 1 & exit 3"], Outcome::Exited(3)),
        (&["sh", "-c", "head -c 50000000 /dev/zero; head -c 50000000 /dev/zero >&2"], Outcome::Exited(0)),
        (&["/no/such/check"], not_run("cannot run /no/such/check: No such file or directory")),
        (&["/etc"], not_run("cannot run /etc: Permission denied")),
        (&[""], not_run("cannot run : No such file or directory")),
        (&[], not_run("cannot run an empty command")),
        (&["tr\0ue"], not_run("cannot run a command with a NUL character in it")),
    ]);
    with_spawner(async |spawner, _| {
        let outcome = spawner.run(&words(&["no-such-program"]), me(), LONG).await;
        let Outcome::NotRun(why) = outcome else { panic!("{outcome:?}") };
        // "Permission denied" if a directory of PATH may not be searched, else "No such file or directory".
        assert!(why.starts_with("cannot run no-such-program: "), "{why}");
    });
    let long = "x".repeat(200_000);
    with_spawner(async |spawner, _| {
        let outcome = spawner.run(&words(&["true", &long]), me(), LONG).await;
        let Outcome::NotRun(why) = outcome else { panic!("{outcome:?}") };
        assert!(why.starts_with("the command is too long: "), "{why}");
        assert_eq!(spawner.run(&words(&["true"]), me(), LONG).await, Outcome::Exited(0));
    });
}

fn write(path: &Path, text: &str, mode: u32) -> String {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn files_that_are_no_programs_say_why() {
    let dir = tempdir().unwrap();
    let plain = write(&dir.path().join("plain"), "#!/bin/sh\nexit 0\n", 0o644);
    let orphan = write(&dir.path().join("orphan"), "#!/no/such/interpreter\n", 0o755);
    let bare = write(&dir.path().join("bare"), "exit 5\n", 0o755);
    check(&[
        (&[&plain], not_run(&format!("cannot run {plain}: Permission denied"))),
        (
            &[&orphan],
            not_run(&format!("cannot run {orphan}: the interpreter in its first line does not exist")),
        ),
        // As from a shell: without a first line it is the shell's.
        (&[&bare], Outcome::Exited(5)),
    ]);
}

fn programs_find_a_clean_place() {
    // The harness has SIGPIPE ignored, as every Rust program has. 32 and 33 belong to the C library, which
    // ignores them in what it starts and lets nobody change them.
    let signals = "for i in SigIgn SigBlk; do \
        test $((0x$(sed -n s/^$i:.//p /proc/self/status) & ~0x180000000)) = 0 || exit 1; done";
    let own_group = "set -- $(cat /proc/$$/stat); test $5 = $$";
    let clean = "test -n \"$PATH\" && test -z \"$LD_LIBRARY_PATH$LD_PRELOAD\"";
    let null = "for i in 0 1 2; do test $(readlink /proc/$$/fd/$i) = /dev/null || exit $i; done";
    check(&[
        (&["sh", "-c", signals], Outcome::Exited(0)),
        (&["sh", "-c", own_group], Outcome::Exited(0)),
        (&["sh", "-c", clean], Outcome::Exited(0)),
        (&["sh", "-c", "test -z \"$(cat)\""], Outcome::Exited(0)),
        (&["sh", "-c", null], Outcome::Exited(0)),
    ]);
}

fn no_descriptor_leaks() {
    let dir = tempdir().unwrap();
    let open = File::create(dir.path().join("open")).unwrap();
    fcntl(open.as_fd(), FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    with_spawner(async |spawner, _| {
        // Another one under way: its pipe is open in the spawner.
        let other = words(&["sleep", "1"]);
        let other = spawner.run(&other, me(), LONG);
        let list = shell("ls /proc/self/fd > $0/list", &dir);
        let (_, outcome) = tokio::join!(other, spawner.run(&list, me(), LONG));
        assert_eq!(outcome, Outcome::Exited(0));
    });
    // 3 is the directory that ls reads.
    assert_eq!(fs::read_to_string(dir.path().join("list")).unwrap(), "0\n1\n2\n3\n");
}

fn fifty_at_once() {
    with_spawner(async |spawner, _| {
        let start = Instant::now();
        let runs = (0..50).map(|status| {
            let spawner = spawner.clone();
            async move {
                let command = words(&["sh", "-c", &format!("sleep 0.5; exit {status}")]);
                spawner.run(&command, me(), LONG).await
            }
        });
        let outcomes = join_all(runs).await;
        assert_eq!(outcomes, (0..50).map(Outcome::Exited).collect::<Vec<_>>());
        assert!(start.elapsed() < Duration::from_secs(10), "one after another: {:?}", start.elapsed());
    });
}

fn threads_forbid_the_fork() {
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || held.recv());
    let error = Process::start().unwrap_err().to_string();
    assert_eq!(error, "cannot fork in a process with 2 threads: do it before");
    drop(hold);
    thread.join().unwrap().unwrap_err();
}
