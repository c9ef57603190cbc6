//! What the daemon and the guard share: leases, guarded addresses, counted packets. Whether a lease lets a packet
//! pass is in [`crate::judge::passage`].

use bytemuck::{Pod, Zeroable};

use super::Address;

/// The lease of one router's addresses. One word has one writer, so that no reader sees half of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LeaseRecord {
    /// The clock in nanoseconds before the daemon looked and sent; written by the daemon.
    pub granted: u64,
    /// When it ends, in nanoseconds of that clock; 0 for closed. Written by the daemon.
    pub until: u64,
    /// When the last advertisement was heard that beats this router; written by the receive path.
    pub superseded: u64,
}

/// A guarded address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(C)]
pub struct GuardKey {
    /// The address.
    pub address: Address,
    /// The interface that it counts on: for a link-local address, which other links may have too; else 0, for
    /// Linux answers for its addresses on any interface.
    pub ifindex: u64,
}

impl GuardKey {
    /// The key of an address in a packet on the interface `ifindex`.
    #[inline(always)]
    pub const fn new(address: Address, ifindex: u32) -> Self {
        Self { address, ifindex: if address.is_link_local() { ifindex as u64 } else { 0 } }
    }
}

/// A bit for each address that may be guarded, and for those that share it: a word that is read tells most packets from
/// those that are worth a look at the map of guarded addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Marks {
    /// The bits. One that is missing opens the guard for an address, one too many costs time.
    pub words: [u64; 64],
}

impl Marks {
    /// The number of an address's word, and its bit there.
    #[inline(always)]
    pub const fn place(address: Address) -> (usize, u64) {
        let [high, low] = address.halves();
        // Fibonacci hashing: the upper bits depend on all of them.
        let hash = (high ^ low).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((hash >> 58) as usize, 1 << ((hash >> 52) & 63))
    }
}

/// What the guard does with a packet to or from a guarded address, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Passage {
    /// It passes: the lease holds.
    Open,
    /// The daemon has closed the lease, or never opened it.
    Closed,
    /// A better router was heard since it was granted.
    Superseded,
    /// It ran out.
    Expired,
}

impl Passage {
    /// Every passage, in the order of its number.
    pub const ALL: [Self; 4] = [Self::Open, Self::Closed, Self::Superseded, Self::Expired];

    /// A stable word for status and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
        }
    }
}

/// Packets to and from the addresses of one router, by the number of their [`Passage`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Passages {
    /// Packets of each.
    pub packets: [u64; Passage::ALL.len()],
}

/// The most guarded addresses of all routers together.
pub const GUARDED: u32 = 16384;

const _: () = assert!(size_of::<LeaseRecord>() == 24);
const _: () = assert!(size_of::<GuardKey>() == 24);
const _: () = assert!(size_of::<Marks>() == 512);
const _: () = assert!(size_of::<Passages>() == 32);
