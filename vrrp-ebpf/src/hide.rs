//! Keeps what compiler and verifier know of a number from shaping what they do with it.

use core::arch::asm;

/// The number itself, as if it came from nowhere: what the compiler proves with more knowledge, the verifier cannot
/// follow. `core::hint::black_box` would do the same by way of memory,
/// and leave a stack pointer in the register that a function returns, which the verifier refuses.
#[inline(always)]
pub fn hide(mut number: usize) -> usize {
    // A move to itself, because line information must not name one instruction twice.
    // SAFETY: it changes nothing.
    unsafe { asm!("{0} = {0}", inout(reg) number, options(nomem, nostack, preserves_flags)) };
    number
}

/// The number itself, of which the verifier knows nothing any more: it went up and down again by something that the
/// verifier does not know.
#[inline(always)]
pub fn forget(number: u64, unknown: u32) -> u64 {
    let unknown = unknown as usize;
    hide((number as usize).wrapping_add(unknown)).wrapping_sub(unknown) as u64
}
