//! Processes: fork, what a fresh fork must put right, scheduling and locked memory. What is run, as whom
//! and for how long is decided by the callers.

use std::{
    fs, io,
    os::fd::{AsRawFd, BorrowedFd},
    panic::{AssertUnwindSafe, catch_unwind},
};

use nix::unistd::{ForkResult, Pid};

/// The exit status of a child whose code panicked.
const PANICKED: i32 = 101;

/// Forks a child that runs `child`, exits with its result and never returns to the caller's code.
///
/// # Errors
///
/// What `fork` says; also if this process has other threads (a lock that one of them holds would stay
/// locked in the child for ever), or if `/proc` cannot tell.
pub(crate) fn fork_child(child: impl FnOnce() -> i32) -> io::Result<Pid> {
    require_single_thread("fork")?;
    // SAFETY: the calling thread is the only one, as counted above, so no lock and no structure of the
    // allocator can be in a state that the child could not go on with.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            // A panic must end here: further up it would run the parent's code a second time.
            exit_now(catch_unwind(AssertUnwindSafe(child)).unwrap_or(PANICKED))
        }
    }
}

fn require_single_thread(purpose: &str) -> io::Result<()> {
    let threads = fs::read_dir("/proc/self/task").map(Iterator::count).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot {purpose}: cannot count threads in /proc/self/task: {error}"),
        )
    })?;
    match threads {
        1 => Ok(()),
        _ => Err(io::Error::other(format!(
            "cannot {purpose} in a process with {threads} threads: do it before"
        ))),
    }
}

/// Exits without running the parent's exit handlers or writing out its buffers.
fn exit_now(status: i32) -> ! {
    // SAFETY: `_exit` takes no pointer and does not return.
    unsafe { libc::_exit(status) }
}

/// Closes every descriptor from 3 up but `keep`.
///
/// Only for a fresh fork: whatever object of the parent owned a descriptor must never be touched again.
///
/// # Errors
///
/// What `close_range` (Linux 5.9) says.
pub(crate) fn close_all_but(keep: BorrowedFd<'_>) -> io::Result<()> {
    // Descriptors are never negative.
    let keep = keep.as_raw_fd().unsigned_abs();
    for (first, last) in [(3, keep.saturating_sub(1)), (keep.max(2) + 1, u32::MAX)] {
        if first > last {
            continue;
        }
        // SAFETY: no pointer is passed, and by this function's contract nobody uses the descriptors again.
        if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Gives every signal its default disposition; a parent's `SIG_IGN` would else outlive `exec`.
pub(crate) fn default_signals() {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: SIG_DFL installs no code. SIGKILL, SIGSTOP and the C library's own two are refused
        // with an error, which is as it should be.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Ignores these signals until something else is installed for them.
pub(crate) fn ignore_signals(signals: &[i32]) {
    for &signal in signals {
        // SAFETY: SIG_IGN installs no code.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Removes environment variables, and sets `PATH` if there is none.
///
/// # Errors
///
/// If this process has other threads, which could be reading the environment.
pub(crate) fn clean_environment(remove: &[&str], path: &str) -> io::Result<()> {
    require_single_thread("change the environment")?;
    for name in remove {
        // SAFETY: no other thread exists that could read the environment meanwhile.
        unsafe { std::env::remove_var(name) };
    }
    if std::env::var_os("PATH").is_none_or(|path| path.is_empty()) {
        // SAFETY: as above.
        unsafe { std::env::set_var("PATH", path) };
    }
    Ok(())
}

/// Puts the calling thread under `SCHED_RR`; threads and processes that it creates start as ordinary ones.
///
/// # Errors
///
/// What `sched_setscheduler` says: `EPERM` without the right, `EINVAL` outside 1 to 99.
pub(crate) fn round_robin(priority: i32) -> io::Result<()> {
    schedule(libc::SCHED_RR, priority)
}

/// Makes the calling thread an ordinary one with a nice value of -20 (before all others, as far as the kernel does
/// that) to 19; threads and processes that it creates later do not get a negative one.
///
/// # Errors
///
/// What `sched_setscheduler` and `setpriority` say: `EACCES` without the right.
pub(crate) fn nice(value: i8) -> io::Result<()> {
    schedule(libc::SCHED_OTHER, 0)?;
    // SAFETY: no pointer is passed; on Linux 0 is the calling thread, not the process.
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, value.into()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn schedule(policy: libc::c_int, priority: i32) -> io::Result<()> {
    let parameter = libc::sched_param { sched_priority: priority };
    // SAFETY: `parameter` is a complete sched_param that lives across the call; 0 is the calling thread.
    let result =
        unsafe { libc::sched_setscheduler(0, policy | libc::SCHED_RESET_ON_FORK, &raw const parameter) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The calling thread's priority among real-time threads; 0 if it is an ordinary one.
pub(crate) fn realtime_priority() -> i32 {
    let mut parameter = libc::sched_param { sched_priority: 0 };
    // SAFETY: the kernel writes one sched_param, which outlives the call; 0 is the calling thread.
    let result = unsafe { libc::sched_getparam(0, &raw mut parameter) };
    // It fails for threads that do not exist only.
    if result < 0 { 0 } else { parameter.sched_priority }
}

/// Locks all pages of this process, those to come too.
///
/// # Errors
///
/// What `mlockall` says.
pub(crate) fn lock_all_memory() -> io::Result<()> {
    // SAFETY: no pointer is passed; the call changes residency, never contents.
    let result = unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
