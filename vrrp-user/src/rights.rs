//! What the daemon may do: capabilities, real-time scheduling, locked memory. The rights of scripts are
//! kept by [`crate::spawner`].

use std::{fs, io};

use caps::{CapSet, Capability, CapsHashSet, errors::CapsError, runtime::thread_all_supported};
use nix::{
    errno::Errno,
    sched::{CpuSet, sched_setaffinity},
    sys::{
        prctl::set_no_new_privs,
        resource::{RLIM_INFINITY, Resource, getrlimit},
    },
    unistd::Pid,
};
use thiserror::Error;

use crate::sys::process::{lock_all_memory, nice, round_robin};

/// What the daemon keeps of what it was started with.
const KEPT: [Capability; 6] = [
    Capability::CAP_NET_ADMIN,
    Capability::CAP_NET_RAW,
    Capability::CAP_BPF,
    Capability::CAP_PERFMON,
    Capability::CAP_SYS_NICE,
    Capability::CAP_IPC_LOCK,
];

/// Real-time priority of the threads that must be in time: above ordinary ones is what counts, not how far.
const REALTIME_PRIORITY: u8 = 50;

/// What comes closest to that among ordinary threads.
const LEAST_NICE: i8 = -20;

/// Without these no virtual router can run.
const REQUIRED: [(Capability, &str); 2] =
    [(Capability::CAP_NET_ADMIN, "CAP_NET_ADMIN"), (Capability::CAP_NET_RAW, "CAP_NET_RAW")];

/// Rights that could not be given up.
#[derive(Debug, Error)]
pub enum RightsError {
    /// The kernel refused to read or change a capability set.
    #[error("cannot {step}: {source}")]
    Capabilities {
        /// What was tried.
        step: &'static str,
        /// What the kernel said.
        source: CapsError,
    },
    /// The kernel refused `no_new_privs`.
    #[error("cannot forbid new privileges (no_new_privs): {0}")]
    NoNewPrivileges(#[source] Errno),
}

/// Something that the node goes on without; worth one line in the log.
#[derive(Debug, Error)]
pub enum Degraded {
    /// No real-time scheduling.
    #[error(
        "no real-time scheduling at priority {priority}: {source}; {}timers may be late on a busy host \
         (needs CAP_SYS_NICE or RLIMIT_RTPRIO, and a priority of 1 to 99)",
        instead.map(|nice| format!("nice value {nice} instead; ")).unwrap_or_default()
    )]
    Scheduling {
        /// The priority that was asked for.
        priority: u8,
        /// What the kernel said.
        source: io::Error,
        /// The nice value that the thread has instead.
        instead: Option<i8>,
    },
    /// Not the nice value that the file names.
    #[error("cannot take the nice value {nice}: {source} (below 0 it needs CAP_SYS_NICE or RLIMIT_NICE)")]
    Nice {
        /// What was asked for.
        nice: i8,
        /// What the kernel said.
        source: io::Error,
    },
    /// Locking would make allocations fail at the limit later on, so nothing is locked.
    #[error(
        "memory is not locked: RLIMIT_MEMLOCK is {limit} bytes and CAP_IPC_LOCK is missing; \
         the node may have to wait for pages when the host is short of memory"
    )]
    MemoryLimit {
        /// The limit in force.
        limit: u64,
    },
    /// The kernel refused the CPUs that the file names.
    #[error("cannot run on the CPUs {cpus:?}: {source}; the node runs on all that it may")]
    Cpus {
        /// What was asked for.
        cpus: Vec<usize>,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel kills this process as it would any other.
    #[error(
        "oom_score_adj stays as it is: {0}; the node may be the one that is killed when memory runs out \
         (needs CAP_SYS_RESOURCE, or OOMScoreAdjust=-900 in the unit)"
    )]
    Spared(#[source] io::Error),
    /// The kernel refused to lock memory.
    #[error(
        "memory is not locked: {0}; the node may have to wait for pages when the host is short of memory"
    )]
    Memory(#[source] io::Error),
}

/// Gives up all capabilities but `CAP_NET_ADMIN`, `CAP_NET_RAW`, `CAP_BPF`, `CAP_PERFMON`, `CAP_SYS_NICE`
/// and `CAP_IPC_LOCK`, of which it keeps those it has, and the way back to any (bounding set, inheritable
/// set, `no_new_privs`).
///
/// Capabilities belong to a thread and are handed to the threads that it creates: call this after the
/// spawner was forked, the network namespace entered and the bpf file system mounted, and before the first
/// thread. User 0 without capabilities reads and writes only what the file modes let it.
///
/// # Errors
///
/// If the kernel refuses. The node must not go on with more rights than it says it has.
pub fn drop_all_but_needed() -> Result<(), RightsError> {
    let held = step("read the permitted capabilities", caps::read(None, CapSet::Permitted))?;
    let keep: CapsHashSet = KEPT.into_iter().filter(|capability| held.contains(capability)).collect();
    // Before CAP_SETPCAP goes. Who never had it cannot empty the set, and with no_new_privs need not.
    if held.contains(&Capability::CAP_SETPCAP) {
        step("use CAP_SETPCAP", caps::raise(None, CapSet::Effective, Capability::CAP_SETPCAP))?;
        for capability in thread_all_supported() {
            step("shrink the bounding set", caps::drop(None, CapSet::Bounding, capability))?;
        }
    }
    set_no_new_privs().map_err(RightsError::NoNewPrivileges)?;
    step("clear the ambient capabilities", caps::clear(None, CapSet::Ambient))?;
    step("clear the inheritable capabilities", caps::clear(None, CapSet::Inheritable))?;
    // Effective first: it must stay within permitted.
    step("set the effective capabilities", caps::set(None, CapSet::Effective, &keep))?;
    step("set the permitted capabilities", caps::set(None, CapSet::Permitted, &keep))
}

