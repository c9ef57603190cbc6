//! What tests of this crate share: fresh network namespaces with the two ends of a wire.

pub(crate) mod network;

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsRawFd, BorrowedFd},
    process::{self, Command},
    thread,
    time::Instant,
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sched::{CloneFlags, setns, unshare},
    unistd::geteuid,
};

/// Whether a test that cannot run must fail.
fn lab_required() -> bool {
    let set = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    set("CI", "true") || set("XVRRP_REQUIRE_LAB", "1")
}

/// Writes a line that is seen although the test passes.
pub(crate) fn say(line: &str) {
    // The macros' output is captured, the stream's is not.
    writeln!(io::stderr(), "{line}").unwrap();
}

/// Runs `test` in a thread with a network namespace of its own, in which `castor` and `pollux` are the two ends
/// of a wire, both up. Says loudly when it cannot for want of root rights.
pub(crate) fn in_namespace(test: impl FnOnce() + Send + 'static) {
    if !geteuid().is_root() {
        assert!(!lab_required(), "this test needs root rights to make a network namespace");
        say(&format!("SKIPPED, needs root rights: {}", thread::current().name().unwrap_or("a test")));
        return;
    }
    let run = move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        ip("link set lo up");
        ip("link add castor address 02:00:00:00:00:01 type veth peer name pollux address 02:00:00:00:00:02");
        ip("link set castor up");
        ip("link set pollux up");
        wait_until_operational("castor");
        wait_until_operational("pollux");
        test();
    };
    if let Err(panic) = thread::spawn(run).join() {
        std::panic::resume_unwind(panic);
    }
}

/// A namespace other than that of the test.
pub(crate) struct Host {
    own: File,
    home: File,
}

impl Host {
    /// Runs `action` in the namespace; sockets that it opens stay there.
    pub(crate) fn run<T>(&self, action: impl FnOnce() -> T) -> T {
        setns(&self.own, CloneFlags::CLONE_NEWNET).unwrap();
        let result = action();
        setns(&self.home, CloneFlags::CLONE_NEWNET).unwrap();
        result
    }
}

/// Like [`in_namespace`], but `pollux` is in a namespace of its own. `castor` has 192.0.2.1/24 and
/// `fe80::1`, `pollux` 192.0.2.2/24 and `fe80::2`; all can be used at once.
pub(crate) fn between_hosts(test: impl FnOnce(&Host) + Send + 'static) {
    in_namespace(|| {
        let current = || File::open("/proc/thread-self/ns/net").unwrap();
        let home = current();
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let pollux = Host { own: current(), home };
        setns(&pollux.home, CloneFlags::CLONE_NEWNET).unwrap();
        ip(&format!("link set pollux netns /proc/{}/fd/{}", process::id(), pollux.own.as_raw_fd()));
        set_up("castor", 1);
        pollux.run(|| {
            ip("link set lo up");
            set_up("pollux", 2);
            wait_until_operational("pollux");
        });
        wait_until_operational("castor");
        test(&pollux);
    });
}

fn set_up(name: &str, number: u8) {
    ip(&format!("link set {name} up"));
    ip(&format!("address add 192.0.2.{number}/24 dev {name}"));
    ip(&format!("address add fe80::{number}/64 dev {name} nodad"));
}

/// A link that has just got its carrier takes frames and drops them until the kernel has noticed.
fn wait_until_operational(name: &str) {
    let begin = Instant::now();
    while !ip(&format!("-o link show {name}")).contains("state UP") {
        assert!(begin.elapsed().as_secs() < 5, "{name} did not come up for five seconds");
    }
}

/// Waits until there is something to read; false after `timeout` milliseconds.
pub(crate) fn is_readable(descriptor: BorrowedFd<'_>, timeout: u16) -> bool {
    poll(&mut [PollFd::new(descriptor, PollFlags::POLLIN)], PollTimeout::from(timeout)).unwrap() == 1
}

/// Runs `ip` with these arguments in the namespace of the calling thread.
pub(crate) fn ip(arguments: &str) -> String {
    try_run("ip", arguments).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a program in the namespace of the calling thread; what it wrote, or what it complained of.
pub(crate) fn try_run(program: &str, arguments: &str) -> Result<String, String> {
    let output = Command::new(program).args(arguments.split_whitespace()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    if !output.status.success() {
        return Err(format!("{program} {arguments}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8(output.stdout).unwrap())
}
