//! What tests of this crate share: a fresh network namespace with two ends of a wire.

use std::{process::Command, thread};

use nix::{
    sched::{CloneFlags, unshare},
    unistd::geteuid,
};

/// Whether a test that cannot run must fail.
fn lab_required() -> bool {
    let set = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    set("CI", "true") || set("XVRRP_REQUIRE_LAB", "1")
}

/// Runs `test` in a thread with a network namespace of its own, in which `castor` and `pollux` are the two ends
/// of a wire, both up. Says loudly when it cannot for want of root rights.
pub(crate) fn in_namespace(test: impl FnOnce() + Send + 'static) {
    if !geteuid().is_root() {
        assert!(!lab_required(), "this test needs root rights to make a network namespace");
        eprintln!("SKIPPED, needs root rights: {}", thread::current().name().unwrap_or("a test"));
        return;
    }
    let run = move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        ip("link set lo up");
        ip("link add castor address 02:00:00:00:00:01 type veth peer name pollux address 02:00:00:00:00:02");
        ip("link set castor up");
        ip("link set pollux up");
        test();
    };
    if let Err(panic) = thread::spawn(run).join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `ip` with these arguments in the namespace of the calling thread.
pub(crate) fn ip(arguments: &str) -> String {
    let output = Command::new("ip").args(arguments.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Gives both ends addresses that can be used at once: 192.0.2.1 and fe80::1 to `castor`, .2 and ::2 to `pollux`.
pub(crate) fn set_up_addresses() {
    for (name, number) in [("castor", 1), ("pollux", 2)] {
        ip(&format!("address add 192.0.2.{number}/24 dev {name}"));
        ip(&format!("address add fe80::{number}/64 dev {name} nodad"));
    }
}
