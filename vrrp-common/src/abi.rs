//! Records that kernel programs and daemon share: fixed layout, explicit padding, no behaviour beyond access.
//!
//! Every type is `repr(C)` and `Pod`; sizes are asserted. Change a layout only together with [`ABI_VERSION`].

mod address;
mod guard;
mod heard;
mod shortcut;

use bytemuck::{Pod, Zeroable};

pub use address::Address;
pub use guard::{Cell, GUARDED, GuardKey, LeaseRecord, Marks, PLACES, Passage, Passages, place};
pub use heard::{Heard, Record, Repeat, SENDERS, Stamp};
pub use shortcut::{SHORTCUTS, Shortcut};

use crate::wire::DropReason;

/// A line of memory, in bytes: what a processor fetches at once, and takes from another that wrote to it.
const LINE: usize = 64;

/// The version of every layout in this module; part of the path that pinned maps live under.
pub const ABI_VERSION: u32 = 2;

/// Which virtual router a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(C)]
pub struct RouterKey {
    /// The interface that received the packet.
    pub ifindex: u32,
    /// The 802.1Q VLAN identifier of a tag that is still on the packet; 0 for none (and for priority tags).
    pub vlan: u16,
    /// 4 or 6, see [`crate::wire::Family`].
    pub family: u8,
    /// 1 to 255.
    pub vrid: u8,
}

impl RouterKey {
    /// Its bytes as they lie in memory, in one word.
    #[inline(always)]
    pub const fn word(self) -> u64 {
        let [a, b, c, d] = self.ifindex.to_ne_bytes();
        let [e, f] = self.vlan.to_ne_bytes();
        u64::from_ne_bytes([a, b, c, d, e, f, self.family, self.vrid])
    }
}

/// What the daemon last said about a router: state, priority and preemption in one word, so that a reader
/// never sees half of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Standing(u16);

impl Standing {
    const ACTIVE: u16 = 1 << 8;
    const PREEMPT: u16 = 1 << 9;
    const WATCH_LOSING: u16 = 1 << 10;

    /// A standing from its parts. `watch_losing` asks to be told of losing advertisements in Backup too.
    pub const fn new(priority: u8, active: bool, preempt: bool, watch_losing: bool) -> Self {
        let mut word = priority as u16;
        if active {
            word |= Self::ACTIVE;
        }
        if preempt {
            word |= Self::PREEMPT;
        }
        if watch_losing {
            word |= Self::WATCH_LOSING;
        }
        Self(word)
    }

    /// The effective priority, 1 to 255.
    pub const fn priority(self) -> u8 {
        self.0 as u8
    }

    /// Whether the router is Active.
    pub const fn active(self) -> bool {
        self.0 & Self::ACTIVE != 0
    }

    /// Whether a Backup lets advertisements of lower priority run into its timer (Preempt_Mode).
    pub const fn preempt(self) -> bool {
        self.0 & Self::PREEMPT != 0
    }

    /// Whether losing advertisements are worth an event in Backup.
    pub const fn watch_losing(self) -> bool {
        self.0 & Self::WATCH_LOSING != 0
    }
}

/// Everything that [`crate::judge::judge`] needs to know of one router: one line of memory. Written by the daemon only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct RouterView {
    /// State, priority and preemption.
    pub standing: Standing,
    /// VRRP version, 2 or 3.
    pub version: u8,
    /// VRRPv2 authentication type: 0 none, 1 simple text password.
    pub auth_type: u8,
    /// [`RouterView::UNICAST`], [`RouterView::STRICT`], [`RouterView::ADMITS`] and [`RouterView::NO_ADDRESSES`].
    pub flags: u16,
    /// Another number for every change of the view and of whom the router listens to. In one word with the above, which
    /// the daemon writes last.
    pub serial: u16,
    /// The address that we send with: the tie-break's own side, and what "self" means (reference row R18).
    pub source: Address,
    /// The multicast group; ignored with [`RouterView::UNICAST`].
    pub group: Address,
    /// [`crate::judge::digest`] of the configured address list.
    pub digest: u64,
    /// VRRPv2: the password, zero padded (RFC 2338 §5.3.10); zero otherwise.
    pub password: [u8; 8],
    /// VRRPv2: the Advertisement_Interval in nanoseconds that others must use too; zero otherwise.
    pub interval: u64,
}

