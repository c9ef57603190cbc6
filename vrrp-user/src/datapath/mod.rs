//! Where advertisements come in: the one interface between the node and whatever hears them.
//!
//! A datapath judges packets and keeps records; it knows no timers and no states. What a record means is for
//! [`vrrp_common::election`] to say.

mod auto;
mod counters;
mod error;
mod kernel;
mod lists;
mod membership;
mod peers;
mod port;
mod socket;
pub mod survey;

#[cfg(test)]
mod auto_tests;
#[cfg(test)]
mod lab_tests;
#[cfg(test)]
mod lists_tests;
#[cfg(test)]
mod shape_tests;

use std::{io, net::IpAddr, os::fd::BorrowedFd};

pub use auto::AutoPath;
pub use counters::Counters;
pub use error::DatapathError;
pub use kernel::{GuardMaps, GuardParts, GuardPrograms};
pub use socket::SocketPath;
use vrrp_common::{
    abi::{Heard, Repeat, RouterView, Stamp},
    judge::DropReason,
    time::Instant,
    wire::Family,
};

use crate::{
    config::model::{Network, Receive, UnicastPeer},
    pins::Owner,
};

/// Removes the filter of clsact that a daemon which was killed left on an interface.
///
/// # Errors
/// What the kernel says; that none is there is fine.
pub fn detach_filter(interface: u32, owner: Owner) -> io::Result<()> {
    kernel::detach_filter(interface, owner)
}

/// The node's number of a virtual router, from zero; the index of its records on every datapath.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

/// What a datapath needs to know to listen for one virtual router.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The router's number.
    pub slot: Slot,
    /// The number of the interface to listen on.
    pub interface: u32,
    /// 1 to 255.
    pub vrid: u8,
    /// Address family.
    pub family: Family,
    /// The multicast group to join; with [`RouterView::UNICAST`] none is.
    pub group: IpAddr,
    /// What packets are judged by.
    pub view: RouterView,
    /// Who may send with [`RouterView::UNICAST`].
    pub peers: Vec<UnicastPeer>,
    /// Who may send with [`RouterView::ADMITS`].
    pub accept_from: Vec<Network>,
    /// Which datapath the configuration asks for.
    pub receive: Receive,
}

/// How a router hears, and why not in a better way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// "xdp", "xdp-generic", "tcx", "clsact" or "socket"; stable, for status and metrics.
    pub name: &'static str,
    /// For people.
    pub reason: String,
}

/// The last packet that was refused for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRefused {
    /// Who sent it, by its own account.
    pub source: IpAddr,
    /// When it arrived.
    pub at: Instant,
}

/// How far [`Datapath::drain`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Everything that had arrived was judged.
    Drained,
    /// More waits; the descriptor stays readable.
    More,
}

/// Hears, judges and records advertisements for any number of virtual routers.
///
/// The rule for deadlines: before a router's time is judged to have run out, call [`Self::drain`], and judge
/// deadlines up to [`Self::judged_until`] only. What arrived in time counts, however late the daemon runs.
pub trait Datapath {
    /// A descriptor that is readable while something waits to be drained.
    fn readiness(&self) -> BorrowedFd<'_>;

    /// Begins to listen for a router.
    ///
    /// # Errors
    /// [`DatapathError`]; then nothing of it is left behind.
    fn attach(&mut self, binding: Binding) -> Result<(), DatapathError>;

    /// Stops listening for a router and forgets what was heard. Nothing happens if it is not attached.
    fn detach(&mut self, slot: Slot);

    /// Replaces what the packets of a router are judged by. Nothing happens if it is not attached.
    fn update(&mut self, slot: Slot, view: RouterView);

    /// Judges and records what waits, a bounded amount of it, and adds the routers with news to `changed`, each
    /// once. A Backup's steady advertisements are no news: read [`Self::heard`] when its deadline is near.
    ///
    /// # Errors
    /// When the kernel refuses to be read from; what was read before is recorded.
    fn drain(&mut self, changed: &mut Vec<Slot>) -> Result<Progress, DatapathError>;

    /// Every advertisement for the router that arrived before this instant has been judged. The present as of
    /// the last [`Self::drain`], unless that left [`Progress::More`] on the router's interface or a silence there may be
    /// our own: see [`Self::patience`].
    fn judged_until(&self, slot: Slot) -> Instant;

    /// Until when it is worth waiting before silence is believed, if it is being looked into whether it is ours: until
    /// then, or until [`Self::readiness`] tells that it is known.
    fn patience(&self) -> Option<Instant> {
        None
    }

    /// What was heard for the router, [`settled`](vrrp_common::judge::settled); empty if it is not attached.
    fn heard(&self, slot: Slot) -> Heard;

    /// [`Heard::repeat`] where that costs less than [`Self::heard`] and no event is outstanding: whatever is not told by
    /// this was told by an event.
    fn repeat(&self, _slot: Slot) -> Option<Repeat> {
        None
    }

    /// What was heard for a slot since the daemon before this one; empty where nobody listened meanwhile. For a router
    /// that is not attached yet.
    fn left(&mut self, slot: Slot) -> Heard;

    /// Every router was attached, if it can be: what is left of an earlier daemon is nobody's.
    fn started(&mut self);

    /// The next daemon goes on from here: what hears by itself stays when this is dropped.
    fn leave(&mut self);

    /// The address list that a sender in [`Heard::peers`] was heard with, if it is not the router's own and could be
    /// read.
    fn list(&self, slot: Slot, sender: &Stamp) -> Option<Vec<IpAddr>>;

    /// Packets for the router; empty if it is not attached.
    fn counters(&self, slot: Slot) -> Counters;

    /// Whether [`Self::counters`] may count refusals that they did not when this was asked last: reading them may cost a
    /// system call, this does not.
    fn refused_anew(&self, slot: Slot) -> bool;

    /// The last packet for the router that was refused for this reason; `None` if there was none.
    fn last_refused(&self, slot: Slot, reason: DropReason) -> Option<LastRefused>;

    /// Packets on the interface that are for no router of ours, and packets that the kernel lost there.
    fn strangers(&self, interface: u32) -> Counters;

    /// How the router hears.
    fn rung(&self, slot: Slot) -> Rung;
}
