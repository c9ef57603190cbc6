//! The way to a router's slot without hashing, as programs and daemon share it.

use bytemuck::{Pod, Zeroable};

use super::RouterKey;

/// How many numbers [`RouterKey::place`] gives.
pub const SHORTCUTS: u32 = 1 << 12;

impl RouterKey {
    /// The number that a router shares with those of other interfaces only: its [`Shortcut`].
    #[inline(always)]
    pub const fn place(&self) -> u32 {
        (self.ifindex & 7) << 9 | ((self.family == 6) as u32) << 8 | self.vrid as u32
    }
}

/// The slot of one of the routers that share a place, in one word: found by an index, where the map of routers has to hash
/// and to compare. It never says other than the map, and what it does not say, the map does. 0 says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(transparent)]
pub struct Shortcut(u64);

impl Shortcut {
    /// Tells slot 0 from nothing.
    const TAKEN: u64 = 1 << 31;

    /// The way to `slot` for a router on this interface, without a VLAN tag.
    pub const fn new(ifindex: u32, slot: u32) -> Self {
        Self((ifindex as u64) << 32 | Self::TAKEN | slot as u64)
    }

    /// The slot, if it speaks of a router on this interface.
    #[inline(always)]
    pub const fn slot(self, ifindex: u32) -> Option<u32> {
        let slot = self.0 ^ ((ifindex as u64) << 32 | Self::TAKEN);
        if slot < Self::TAKEN { Some(slot as u32) } else { None }
    }

    /// Whether it speaks of none.
    pub const fn is_free(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn it_speaks_of_one_interface() {
        for (ifindex, slot) in [(1, 0), (7, 1023), (u32::MAX, 5)] {
            let shortcut = Shortcut::new(ifindex, slot);
            assert!(!shortcut.is_free());
            assert_eq!(shortcut.slot(ifindex), Some(slot));
            assert_eq!([shortcut.slot(ifindex ^ 8), shortcut.slot(0)], [None; 2]);
        }
        assert_eq!([0, 1].map(|ifindex| Shortcut::default().slot(ifindex)), [None; 2]);
    }

    #[test]
    fn routers_of_one_interface_share_no_place() {
        let mut taken = [false; SHORTCUTS as usize];
        for (family, vrid) in [4, 6].into_iter().flat_map(|family| (0..=255).map(move |vrid| (family, vrid)))
        {
            let place = RouterKey { ifindex: 0xffff_ffff, vlan: 0, family, vrid }.place();
            assert!(!std::mem::replace(&mut taken[place as usize], true), "{family} {vrid}");
        }
    }
}
