//! Script checks: when they run, what their results mean for a virtual router. Processes are the
//! [`crate::spawner`]'s; what a router does with an [`Assessment`] is the election's.

mod assess;
mod check;
mod schedule;

use vrrp_common::time::{Instant, Interval};

pub use assess::{Assessment, assess};
pub use check::{Check, Health};
pub use schedule::run;

/// The result of one run of one script, for the node and for `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// Index into [`crate::config::model::Configuration::scripts`].
    pub script: usize,
    /// The health after this run, `rise` and `fall` applied.
    pub health: Health,
    /// Whether this run changed it.
    pub changed: bool,
    /// How the run ended: "exited with status 1", "timed out after 2 s", "killed by signal 9",
    /// "cannot run /x: No such file or directory".
    pub detail: String,
    /// From then on without another report the check counts as failed: a service thread that is stuck
    /// does not keep a result alive. It is the latest time at which `fall` further runs have all reported,
    /// and 2 s: `fall x (interval + timeout) + 2 s` from now.
    pub valid_until: Instant,
    /// Runs so far, this one included.
    pub runs: u64,
    /// How long this run took.
    pub last_duration: Interval,
}
