//! Control groups of the benchmark's own: nodes are frozen in them, hosts are bounded by them. They go with the value.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context as _, Result, bail};

/// A control group, of whichever hierarchy can do what is asked.
#[derive(Debug)]
pub(crate) struct Cgroup(PathBuf);

/// What a group may use, all of its processes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// This percentage of one processor, counted in periods of 100 ms. Real-time threads are not bound by it; where the
    /// kernel schedules those by group, they are refused in this one.
    Cpu(u32),
    /// So many MiB.
    Memory(u32),
}

impl Cgroup {
    /// A new one with these processes, in the unified hierarchy, which every kernel since 5.2 can freeze.
    pub(crate) fn holding(pids: &[i32]) -> Result<Self> {
        let group = Self::create(&unified()?, pids.first().copied().unwrap_or_default())?;
        pids.iter().try_for_each(|pid| group.admit(*pid))?;
        Ok(group)
    }

    /// A new one that bounds this process and what it will start.
    pub(crate) fn bounding(pid: i32, bound: Bound) -> Result<Self> {
        let controller = bound.controller();
        let (root, is_unified) = match split(controller)? {
            Some(root) => (root, false),
            None => (unified()?, true),
        };
        if is_unified {
            enable(&root, controller)?;
        }
        let group = Self::create(&root, pid)?;
        let (file, text) = bound.setting(is_unified);
        group.write(file, &text)?;
        group.admit(pid)?;
        Ok(group)
    }

    fn create(root: &Path, number: i32) -> Result<Self> {
        let path = root.join(format!("xvrrp-bench-{}-{number}", process::id()));
        fs::create_dir(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self(path))
    }

    fn admit(&self, pid: i32) -> Result<()> {
        self.write("cgroup.procs", &pid.to_string())
    }

    /// Stops all of its processes, or lets them go on.
    pub(crate) fn freeze(&self, frozen: bool) -> Result<()> {
        self.write("cgroup.freeze", if frozen { "1" } else { "0" })
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.0.join(file);
        fs::write(&path, text).with_context(|| format!("writing {text} to {}", path.display()))
    }
}

impl Bound {
    const fn controller(self) -> &'static str {
        match self {
            Self::Cpu(_) => "cpu",
            Self::Memory(_) => "memory",
        }
    }

    /// The file that sets it, and its text.
    fn setting(self, is_unified: bool) -> (&'static str, String) {
        match (self, is_unified) {
            (Self::Cpu(percent), true) => ("cpu.max", format!("{} 100000", percent * 1000)),
            (Self::Cpu(percent), false) => ("cpu.cfs_quota_us", (percent * 1000).to_string()),
            (Self::Memory(mib), true) => ("memory.max", format!("{mib}M")),
            (Self::Memory(mib), false) => ("memory.limit_in_bytes", format!("{mib}M")),
        }
    }
}

/// Where the unified hierarchy is.
fn unified() -> Result<PathBuf> {
    mounted(|kind, _| kind == "cgroup2")?.context("no cgroup2 is mounted")
}

/// Where a controller's own hierarchy is, on a host that has such.
fn split(controller: &str) -> Result<Option<PathBuf>> {
    mounted(|kind, options| kind == "cgroup" && options.split(',').any(|one| one == controller))
}

fn mounted(is_wanted: impl Fn(&str, &str) -> bool) -> Result<Option<PathBuf>> {
    let mounts = fs::read_to_string("/proc/mounts").context("reading /proc/mounts")?;
    let mut found = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, kind, options) = (words.next()?, words.next()?, words.next()?);
        is_wanted(kind, options).then(|| PathBuf::from(place))
    });
    Ok(found.next())
}

/// Lets the groups below the root of the unified hierarchy use a controller.
fn enable(root: &Path, controller: &str) -> Result<()> {
    let path = root.join("cgroup.controllers");
    let known = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    if !known.split_whitespace().any(|one| one == controller) {
        bail!("the control groups of this host have no controller {controller}");
    }
    let path = root.join("cgroup.subtree_control");
    fs::write(&path, format!("+{controller}"))
        .with_context(|| format!("enabling {controller} in {}", path.display()))
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Frozen processes cannot be killed everywhere, and a group with processes cannot be removed: its processes
        // go to the root of the hierarchy first. What fails is gone already.
        drop(self.freeze(false));
        let members = fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default();
        let root = self.0.parent().map(|root| root.join("cgroup.procs")).unwrap_or_default();
        members.lines().for_each(|pid| drop(fs::write(&root, pid)));
        drop(fs::remove_dir(&self.0));
    }
}
