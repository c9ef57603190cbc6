//! Atomic operations that the target has and the standard library does not offer for it: BPF's reach back to
//! Linux 5.12, the compiler counts from older instruction sets.

use core::intrinsics::{AtomicOrdering::SeqCst, atomic_cxchg, atomic_xadd, atomic_xchg};

/// A word that several processors, or the kernel and the daemon, write.
pub struct Shared(*mut u64);

impl Shared {
    /// # Safety
    /// `word` is aligned and stays valid for as long as the program runs.
    #[inline(always)]
    pub unsafe fn new(word: *mut u64) -> Self {
        Self(word)
    }

    #[inline(always)]
    pub fn load(&self) -> u64 {
        // SAFETY: see `new`.
        unsafe { self.0.read_volatile() }
    }

    #[inline(always)]
    pub fn store(&self, value: u64) {
        // SAFETY: see `new`.
        unsafe { self.0.write_volatile(value) }
    }

    /// Returns what was there; a full barrier.
    #[inline(always)]
    pub fn swap(&self, value: u64) -> u64 {
        // SAFETY: see `new`.
        unsafe { atomic_xchg::<u64, { SeqCst }>(self.0, value) }
    }

    /// Writes `new` if `old` is there and returns whether it was; a full barrier then.
    #[inline(always)]
    pub fn replace(&self, old: u64, new: u64) -> bool {
        // SAFETY: see `new`.
        unsafe { atomic_cxchg::<u64, { SeqCst }, { SeqCst }>(self.0, old, new).1 }
    }

    /// Returns what was there; a full barrier.
    #[inline(always)]
    pub fn add(&self, value: u64) -> u64 {
        // SAFETY: see `new`.
        unsafe { atomic_xadd::<u64, u64, { SeqCst }>(self.0, value) }
    }
}
