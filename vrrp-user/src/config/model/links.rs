//! When a change of a link counts.

use vrrp_common::time::Interval;

/// A line of `interface_up_down_delays`: a change that is taken back within its delay never happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkDelay {
    /// The interface.
    pub interface: String,
    /// How long it must be down, at most 255 s.
    pub down: Interval,
    /// How long it must be up, at most 255 s.
    pub up: Interval,
}
