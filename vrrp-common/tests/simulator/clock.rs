//! Each host's own clock: it starts somewhere else and runs a little faster or slower than the world's.

use vrrp_common::time::Instant;

const MILLION: i64 = 1_000_000;

/// The world's time is nanoseconds from the start of the simulation.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    /// What it shows at the world's time 0.
    pub(crate) offset: u64,
    /// How much faster than the world it runs, in millionths.
    pub(crate) drift: i64,
}

impl Clock {
    /// What the clock shows at the world's time `world`.
    pub(crate) fn at(self, world: u64) -> Instant {
        let drifted = world as i64 * self.drift / MILLION;
        Instant::from_nanos((self.offset + world).saturating_add_signed(drifted))
    }

    /// The world's time at which the clock shows `local` or a nanosecond more.
    pub(crate) fn reaches(self, local: Instant) -> u64 {
        let shown = local.as_nanos().saturating_sub(self.offset);
        let mut world = (u128::from(shown) * MILLION as u128 / (MILLION + self.drift) as u128) as u64;
        while self.at(world) < local {
            world += 1;
        }
        world
    }
}
