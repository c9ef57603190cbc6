//! What is tracked: scripts, files, processes, interfaces; when they are looked at and what the results mean for
//! a virtual router. Processes are the [`crate::spawner`]'s; what a router does with an [`Assessment`] is the
//! election's.

mod assess;
mod check;
mod file;
mod process;
mod schedule;
mod watches;

use std::{fmt, sync::Arc};

use vrrp_common::time::{Instant, Interval};

use crate::config::model::{Check as Checked, CheckKind};

pub use assess::{Assessment, assess};
pub use check::{Check, Health};
pub use watches::Watches;

/// Which check: its kind and name, the same before and after a reload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId {
    /// Names are unique within a kind.
    pub kind: CheckKind,
    /// The name in the file.
    pub name: Arc<str>,
}

impl CheckId {
    /// The identity of `check`.
    pub fn of(check: &Checked) -> Self {
        Self { kind: check.kind(), name: check.name().into() }
    }
}

/// The name.
impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// The result of one look at what is checked, for the node and for `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// Which check.
    pub check: CheckId,
    /// The health as of this look, `rise`, `fall` and delays applied.
    pub health: Health,
    /// What was found: "exited with status 1", "timed out after 2 s", "2 processes", "5 in the file",
    /// "cannot run /x: No such file or directory".
    pub detail: String,
    /// From then on without another report the check counts as failed: a service thread that is stuck
    /// does not keep a result alive. For a script it is the latest time at which `fall` further runs have all
    /// reported, and 2 s: `fall x (interval + timeout) + 2 s` from now.
    pub valid_until: Instant,
    /// Looks so far, this one included.
    pub runs: u64,
    /// How long this one took.
    pub last_duration: Interval,
}
