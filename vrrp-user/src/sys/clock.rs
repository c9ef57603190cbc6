//! The one clock, `CLOCK_BOOTTIME`: reading it, sleeping on it, and bringing receive stamps onto it.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
};

use nix::{
    sys::{
        time::TimeSpec,
        timerfd::{self, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags},
    },
    time::{ClockId, clock_gettime},
};
use vrrp_common::time::Instant;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A move of wall clock against boot time beyond this is a step, and not the noise of reading two clocks.
const STEP_NANOS: u64 = 1_000_000;

/// The present instant of `CLOCK_BOOTTIME`, which goes on while the host sleeps.
pub fn now() -> Instant {
    Instant::from_nanos(read(ClockId::CLOCK_BOOTTIME).unsigned_abs())
}

fn read(clock: ClockId) -> i64 {
    // Reading a clock that exists cannot fail (clock_gettime(2): EINVAL for unknown clocks only); every
    // kernel since 2.6.39 has CLOCK_BOOTTIME.
    clock_gettime(clock).map_or(0, |time| time.tv_sec() * NANOS_PER_SECOND + time.tv_nsec())
}

/// A timer on `CLOCK_BOOTTIME` with nanoseconds, to be polled: it becomes readable at the armed instant.
#[derive(Debug)]
pub struct Timer(TimerFd);

