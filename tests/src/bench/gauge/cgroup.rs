//! A control group of the benchmark's own: hosts and nodes are frozen in it. It goes with the value.

use std::{fs, path::PathBuf, process};

use anyhow::{Context as _, Result};

/// A group of the unified hierarchy, which every kernel since 5.2 can freeze.
#[derive(Debug)]
pub(crate) struct Cgroup(PathBuf);

impl Cgroup {
    /// A new one with these processes.
    pub(crate) fn holding(pids: &[i32]) -> Result<Self> {
        let mounts = fs::read_to_string("/proc/mounts").context("reading /proc/mounts")?;
        let unified = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2"));
        let root = unified.and_then(|line| line.split(' ').nth(1)).context("no cgroup2 is mounted")?;
        let path = PathBuf::from(root).join(format!("xvrrp-bench-{}-{}", process::id(), pids[0]));
        fs::create_dir(&path).with_context(|| format!("creating {}", path.display()))?;
        let group = Self(path);
        pids.iter().try_for_each(|pid| group.write("cgroup.procs", &pid.to_string()))?;
        Ok(group)
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