impl RouterView {
    /// Advertisements come from configured peers to our own address; multicast ones are not for us.
    pub const UNICAST: u16 = 1;
    /// `vrrp_strict`: an address list that differs, or an IPv6 list that does not begin with a link-local
    /// address, is refused and not only counted.
    pub const STRICT: u16 = 2;
    /// Only who [`crate::judge::Peers::admits`] is listened to (`accept_from`).
    pub const ADMITS: u16 = 4;
    /// The router has no addresses (`no_virtual_ipaddress`), and so listens to others that advertise none.
    pub const NO_ADDRESSES: u16 = 8;

    /// This one in place of `before`.
    pub const fn after(self, before: &Self) -> Self {
        Self { serial: before.serial.wrapping_add(1), ..self }
    }

    /// The same, if it says anything else.
    pub fn instead_of(self, before: &Self) -> Option<Self> {
        (Self { serial: before.serial, ..self } != *before).then(|| self.after(before))
    }
}

/// Packets that did not count, by reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Tally {
    /// Packets refused, by the number of their [`DropReason`].
    pub refused: [u64; DropReason::COUNT],
}

/// The last packet that was refused for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Refusal {
    /// When it was received, nanoseconds of the one clock; 0 for never.
    pub at: u64,
    /// Who sent it, by its own account.
    pub source: Address,
}

/// The last packets that were refused for one router, by the number of their [`DropReason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Refusals {
    /// One for each reason.
    pub last: [Refusal; DropReason::COUNT],
}

/// A unicast peer of one router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pod, Zeroable)]
#[repr(C)]
pub struct PeerKey {
    /// The router.
    pub slot: u32,
    /// Explicit padding.
    pub reserved: u32,
    /// The peer.
    pub source: Address,
}

/// The TTLs or hop limits that a unicast peer's advertisements may arrive with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct TtlRange {
    /// The lowest that is accepted.
    pub lowest: u8,
    /// The highest that is accepted.
    pub highest: u8,
}

/// Senders that one router admits (`accept_from`), as the kernel's trie of prefixes has them behind the length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pod, Zeroable)]
#[repr(C)]
pub struct Admitted {
    /// The router.
    pub slot: u32,
    /// The bytes of the network's [`Address`].
    pub network: [u8; 16],
}

impl Admitted {
    /// The bits in front of the network's own, which every entry has: the slot.
    pub const SLOT_BITS: u32 = 32;
    /// The bits of a whole key.
    pub const BITS: u32 = Self::SLOT_BITS + 128;
}

/// An interface that is listened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Station {
    /// Its hardware address.
    pub mac: [u8; 6],
    /// Explicit padding.
    pub reserved: u16,
}

/// There is news for a router, and this is the advertisement that made them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Event {
    /// The router.
    pub slot: u32,
    /// How many bytes of `message` there are; 0 if it is longer than [`MESSAGE_BYTES`].
    pub length: u16,
    /// 4 or 6, see [`crate::wire::Family`].
    pub family: u16,
    /// Who sent it.
    pub source: Address,
    /// The message as it was on the wire, judged valid. What is behind it is left from others.
    pub message: [u8; MESSAGE_BYTES],
}

/// The longest message that an event carries: 126 IPv4 addresses or 31 IPv6 ones.
pub const MESSAGE_BYTES: usize = 512;

/// The most virtual routers that the kernel hears for: every VRID in both families, twice.
pub const SLOTS: u32 = 1024;
/// The most unicast peers of all routers together.
pub const UNICAST_PEERS: u32 = 8192;
/// The most prefixes in the `accept_from` of all routers together.
pub const ADMISSIONS: u32 = 8192;
/// The most interfaces that the kernel listens on.
pub const INTERFACES: u32 = 512;
/// The size of the ring buffer in bytes: with one outstanding event a slot, and a header of 8 bytes for each, it
/// cannot fill.
pub const EVENT_BYTES: u32 = 1024 * 1024;

const _: () = assert!(size_of::<RouterKey>() == 8);
const _: () = assert!(size_of::<Tally>() == 152);
const _: () = assert!(size_of::<Refusals>() == 456);
const _: () = assert!(size_of::<PeerKey>() == 24);
const _: () = assert!(size_of::<TtlRange>() == 2);
const _: () = assert!(size_of::<Admitted>() * 8 == Admitted::BITS as usize);
const _: () = assert!(size_of::<Station>() == 8);
const _: () = assert!(size_of::<Event>() == 536);
const _: () = assert!(EVENT_BYTES as usize >= SLOTS as usize * (size_of::<Event>() + 8));
const _: () = assert!(EVENT_BYTES.is_power_of_two());
const _: () = assert!(size_of::<RouterView>() == LINE);