impl Timer {
    /// A timer that is not armed.
    ///
    /// # Errors
    /// When the process has no file descriptor left.
    pub fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        Ok(Self(TimerFd::new(timerfd::ClockId::CLOCK_BOOTTIME, flags)?))
    }

    /// Fires once at `deadline`, at once if it has passed; `None` disarms. Replaces what was armed before, and
    /// an expiry that was not yet read is forgotten.
    ///
    /// # Errors
    /// When the kernel refuses the call; it has no reason to.
    pub fn arm(&self, deadline: Option<Instant>) -> io::Result<()> {
        let Some(deadline) = deadline else { return Ok(self.0.unset()?) };
        // Zero would disarm the timer, and what lies beyond 292 years need not be told apart.
        let nanos = i64::try_from(deadline.as_nanos()).unwrap_or(i64::MAX).max(1);
        let at = TimeSpec::new(nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
        Ok(self.0.set(Expiration::OneShot(at), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?)
    }

    /// Takes note of an expiry, so that the descriptor is no longer readable.
    ///
    /// # Errors
    /// When the read fails; that the timer had not expired is no error.
    pub fn clear(&self) -> io::Result<()> {
        match self.0.wait() {
            Ok(()) | Err(nix::Error::EAGAIN | nix::Error::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// Both clocks, read together.
#[derive(Clone, Copy, Debug)]
struct Reading {
    boot: i64,
    wall: i64,
}

impl Reading {
    /// The wall clock between two readings of the boot clock; of three tries the one that was least disturbed.
    fn take() -> Self {
        let attempt = || {
            let before = read(ClockId::CLOCK_BOOTTIME);
            let wall = read(ClockId::CLOCK_REALTIME);
            let after = read(ClockId::CLOCK_BOOTTIME);
            (after - before, Self { boot: before + (after - before) / 2, wall })
        };
        let mut best = attempt();
        for _ in 0..2 {
            let next = attempt();
            if next.0 < best.0 {
                best = next;
            }
        }
        best.1
    }
}

/// Brings the kernel's receive stamps, which are wall-clock time, onto the one clock.
///
/// One for each socket. Call [`Stamps::sample`] after each batch was received and before its stamps are
/// converted: a step of the wall clock that could have touched them is then seen.
#[derive(Debug)]
pub struct Stamps {
    now: Instant,
    offset: i64,
    stepped: bool,
    emptied: bool,
}

impl Stamps {
    /// A converter that knows how the clocks stand now.
    pub fn new() -> Self {
        Self::starting_at(Reading::take())
    }

    fn starting_at(reading: Reading) -> Self {
        Self {
            now: instant(reading.boot),
            offset: reading.wall - reading.boot,
            stepped: false,
            emptied: true,
        }
    }

    /// Looks at both clocks; returns the present instant.
    pub fn sample(&mut self) -> Instant {
        self.observe(Reading::take())
    }

    fn observe(&mut self, reading: Reading) -> Instant {
        let offset = reading.wall - reading.boot;
        // Suspicion outlasts a batch if older packets may still be queued behind it.
        self.stepped &= !std::mem::take(&mut self.emptied);
        self.stepped |= offset.abs_diff(self.offset) > STEP_NANOS;
        self.offset = offset;
        self.now = instant(reading.boot);
        self.now
    }

    /// When a packet was received that carries `stamp`, in nanoseconds of wall-clock time.
    ///
    /// The time of the last sample stands in for a stamp that cannot be trusted: none at all, one that lies in
    /// the future, and any that may come from before a step of the wall clock. It is late, never early, and
    /// what is late can delay a takeover but not cause one.
    pub fn instant(&self, stamp: Option<i64>) -> Instant {
        match stamp {
            Some(wall) if !self.stepped => instant(wall.saturating_sub(self.offset)).min(self.now),
            _ => self.now,
        }
    }

    /// The batch of the last sample emptied the socket: later packets cannot carry a stamp from before a step
    /// that is known now.
    pub fn emptied(&mut self) {
        self.emptied = true;
    }
}

impl Default for Stamps {
    fn default() -> Self {
        Self::new()
    }
}

fn instant(nanos: i64) -> Instant {
    Instant::from_nanos(u64::try_from(nanos).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use vrrp_common::time::Interval;

    use super::*;

    const HOUR: i64 = 3_600 * NANOS_PER_SECOND;
    const WALL: i64 = 1_700_000_000 * NANOS_PER_SECOND;

    /// The offset at first is `WALL`; `moved` is by how much the wall clock was moved until the batch, which
    /// arrives an hour after boot.
    fn check(moved: i64, stamp: Option<i64>, expected: i64) {
        let mut stamps = Stamps::starting_at(Reading { boot: 0, wall: WALL });
        stamps.observe(Reading { boot: HOUR, wall: WALL + HOUR + moved });
        assert_eq!(
            stamps.instant(stamp).as_nanos().cast_signed(),
            expected,
            "wall clock moved by {moved} ns, stamp {stamp:?}"
        );
    }

    #[test]
    fn stamps_come_onto_the_one_clock() {
        let received = WALL + HOUR - 250_000;
        check(0, Some(received), HOUR - 250_000);
        check(900_000, Some(received + 900_000), HOUR - 250_000);
        check(0, None, HOUR);
        check(0, Some(WALL + HOUR + 1), HOUR);
        check(0, Some(i64::MIN), 0);
    }

    #[test]
    fn a_step_of_the_wall_clock_makes_stamps_late_and_never_early() {
        for moved in [-HOUR, -2_000_000, 2_000_000, HOUR] {
            check(moved, Some(WALL + HOUR - 250_000), HOUR);
        }
    }

    #[test]
    fn stamps_are_trusted_again_once_the_socket_was_empty() {
        let mut stamps = Stamps::starting_at(Reading { boot: 0, wall: WALL });
        let late = Reading { boot: HOUR, wall: WALL };
        stamps.observe(late);
        stamps.observe(late);
        assert_eq!(stamps.instant(Some(WALL - 7)), instant(HOUR), "older packets may still be queued");
        stamps.emptied();
        stamps.observe(late);
        assert_eq!(stamps.instant(Some(WALL - 7)), instant(HOUR - 7));
    }

    fn readable(timer: &Timer, timeout: PollTimeout) -> bool {
        poll(&mut [PollFd::new(timer.as_fd(), PollFlags::POLLIN)], timeout).unwrap() == 1
    }

    #[test]
    fn a_timer_fires_at_its_instant_and_not_before() {
        let timer = Timer::new().unwrap();
        let deadline = now().after(Interval::from_millis(20));
        timer.arm(Some(deadline)).unwrap();
        assert!(readable(&timer, PollTimeout::from(5_000_u16)));
        assert!(now() >= deadline);
        timer.clear().unwrap();
        assert!(!readable(&timer, PollTimeout::ZERO));
        timer.clear().unwrap();

        timer.arm(Some(Instant::from_nanos(0))).unwrap();
        assert!(readable(&timer, PollTimeout::from(5_000_u16)), "what has passed is due at once");
        timer.arm(None).unwrap();
        assert!(!readable(&timer, PollTimeout::ZERO));
    }
}
