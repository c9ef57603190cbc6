//! The guard's part of the kernel object, for `crate::guard`: programs to attach, maps to write. No lease is decided
//! here.

use std::collections::BTreeSet;

use aya::{
    maps::{HashMap, MapData, MapError, PerCpuArray},
    programs::ProgramFd,
};
use vrrp_common::{
    abi::{GuardKey, LeaseRecord, Passage, Passages, Record},
    election::Lease,
    judge::passage,
    time::Instant,
};

use super::{cells::Cells, marks::Marking};
use crate::{
    datapath::Slot,
    pins::{Owner, Pins},
    sys::bpf::SharedArray,
};

/// What the guard needs of the kernel object.
pub struct GuardParts {
    /// To be attached.
    pub programs: GuardPrograms,
    /// To be written.
    pub maps: GuardMaps,
}

/// The loaded programs.
#[derive(Debug)]
pub struct GuardPrograms {
    /// For ingress.
    pub ingress: ProgramFd,
    /// For egress.
    pub egress: ProgramFd,
    /// Where their links are to have names.
    pub pins: Option<Pins>,
    /// Whose filters they are, where they are filters.
    pub owner: Owner,
}

/// [`Passages`] in words.
type Words = [u64; size_of::<Passages>() / 8];

/// Leases, addresses and counters.
pub struct GuardMaps {
    pub(super) leases: SharedArray<LeaseRecord>,
    pub(super) records: SharedArray<Record>,
    pub(super) guarded: HashMap<MapData, [u8; size_of::<GuardKey>()], u32>,
    pub(super) marks: Marking,
    pub(super) cells: Cells,
    pub(super) passages: PerCpuArray<MapData, Words>,
}

impl GuardMaps {
    /// Opens a lease, or keeps it open: two stores to shared memory. In between it is the old one or the new one.
    pub fn grant(&self, slot: Slot, lease: Lease) {
        self.leases.set_word(slot.0, std::mem::offset_of!(LeaseRecord, granted), lease.granted.as_nanos());
        self.leases.set_word(slot.0, std::mem::offset_of!(LeaseRecord, until), lease.until.as_nanos());
    }

    /// Closes a lease.
    pub fn close(&self, slot: Slot) {
        self.leases.set_word(slot.0, std::mem::offset_of!(LeaseRecord, until), 0);
    }

    /// The lease as it stands.
    pub fn lease(&self, slot: Slot) -> LeaseRecord {
        self.leases.read(slot.0)
    }

    /// What the programs do with a packet of the router's addresses at this instant.
    pub fn passage(&self, slot: Slot, now: Instant) -> Passage {
        passage(&self.lease(slot), self.records.superseded(slot.0), || now.as_nanos())
    }

    /// Guards an address by the lease of a router.
    ///
    /// # Errors
    /// What the kernel says; `E2BIG` for more than [`vrrp_common::abi::GUARDED`] addresses.
    pub fn enter(&mut self, key: GuardKey, slot: Slot) -> Result<(), MapError> {
        self.marks.enter(key);
        self.cells.vacate(&key);
        self.guarded.insert(bytemuck::cast::<_, [u8; size_of::<GuardKey>()]>(key), slot.0, 0)?;
        self.cells.take(key, slot);
        Ok(())
    }

    /// Guards an address no more.
    ///
    /// # Errors
    /// What the kernel says; that it was not guarded is none.
    pub fn remove(&mut self, key: &GuardKey) -> Result<(), MapError> {
        self.cells.vacate(key);
        match self.guarded.remove(&bytemuck::cast(*key)) {
            Err(MapError::KeyNotFound) => {}
            Err(MapError::SyscallError(error)) if error.io_error.raw_os_error() == Some(libc::ENOENT) => {}
            outcome => outcome?,
        }
        self.marks.leave(key);
        Ok(())
    }

    /// Guards these addresses alone, and no more what an earlier daemon guarded besides.
    pub fn sweep(&mut self, known: &BTreeSet<GuardKey>) {
        self.cells.keep(known);
        super::retain(&mut self.guarded, |key| known.contains(&bytemuck::cast(*key)));
        let left: BTreeSet<GuardKey> = self.guarded.keys().flatten().map(bytemuck::cast).collect();
        self.marks.keep(&left);
    }

    /// Packets to and from the addresses of a router, on all processors, by the number of their [`Passage`].
    pub fn passages(&self, slot: Slot) -> [u64; Passage::ALL.len()] {
        let mut sum = [0_u64; Passage::ALL.len()];
        let Ok(values) = self.passages.get(&slot.0, 0) else { return sum };
        for words in values.iter() {
            for (total, word) in sum.iter_mut().zip(words) {
                *total = total.wrapping_add(*word);
            }
        }
        sum
    }
}
