//! Entering the network namespace that the configuration names. What runs there is not known here.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, setns};

/// Where `ip netns add` puts them.
const FOLDER: &str = "/run/netns";

/// Moves this process, and the threads and processes that it will make, into the network namespace of this name.
/// To be called before there is a second thread.
pub(crate) fn enter(name: &str) -> Result<()> {
    let path: PathBuf = Path::new(FOLDER).join(name);
    let file = File::open(&path).with_context(|| {
        format!(
            "there is no network namespace {name} ({}): make it with `ip netns add {name}`",
            path.display()
        )
    })?;
    setns(file, CloneFlags::CLONE_NEWNET)
        .with_context(|| format!("cannot enter the network namespace {name}; run as root"))
}
