//! What there is to measure. Each file declares the rows of one scenario; how rows are measured is not known here.

mod busy;
mod cost;
mod failover;
mod flood;
mod instructions;
mod owners;
mod packet;
mod scale;

use std::time::Duration;

use super::frame::Row;

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Minutes.
    Quick,
    /// At most an hour.
    Full,
}

/// A scenario.
pub(super) struct Scenario {
    /// Its name.
    pub(super) name: &'static str,
    /// What it answers.
    pub(super) about: &'static str,
    /// Its rows.
    pub(super) rows: fn(Scope) -> Vec<Row>,
}

/// All of them, in the order of running.
pub(super) const SCENARIOS: &[Scenario] = &[
    packet::SCENARIO,
    instructions::SCENARIO,
    cost::SCENARIO,
    flood::SCENARIO,
    failover::SCENARIO,
    scale::SCENARIO,
    owners::SCENARIO,
    busy::SCENARIO,
];

/// What the benchmark does not produce, and why.
pub(super) const IMPOSSIBLE: &[(&str, &str)] = &[
    (
        "instructions",
        "none of the kernel path: valgrind neither runs the kernel's programs nor knows how they are loaded",
    ),
    (
        "busy: a disk that stops altogether",
        "it needs a device of its own (device mapper), which is not set up here; a disk that is kept busy is there",
    ),
    (
        "failover: host frozen",
        "namespaces share one kernel, which never stops; \"link cut silently\" looks the same from outside",
    ),
    ("owners: a virtual machine that is paused", "see docs/security: it cannot see its own pause"),
];

impl Scope {
    /// No round begins when the run has taken this long. A round of all contestants takes half a minute at most.
    pub(super) const fn budget(self) -> Duration {
        const MINUTE: u64 = 60;
        Duration::from_secs(self.pick(7 * MINUTE, 58 * MINUTE))
    }

    /// The first in a quick run, the second in a full one.
    const fn pick<T: Copy>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}
