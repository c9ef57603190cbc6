//! What was heard for a router, as programs and daemon share it. What moves it is in [`crate::judge::record`].

use bytemuck::{Pod, Zeroable};

use super::{Address, LINE};

/// How many senders a router remembers: more than there are routers of one VRID on a link.
pub const SENDERS: usize = 8;

/// One kind of advertisement, or those of one sender, as last heard. Times only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Stamp {
    /// When it was received, nanoseconds of the one clock; 0 for never.
    pub at: u64,
    /// Who sent it.
    pub source: Address,
    /// The sender's interval in nanoseconds.
    pub interval: u64,
    /// [`crate::judge::digest`] of its address list.
    pub digest: u64,
    /// The sender's priority, 0 to 255.
    pub priority: u32,
    /// Explicit padding.
    pub reserved: u32,
    /// How many were heard: of this kind, or of this sender since it has a place.
    pub count: u64,
}

/// The last advertisement, and how often it came again: all that a steady Active moves. With what else is written then it
/// is one line of memory, where stamps and counters are a dozen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Repeat {
    /// When the last advertisement of all was received, nanoseconds of the one clock; 0 for never.
    pub at: u64,
    /// How often it came again, in nobody's stamps yet.
    pub count: u32,
    /// Another number for each advertisement that was not the same again.
    pub turn: u16,
    /// Its sender's place among [`Heard::peers`].
    pub place: u16,
    /// Who sent it.
    pub source: Address,
    /// Its [`crate::judge::print`]; 0 if the next one is not to be compared with it.
    pub print: u64,
    /// What else it was: the priority, the bits below, and the interval in nanoseconds, which takes 38 bits. 0 for never.
    pub terms: u64,
}

impl Repeat {
    /// It moves [`Heard::accepted`].
    pub const ACCEPTED: u64 = 1 << 8;
    /// It moves [`Heard::better`].
    pub const BETTER: u64 = 1 << 9;
    /// It moves [`Heard::losing`].
    pub const LOSING: u64 = 1 << 10;
    /// It is counted in [`Heard::checksum_message`].
    pub const MESSAGE: u64 = 1 << 11;
    /// It is counted in [`Heard::checksum_pseudo`].
    pub const PSEUDO: u64 = 1 << 12;
    /// It is counted in [`Heard::differing_list`].
    pub const DIFFERING: u64 = 1 << 13;
    /// It is counted in [`Heard::first_not_link_local`].
    pub const NOT_LINK_LOCAL: u64 = 1 << 14;
    /// It is counted in [`Heard::second_owner`].
    pub const SECOND_OWNER: u64 = 1 << 15;
    /// Where the interval begins.
    pub const INTERVAL: u32 = 16;

    /// The sender's priority.
    pub const fn priority(&self) -> u8 {
        self.terms as u8
    }

    /// The sender's interval in nanoseconds.
    pub const fn interval(&self) -> u64 {
        self.terms >> Self::INTERVAL
    }

    /// Whether it beats the router, and so closes what was granted before.
    pub const fn is_better(&self) -> bool {
        self.terms & Self::BETTER != 0
    }

    /// Whether `later` is the same advertisement, come again or not, and no other was in between.
    pub fn goes_on(&self, later: &Self) -> bool {
        later.terms != 0 && Self { at: later.at, count: later.count, ..*self } == *later
    }
}

/// What was heard for one router, written by the receive path only, read by the daemon at any time.
///
/// An advertisement may be of two kinds: one of equal priority from a lower address is accepted by a Backup
/// and loses to an Active. Stamps and counters lack what [`Heard::repeat`] says: see [`crate::judge::settled`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Heard {
    /// The last advertisement, and how often it came again.
    pub repeat: Repeat,
    /// A Backup restarts its timer on these (RFC 9568 §6.4.2: priority not lower, or no preemption).
    pub accepted: Stamp,
    /// An Active yields to these (RFC 9568 §6.4.3: higher priority, or equal and a higher address).
    pub better: Stamp,
    /// An Active answers these (RFC 9568 §6.4.3 otherwise).
    pub losing: Stamp,
    /// Priority 0: the sender resigned.
    pub resigned: Stamp,
    /// The last of each sender. Beyond [`SENDERS`] the one heard longest ago loses its place, so forgers
    /// can crowd a peer out of here; the last of each kind stays.
    pub peers: [Stamp; SENDERS],
    /// Accepted with the checksum over the message only (VRRPv3 over IPv4, RFC 9568 §5.2.8).
    pub checksum_message: u64,
    /// Accepted with the checksum over pseudo-header and message (VRRPv3 over IPv4, RFC 5798 reading).
    pub checksum_pseudo: u64,
    /// Accepted although the address list differs from ours.
    pub differing_list: u64,
    /// Accepted although the first IPv6 address is not link-local.
    pub first_not_link_local: u64,
    /// Accepted although we own the addresses (priority 255): two owners (erratum 8298).
    pub second_owner: u64,
}

/// [`Heard`] as it lies in memory that programs and daemon share, in whole lines. The first has all that a steady Active
/// moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Record {
    /// Odd while somebody writes. Who reads the record reads this before and after: equal and even, or again.
    pub version: u64,
    /// When the last advertisement was heard that beats this router: what the guard asks for with each packet. A lease
    /// that was granted before is closed by it.
    pub superseded: u64,
    /// The record.
    pub heard: Heard,
    /// 1 from when an event was raised until the daemon, about to look at the record, clears it.
    pub pending: u64,
    /// Not 0 from when a packet was refused until the daemon, about to look at the counters, clears it: they are for
    /// each processor, and reading them is a system call.
    pub refused: u64,
    /// Explicit padding.
    pub reserved: [u64; 5],
}

const _: () = assert!(size_of::<Stamp>() == 56);
const _: () = assert!(core::mem::offset_of!(Record, heard.repeat) + size_of::<Repeat>() == LINE);
const _: () = assert!(size_of::<Record>() == 13 * LINE);
