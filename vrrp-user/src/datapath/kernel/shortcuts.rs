//! The shortcuts by which programs find most routers without the map. None says other than the map: it is vacated before
//! the map changes, and taken after.

use std::collections::{BTreeMap, BTreeSet};

use vrrp_common::abi::{RouterKey, SHORTCUTS, Shortcut};

use crate::{datapath::Slot, sys::bpf::SharedArray};

pub(super) struct Shortcuts(SharedArray<Shortcut>);

impl Shortcuts {
    /// With what the map holds already, from an earlier daemon: perhaps one that knew no shortcuts.
    pub(super) fn new(array: SharedArray<Shortcut>, routers: &BTreeMap<RouterKey, Slot>) -> Self {
        let shortcuts = Self(array);
        shortcuts.keep(routers.iter().map(|(key, slot)| (*key, *slot)));
        routers.iter().for_each(|(key, slot)| shortcuts.take(key, *slot));
        shortcuts
    }

    /// To be called before the map changes what it says of the router.
    pub(super) fn vacate(&self, key: &RouterKey) {
        if self.0.read(key.place()).slot(key.ifindex).is_some() {
            self.0.set_word(key.place(), 0, 0);
        }
    }

    /// To be called when the map has the router. In a place that another one has it stays with the map alone.
    pub(super) fn take(&self, key: &RouterKey, slot: Slot) {
        if self.0.read(key.place()).is_free() {
            self.0.write(key.place(), &Shortcut::new(key.ifindex, slot.0));
        }
    }

    /// To be called before the map has these routers alone.
    pub(super) fn keep(&self, known: impl Iterator<Item = (RouterKey, Slot)>) {
        let known = known.map(|(key, slot)| (key.place(), Shortcut::new(key.ifindex, slot.0)));
        let known: BTreeSet<(u32, Shortcut)> = known.collect();
        for place in 0..SHORTCUTS {
            let shortcut = self.0.read(place);
            if !shortcut.is_free() && !known.contains(&(place, shortcut)) {
                self.0.set_word(place, 0, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::fd::AsFd};

    use nix::sys::memfd::{MFdFlags, memfd_create};

    use super::*;

    /// Plain shared memory; dropped and mapped again, it is what the next daemon finds.
    fn memory() -> File {
        let file = File::from(memfd_create("shortcuts", MFdFlags::empty()).unwrap());
        file.set_len(u64::from(SHORTCUTS) * size_of::<Shortcut>() as u64).unwrap();
        file
    }

    fn shortcuts(memory: &File, routers: &[(RouterKey, Slot)]) -> Shortcuts {
        let array = SharedArray::map(memory.as_fd(), SHORTCUTS).unwrap();
        Shortcuts::new(array, &routers.iter().copied().collect())
    }

    fn said(shortcuts: &Shortcuts, key: &RouterKey) -> Option<u32> {
        shortcuts.0.read(key.place()).slot(key.ifindex)
    }

    const fn key(ifindex: u32, vrid: u8) -> RouterKey {
        RouterKey { ifindex, vlan: 0, family: 4, vrid }
    }

    #[test]
    fn the_first_router_of_a_place_has_its_shortcut_until_it_leaves() {
        let memory = memory();
        let shortcuts = shortcuts(&memory, &[]);
        let [first, second] = [key(3, 51), key(11, 51)];
        assert_eq!(first.place(), second.place());
        shortcuts.take(&first, Slot(0));
        shortcuts.take(&second, Slot(9));
        assert_eq!([said(&shortcuts, &first), said(&shortcuts, &second)], [Some(0), None]);
        shortcuts.vacate(&second);
        assert_eq!(said(&shortcuts, &first), Some(0), "it was not the other's to vacate");
        shortcuts.vacate(&first);
        shortcuts.take(&second, Slot(9));
        assert_eq!([said(&shortcuts, &first), said(&shortcuts, &second)], [None, Some(9)]);
    }

    #[test]
    fn shortcuts_of_an_earlier_daemon_say_what_the_map_says() {
        let memory = memory();
        let of = |vrids: &[(u8, u32)]| {
            vrids.iter().map(|&(vrid, slot)| (key(3, vrid), Slot(slot))).collect::<Vec<_>>()
        };
        drop(shortcuts(&memory, &of(&[(1, 1), (2, 2), (3, 3)])));
        // One has gone, one has another slot, one is new: a daemon that knew no shortcuts was here.
        let next = shortcuts(&memory, &of(&[(2, 7), (3, 3), (4, 4)]));
        assert_eq!([1, 2, 3, 4].map(|vrid| said(&next, &key(3, vrid))), [None, Some(7), Some(3), Some(4)]);
        next.keep(of(&[(2, 7), (4, 4)]).into_iter());
        assert_eq!([1, 2, 3, 4].map(|vrid| said(&next, &key(3, vrid))), [None, Some(7), None, Some(4)]);
    }
}
