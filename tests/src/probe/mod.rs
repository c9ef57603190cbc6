//! What a client sees, what a bad neighbour sends, and what else may be on a host: run there as `lab-probe`.

mod frames;
mod http;
mod icmp;
mod intruder;
mod junk;
mod observer;
mod owners;
mod packets;
mod supervisor;
mod traffic;

use serde::{Deserialize, Serialize};

pub use frames::Mac;
pub use http::{answer, watch};
pub use icmp::{Ping, ping};
pub use intruder::intrude;
pub use junk::send_junk;
pub use observer::{Deed, Seen, observe};
pub use owners::{Turn, Turns, owners};
pub use supervisor::{hold, listen};
pub use traffic::{Kind, Sent, Traffic, addresses};

/// Nanoseconds of `CLOCK_BOOTTIME`: the same clock on every host of a lab.
pub type Nanos = u64;

/// From now on requests end like this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When the first request that ended like this was sent.
    pub asked: Nanos,
    /// When that was known.
    pub known: Nanos,
    /// The text of the answer, or why there was none.
    pub answer: Result<String, String>,
}

/// The time now.
pub fn now() -> Nanos {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME);
    let time = std::time::Duration::from(time.expect("every kernel that runs the Lab has this clock"));
    u64::try_from(time.as_nanos()).expect("584 years fit")
}
