//! The marks by which the guard's programs know most addresses as not guarded. A mark is there whenever the address is in
//! the map of guarded ones: it is made before, and taken away after.

use std::collections::BTreeSet;

use bytemuck::Zeroable;
use vrrp_common::abi::{GuardKey, Marks, place};

use crate::sys::bpf::SharedArray;

pub(super) struct Marking {
    marks: SharedArray<Marks>,
    marked: BTreeSet<GuardKey>,
}

impl Marking {
    /// Marks what the map holds already, from an earlier daemon. Marks of its that nobody needs stay until the next
    /// [`Self::keep`].
    pub(super) fn new(marks: SharedArray<Marks>, guarded: impl Iterator<Item = GuardKey>) -> Self {
        let mut marking = Self { marks, marked: BTreeSet::new() };
        guarded.for_each(|key| marking.enter(key));
        marking
    }

    /// To be called before the map has the address.
    pub(super) fn enter(&mut self, key: GuardKey) {
        self.marked.insert(key);
        let (word, bit) = Marks::bit(place(key.address));
        self.write(word, self.marks.read(0).words[word] | bit);
    }

    /// To be called when the map has the address no more.
    pub(super) fn leave(&mut self, key: &GuardKey) {
        self.marked.remove(key);
        self.rewrite();
    }

    /// To be called when the map has these addresses alone.
    pub(super) fn keep(&mut self, known: &BTreeSet<GuardKey>) {
        self.marked.retain(|key| known.contains(key));
        self.rewrite();
    }

    /// Word by word: one that stays is not touched.
    fn rewrite(&self) {
        let mut marks = Marks::zeroed();
        for key in &self.marked {
            let (word, bit) = Marks::bit(place(key.address));
            marks.words[word] |= bit;
        }
        self.marks.write(0, &marks);
    }

    fn write(&self, word: usize, bits: u64) {
        self.marks.set_word(0, word * size_of::<u64>(), bits);
    }
}
