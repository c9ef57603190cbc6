//! What the processes of a node use: processor time, turns on a processor, system calls, memory. Read from outside of
//! them, at a beginning and at an end.

use std::{
    fs, io,
    os::fd::{FromRawFd as _, OwnedFd},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use nix::{
    sched::{CpuSet, sched_setaffinity},
    unistd::Pid,
};

use super::bpf;
use crate::Host;

/// The processes of a node, as the Lab numbers them.
#[derive(Clone, Debug)]
pub(crate) struct Processes(Vec<i32>);

/// What was used from one moment to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// How long it was.
    pub(crate) span: Duration,
    /// Time on a processor.
    pub(crate) cpu: Duration,
    /// Time that the kernel's programs of the node ran.
    pub(crate) programs: Duration,
    /// How often one of its threads was given a processor.
    pub(crate) turns: u64,
    /// System calls, where this kernel counts them.
    pub(crate) calls: Option<u64>,
    /// The most memory that was ever resident, in KiB.
    pub(crate) resident: u64,
    /// Processes that did not see the end; what they used is not known.
    pub(crate) died: usize,
}

impl Processes {
    /// Those on a host that run one of these programs.
    pub(crate) fn find(host: &Host, programs: &[&str]) -> Result<Self> {
        let space = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
        let own = space(host.pid()).context("the host is off")?;
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").context("listing processes")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if programs.contains(&name.trim()) && space(pid).as_ref() == Some(&own) {
                found.push(pid);
            }
        }
        ensure!(!found.is_empty(), "{}: none of {programs:?} runs", host.name());
        Ok(Self(found))
    }

    /// Their numbers.
    pub(crate) fn pids(&self) -> &[i32] {
        &self.0
    }

    /// Binds every thread to one processor; what they start later is bound too.
    pub(crate) fn pin(&self, processor: usize) -> Result<()> {
        let mut set = CpuSet::new();
        set.set(processor).context("processor")?;
        self.threads().into_iter().try_for_each(|thread| {
            sched_setaffinity(Pid::from_raw(thread), &set).with_context(|| format!("pinning thread {thread}"))
        })
    }

    fn threads(&self) -> Vec<i32> {
        self.0.iter().flat_map(|pid| threads(*pid)).collect()
    }

    /// Begins to measure. `tracing` is a host's tracefs.
    pub(crate) fn measure(&self, tracing: &Path) -> Result<Measurement> {
        let calls = SystemCalls::count(&self.threads(), tracing).ok();
        Ok(Measurement { start: self.totals()?, since: Instant::now(), calls, processes: self.clone() })
    }

    fn totals(&self) -> Result<Totals> {
        let mut totals = Totals::default();
        for pid in &self.0 {
            match Totals::of(*pid) {
                Ok(one) => totals.add(one),
                Err(_) if !Path::new(&format!("/proc/{pid}")).exists() => totals.gone += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(totals)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    cpu: u64,
    programs: u64,
    turns: u64,
    resident: u64,
    gone: usize,
}

impl Totals {
    fn of(pid: i32) -> Result<Self> {
        let programs = bpf::programs(pid)?.iter().map(|program| program.run_time).sum();
        let mut totals = Self { programs, resident: resident(pid)?, ..Self::default() };
        for thread in threads(pid) {
            let path = format!("/proc/{pid}/task/{thread}/schedstat");
            // A thread may end at any time.
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let numbers: Vec<u64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            let [ran, _, turns] = numbers[..] else { bail!("{path} says {text:?}") };
            totals.cpu += ran;
            totals.turns += turns;
        }
        Ok(totals)
    }

    fn add(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.programs += other.programs;
        self.turns += other.turns;
        self.resident += other.resident;
    }
}

fn threads(pid: i32) -> Vec<i32> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// A beginning.
#[derive(Debug)]
pub(crate) struct Measurement {
    processes: Processes,
    start: Totals,
    since: Instant,
    calls: Option<SystemCalls>,
}

impl Measurement {
    /// The end of it.
    pub(crate) fn end(self) -> Result<Usage> {
        let (end, start) = (self.processes.totals()?, self.start);
        Ok(Usage {
            span: self.since.elapsed(),
            cpu: Duration::from_nanos(end.cpu.saturating_sub(start.cpu)),
            programs: Duration::from_nanos(end.programs.saturating_sub(start.programs)),
            turns: end.turns.saturating_sub(start.turns),
            calls: self.calls.map(|calls| calls.total()).transpose()?,
            resident: end.resident,
            died: end.gone,
        })
    }
}

/// In KiB.
fn resident(pid: i32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a process has VmHWM")?;
    line.trim().trim_end_matches(" kB").parse().with_context(|| format!("VmHWM {line:?}"))
}

/// Counters of `raw_syscalls:sys_enter`, one a thread.
#[derive(Debug)]
struct SystemCalls(Vec<OwnedFd>);

impl SystemCalls {
    fn count(threads: &[i32], tracing: &Path) -> Result<Self> {
        let path = tracing.join("events/raw_syscalls/sys_enter/id");
        let id = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let id: u64 = id.trim().parse().context("the number of a tracepoint")?;
        threads.iter().map(|thread| open_counter(id, *thread)).collect::<Result<_>>().map(Self)
    }

    fn total(&self) -> Result<u64> {
        self.0.iter().try_fold(0, |sum, counter| {
            let mut bytes = [0; 8];
            nix::unistd::read(counter, &mut bytes).context("reading a counter")?;
            Ok(sum + u64::from_ne_bytes(bytes))
        })
    }
}

/// `perf_event_open(2)` with a `struct perf_event_attr` of its first published size.
fn open_counter(tracepoint: u64, thread: i32) -> Result<OwnedFd> {
    const TRACEPOINT: u64 = 2;
    const SIZE: u64 = 64;
    let attr: [u64; 8] = [TRACEPOINT | SIZE << 32, tracepoint, 0, 0, 0, 0, 0, 0];
    // SAFETY: the structure is as long as it says, and outlives the call.
    let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, attr.as_ptr(), thread, -1, -1, 0) };
    ensure!(fd >= 0, "counting system calls: {}", io::Error::last_os_error());
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}
