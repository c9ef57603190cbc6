//! The election of one virtual router (RFC 9568 §6, RFC 3768 §6): inputs and instants in, actions out.
//!
//! Pure: no I/O, no clock, no allocation. A timer is a deadline in the state, see
//! [`VirtualRouter::deadline`]; the caller sleeps until the earliest one and hands in [`Input::Timer`].

mod actions;
mod active;
mod actives;
mod backup;
mod display;
pub mod groups;
mod own;
mod priority;
mod replay;
mod router;
mod timers;
mod types;

pub use actions::Actions;
pub use priority::{OWNER, effective_priority};
pub use replay::{replay, steady};
pub use router::VirtualRouter;
pub use timers::{active_down_interval, lease_until, skew_time};
pub use types::{
    Action, Advertised, Announcement, Fault, Input, Lease, Parameters, Peer, Reason, State, Transition,
};
