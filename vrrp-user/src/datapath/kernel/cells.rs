//! The cells by which the guard's programs find most guarded addresses without the map. None says other than the map:
//! it is vacated before the map changes, and taken after.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem::offset_of,
};

use vrrp_common::abi::{Cell, GuardKey, PLACES, place};

use crate::{datapath::Slot, sys::bpf::SharedArray};

pub(super) struct Cells(SharedArray<Cell>);

impl Cells {
    /// With what the map holds already, from an earlier daemon: perhaps one that knew no cells.
    pub(super) fn new(cells: SharedArray<Cell>, guarded: &BTreeMap<GuardKey, Slot>) -> Self {
        let cells = Self(cells);
        cells.vacate_unless(|key, cell| guarded.get(key).is_some_and(|slot| cell.slot(key) == Some(slot.0)));
        guarded.iter().for_each(|(key, slot)| cells.take(*key, *slot));
        cells
    }

    /// To be called before the map changes what it says of the address.
    pub(super) fn vacate(&self, key: &GuardKey) {
        let place = place(key.address);
        if self.0.read(place).key() == Some(*key) {
            self.empty(place);
        }
    }

    /// To be called when the map has the address. In a place that another address has it stays with the map alone.
    pub(super) fn take(&self, key: GuardKey, slot: Slot) {
        let place = place(key.address);
        if self.0.read(place).key().is_some() {
            return;
        }
        let cell = Cell::new(key, slot.0);
        // Nobody owns it until the address is there.
        self.0.write(place, &Cell { owner: 0, ..cell });
        self.0.set_word(place, offset_of!(Cell, owner), cell.owner);
    }

    /// To be called before the map has these addresses alone.
    pub(super) fn keep(&self, known: &BTreeSet<GuardKey>) {
        self.vacate_unless(|key, _| known.contains(key));
    }

    fn vacate_unless(&self, wanted: impl Fn(&GuardKey, &Cell) -> bool) {
        for place in 0..PLACES {
            let cell = self.0.read(place);
            if cell.key().is_some_and(|key| !wanted(&key, &cell)) {
                self.empty(place);
            }
        }
    }

    fn empty(&self, place: u32) {
        self.0.set_word(place, offset_of!(Cell, owner), 0);
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, net::IpAddr, os::fd::AsFd};

    use nix::sys::memfd::{MFdFlags, memfd_create};

    use super::*;

    /// Plain shared memory; dropped and mapped again, it is what the next daemon finds.
    fn memory() -> File {
        let file = File::from(memfd_create("cells", MFdFlags::empty()).unwrap());
        file.set_len(u64::from(PLACES) * size_of::<Cell>() as u64).unwrap();
        file
    }

    fn cells(memory: &File, guarded: &[(GuardKey, Slot)]) -> Cells {
        let array = SharedArray::map(memory.as_fd(), PLACES).unwrap();
        Cells::new(array, &guarded.iter().copied().collect())
    }

    fn said(cells: &Cells, key: &GuardKey) -> Option<u32> {
        cells.0.read(place(key.address)).slot(key)
    }

    /// Addresses that share a place.
    fn neighbours() -> [GuardKey; 2] {
        let key = |number: u32| GuardKey::new(IpAddr::from(number.to_be_bytes()).into(), 0);
        let first = key(0x0a00_0001);
        let shares = |other: &GuardKey| place(other.address) == place(first.address);
        [first, (0x0a00_0002..).map(key).find(shares).unwrap()]
    }

    #[test]
    fn the_first_address_of_a_place_has_its_cell_until_it_leaves() {
        let memory = memory();
        let cells = cells(&memory, &[]);
        let [first, second] = neighbours();
        cells.take(first, Slot(0));
        cells.take(second, Slot(9));
        assert_eq!([said(&cells, &first), said(&cells, &second)], [Some(0), None]);
        cells.vacate(&second);
        assert_eq!(said(&cells, &first), Some(0), "it was not the other's to vacate");
        cells.vacate(&first);
        assert_eq!(said(&cells, &first), None);
        cells.take(second, Slot(9));
        assert_eq!([said(&cells, &first), said(&cells, &second)], [None, Some(9)]);
    }

    #[test]
    fn cells_of_an_earlier_daemon_say_what_the_map_says() {
        let memory = memory();
        let key = |last: u8| GuardKey::new(IpAddr::from([192, 0, 2, last]).into(), 0);
        let earlier = cells(&memory, &[(key(1), Slot(1)), (key(2), Slot(2)), (key(3), Slot(3))]);
        drop(earlier);
        // One has gone, one has another router, one is new: a daemon that knew no cells was here.
        let next = cells(&memory, &[(key(2), Slot(7)), (key(3), Slot(3)), (key(4), Slot(4))]);
        assert_eq!([1, 2, 3, 4].map(|last| said(&next, &key(last))), [None, Some(7), Some(3), Some(4)]);
        next.keep(&BTreeSet::from([key(2), key(4)]));
        assert_eq!([1, 2, 3, 4].map(|last| said(&next, &key(last))), [None, Some(7), None, Some(4)]);
    }
}
