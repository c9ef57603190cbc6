//! The one clock of the project, `CLOCK_BOOTTIME`. Nothing else reads a clock.

use nix::time::{ClockId, clock_gettime};
use vrrp_common::time::Instant;

/// The time since boot, time asleep included.
pub fn now() -> Instant {
    // Cannot fail: the clock exists since Linux 2.6.39 and the result is written to our own stack.
    let time = clock_gettime(ClockId::CLOCK_BOOTTIME).unwrap_or_else(|_| nix::sys::time::TimeSpec::new(0, 0));
    let nanos = i128::from(time.tv_sec()) * 1_000_000_000 + i128::from(time.tv_nsec());
    Instant::from_nanos(u64::try_from(nanos).unwrap_or(0))
}
