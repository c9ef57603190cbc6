//! What daemon and spawner say to each other: one JSON document a packet. Nothing is sent from here.

use serde::{Deserialize, Serialize};
use vrrp_common::time::Interval;

/// The largest packet that is read; a command line that does not fit is refused by the sender.
pub(super) const MAX_PACKET: usize = 128 * 1024;

/// "Run this once."
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    /// Comes back in [`Answer::Ended`].
    pub(super) id: u64,
    /// Whose run this is; at most one run of a slot exists at a time.
    pub(super) slot: u64,
    /// Program and arguments.
    pub(super) command: Vec<String>,
    /// User to run as.
    pub(super) uid: u32,
    /// Group to run as.
    pub(super) gid: u32,
    /// Nanoseconds after which the run has failed.
    pub(super) timeout: u64,
}

/// What the spawner says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// It is prepared; said once, first.
    Ready,
    /// A run ended; said once for every [`Request`].
    Ended {
        /// The request's.
        id: u64,
        /// The end.
        outcome: Outcome,
    },
    /// It cannot go on; said last.
    Failed(String),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It exited with this status, 0 to 255; 0 is success.
    Exited(i32),
    /// It was ended by the signal of this number.
    Signalled(i32),
    /// It was still running when its time was up; it may even exist still.
    TimedOut,
    /// It did not run, and this is why: a whole phrase for people.
    NotRun(String),
}

impl Outcome {
    /// Whether the program ran to its end and said that all is well. Nothing else counts as success.
    pub fn is_success(&self) -> bool {
        *self == Self::Exited(0)
    }

    /// The outcome of a run that was given `timeout`, for people: "exited with status 1".
    pub fn describe(&self, timeout: Interval) -> String {
        match self {
            Self::Exited(status) => format!("exited with status {status}"),
            Self::Signalled(signal) => format!("killed by signal {signal}"),
            Self::TimedOut => format!("timed out after {timeout}"),
            Self::NotRun(why) => why.clone(),
        }
    }
}