fn step<T>(step: &'static str, result: Result<T, CapsError>) -> Result<T, RightsError> {
    result.map_err(|source| RightsError::Capabilities { step, source })
}

/// The names of the capabilities that a node cannot run without and that the calling thread lacks. If the
/// kernel does not tell, all of them.
pub fn missing() -> Vec<&'static str> {
    let held = caps::read(None, CapSet::Effective).unwrap_or_default();
    REQUIRED.iter().filter(|(capability, _)| !held.contains(capability)).map(|(_, name)| *name).collect()
}

/// The names of the capabilities that a node uses if it has them, and that the calling thread lacks.
pub fn missing_of_wanted() -> Vec<String> {
    let held = caps::read(None, CapSet::Effective).unwrap_or_default();
    let required = REQUIRED.map(|(capability, _)| capability);
    let wanted = KEPT.iter().filter(|capability| !required.contains(capability));
    wanted.filter(|capability| !held.contains(capability)).map(ToString::to_string).collect()
}

/// Puts the calling thread under `SCHED_RR` with a priority of 1 to 99; where that is refused, as it is to control
/// groups without a share of real time, before all other ordinary threads or to the nice value that is given. Who gives
/// only that gets it. Threads and processes that it creates later begin as ordinary ones: each thread that must be in
/// time calls this itself.
///
/// # Errors
///
/// A notice for the log; the thread goes on as an ordinary one.
pub fn schedule(realtime: Option<u8>, given: Option<i8>) -> Result<(), Degraded> {
    if let (None, Some(value)) = (realtime, given) {
        return nice(value).map_err(|source| Degraded::Nice { nice: value, source });
    }
    let priority = realtime.unwrap_or(REALTIME_PRIORITY);
    round_robin(priority.into()).map_err(|source| {
        let instead = given.unwrap_or(LEAST_NICE);
        let instead = nice(instead).is_ok().then_some(instead);
        Degraded::Scheduling { priority, source, instead }
    })
}

/// Has the kernel kill others before this process when memory runs out, as the unit does where there is one: a locked
/// process is large, and its end moves addresses. Call it after the spawner was forked, whose scripts are not to be
/// spared, and while the rights are there.
///
/// # Errors
///
/// A notice for the log; the process is as likely to be killed as before.
pub fn be_spared() -> Result<(), Degraded> {
    const PLACE: &str = "/proc/self/oom_score_adj";
    const SPARED: i32 = -900;
    let current = fs::read_to_string(PLACE).map_err(Degraded::Spared)?;
    if current.trim().parse().is_ok_and(|current: i32| current <= SPARED) {
        return Ok(());
    }
    fs::write(PLACE, SPARED.to_string()).map_err(Degraded::Spared)
}

/// Has the threads of this process, and those that they make later, run on these CPUs only; on all if there are none.
///
/// # Errors
///
/// A notice for the log; the threads run where they did.
pub fn run_on(cpus: &[usize]) -> Result<(), Degraded> {
    if cpus.is_empty() {
        return Ok(());
    }
    pin_threads(cpus).map_err(|source| Degraded::Cpus { cpus: cpus.to_vec(), source })
}

fn pin_threads(cpus: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    cpus.iter().try_for_each(|cpu| set.set(*cpu))?;
    sched_setaffinity(Pid::from_raw(0), &set)?;
    // The one that writes the log is there before anything of the file holds.
    for thread in fs::read_dir("/proc/self/task")? {
        let name = thread?.file_name();
        if let Some(number) = name.to_str().and_then(|name| name.parse().ok()) {
            sched_setaffinity(Pid::from_raw(number), &set)?;
        }
    }
    Ok(())
}

/// Locks the memory of the whole process, what it will allocate too. Call it after the spawner was forked
/// (which does not inherit it) and while the rights are there.
///
/// # Errors
///
/// A notice for the log; nothing is locked then. Without `CAP_IPC_LOCK` and below a limit nothing is tried,
/// because later allocations would fail at the limit.
pub fn lock_memory() -> Result<(), Degraded> {
    may_lock_memory()?;
    lock_all_memory().map_err(Degraded::Memory)
}

/// Whether [`lock_memory`] would try; nothing is locked.
///
/// # Errors
///
/// As there.
pub fn may_lock_memory() -> Result<(), Degraded> {
    let privileged = caps::has_cap(None, CapSet::Effective, Capability::CAP_IPC_LOCK).unwrap_or(false);
    let (limit, _) = getrlimit(Resource::RLIMIT_MEMLOCK).map_err(|error| Degraded::Memory(error.into()))?;
    if !privileged && limit != RLIM_INFINITY {
        return Err(Degraded::MemoryLimit { limit });
    }
    Ok(())
}
