//! The leases of all routers in shared memory of a file: they outlive the process, and a store is all that it
//! takes to renew one.

use std::{
    fs::OpenOptions,
    io,
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::Path,
};

use bytemuck::{Pod, Zeroable};
use nix::fcntl::posix_fallocate;
use vrrp_common::{abi::SLOTS, election::Lease, time::Instant};

use super::trust;
use crate::{datapath::Slot, sys::bpf::SharedArray};

/// One lease. Zeros: there is none.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct Words {
    granted: u64,
    until: u64,
}

/// By slot. Nothing is kept for slots beyond the last one.
#[derive(Debug)]
pub struct Leases(Option<SharedArray<Words>>);

impl Leases {
    /// Leases that end with the process.
    pub fn nowhere() -> Self {
        Self(None)
    }

    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW);
        let file = options.open(path)?;
        trust(&file, path)?;
        let bytes = size_of::<Words>() * SLOTS as usize;
        // All of it now: a store into memory that the file system has no room for would end the process.
        posix_fallocate(&file, 0, bytes.cast_signed() as libc::off_t)?;
        Ok(Self(Some(SharedArray::map(file.as_fd(), SLOTS)?)))
    }

    /// What was written last; `None` if that was nothing, or a lease was let go of.
    pub fn read(&self, slot: Slot) -> Option<Lease> {
        let Words { granted, until } = self.0.as_ref()?.read(slot.0);
        let instant = Instant::from_nanos;
        (until != 0).then(|| Lease { granted: instant(granted), until: instant(until) })
    }

    /// The router holds its addresses until then, unless this is written again.
    pub fn write(&self, slot: Slot, lease: Lease) {
        self.set(slot, Words { granted: lease.granted.as_nanos(), until: lease.until.as_nanos() });
    }

    /// The router holds nothing.
    pub fn clear(&self, slot: Slot) {
        self.set(slot, Words { granted: 0, until: 0 });
    }

    /// No router holds anything.
    pub fn clear_all(&self) {
        (0..SLOTS).for_each(|slot| self.clear(Slot(slot)));
    }

    fn set(&self, slot: Slot, words: Words) {
        if let Some(shared) = &self.0 {
            shared.write(slot.0, &words);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_outlives_whoever_wrote_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("leases");
        let lease = Lease { granted: Instant::from_nanos(5), until: Instant::from_nanos(9) };
        let writer = Leases::open(&path).unwrap();
        writer.write(Slot(2), lease);
        writer.write(Slot(1023), lease);
        writer.clear(Slot(1023));
        drop(writer);
        let reader = Leases::open(&path).unwrap();
        assert_eq!([1, 2, 1023].map(|slot| reader.read(Slot(slot))), [None, Some(lease), None]);
        reader.clear_all();
        assert_eq!(reader.read(Slot(2)), None);
    }
}
