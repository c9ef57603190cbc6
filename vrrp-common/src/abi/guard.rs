//! What the daemon and the guard share: leases, guarded addresses, counted packets. Whether a lease lets a packet
//! pass is in [`crate::judge::passage`].

use bytemuck::{Pod, Zeroable};

use super::Address;

/// The lease of one router's addresses, written by the daemon: no reader sees half of a word. What closes it besides is
/// [`super::Record::superseded`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LeaseRecord {
    /// The clock in nanoseconds before the daemon looked and sent.
    pub granted: u64,
    /// When it ends, in nanoseconds of that clock; 0 for closed.
    pub until: u64,
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

/// The number that an address shares with few others: its bit in [`Marks`], and its [`Cell`].
#[inline(always)]
pub const fn place(address: Address) -> u32 {
    let [high, low] = address.halves();
    // Fibonacci hashing: the upper bits depend on all of them.
    ((high ^ low).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as u32
}

/// How many numbers [`place`] gives.
pub const PLACES: u32 = 1 << 12;

/// A bit for each address that may be guarded, and for those that share it: a word that is read tells most packets from
/// those that are worth a look at the guarded addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Marks {
    /// The bits. One that is missing opens the guard for an address, one too many costs time.
    pub words: [u64; (PLACES / u64::BITS) as usize],
}

impl Marks {
    /// The number of a place's word, and its bit there.
    #[inline(always)]
    pub const fn bit(place: u32) -> (usize, u64) {
        ((place / u64::BITS) as usize, 1 << (place % u64::BITS))
    }
}

/// One guarded address of those that share a place, and its slot: found by an index, where the map of guarded addresses
/// has to hash and to compare. It never says other than the map, and what it does not say, the map does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Cell {
    /// The address. Changed only while nobody owns the cell.
    pub address: Address,
    /// Slot and interface in one word; 0 for a cell that says nothing.
    pub owner: u64,
}

impl Cell {
    /// Tells slot 0 from nothing.
    const OWNED: u64 = 1 << 31;

    /// The cell of a guarded address.
    pub const fn new(key: GuardKey, slot: u32) -> Self {
        Self { address: key.address, owner: key.ifindex << 32 | Self::OWNED | slot as u64 }
    }

    /// The address that it speaks of.
    pub const fn key(&self) -> Option<GuardKey> {
        let key = GuardKey { address: self.address, ifindex: self.owner >> 32 };
        if self.owner & Self::OWNED == 0 { None } else { Some(key) }
    }

    /// The slot of an address, if the cell speaks of that one.
    #[inline(always)]
    pub fn slot(&self, key: &GuardKey) -> Option<u32> {
        let slot = self.owner ^ (key.ifindex << 32 | Self::OWNED);
        (slot < Self::OWNED && self.address == key.address).then_some(slot as u32)
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

const _: () = assert!(size_of::<LeaseRecord>() == 16);
const _: () = assert!(size_of::<GuardKey>() == 24);
const _: () = assert!(size_of::<Marks>() == 512);
const _: () = assert!(size_of::<Cell>() == 24);
const _: () = assert!(size_of::<Passages>() == 32);

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::*;

    #[test]
    fn a_cell_tells_the_slot_of_its_own_address_alone() {
        let key = |text: &str, ifindex| GuardKey::new(text.parse::<IpAddr>().unwrap().into(), ifindex);
        let keys = [key("192.0.2.1", 7), key("2001:db8::1", 7), key("fe80::1", 7), key("fe80::1", 8)];
        for (own, slot) in keys.into_iter().zip([0, 1, 1023, 0]) {
            let cell = Cell::new(own, slot);
            assert_eq!(cell.key(), Some(own));
            for other in keys {
                assert_eq!(cell.slot(&other), (other == own).then_some(slot), "{own:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_cell_of_zeroes_tells_nothing() {
        let unspecified = GuardKey { address: Address::default(), ifindex: 0 };
        let nothing = Cell::zeroed();
        assert_eq!((nothing.key(), nothing.slot(&unspecified)), (None, None));
    }

    #[test]
    fn every_place_has_a_bit_of_its_own() {
        let mut marks = Marks::zeroed();
        for place in 0..PLACES {
            let (word, bit) = Marks::bit(place);
            assert_eq!(marks.words[word] & bit, 0, "{place}");
            marks.words[word] |= bit;
        }
        assert!(marks.words.iter().all(|word| *word == u64::MAX));
    }
}
