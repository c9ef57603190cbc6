//! The two time types of the project, both in nanoseconds. No clock is read here.

use core::fmt;

const NANOS_PER_CENTISECOND: u64 = 10_000_000;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A point in time: nanoseconds of `CLOCK_BOOTTIME`, the one clock of kernel programs and daemon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The instant `nanos` nanoseconds after boot.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since boot.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time that passed since `earlier`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Interval {
        Interval(self.0.saturating_sub(earlier.0))
    }

    /// `span` later; stays at the end of time rather than wrap.
    pub const fn after(self, span: Interval) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// `span` earlier; stays at boot rather than wrap.
    pub const fn before(self, span: Interval) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

/// A span of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(u64);

impl Interval {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A span in VRRPv3's unit of Max Advertise Interval (RFC 9568 §5.2.7), 0 to 4095 on the wire.
    pub const fn from_centiseconds(centiseconds: u16) -> Self {
        Self(centiseconds as u64 * NANOS_PER_CENTISECOND)
    }

    /// A span of whole seconds, VRRPv2's unit (RFC 3768 §5.3.7).
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// The span in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The span in whole centiseconds, cut.
    pub const fn as_centiseconds(self) -> u64 {
        self.0 / NANOS_PER_CENTISECOND
    }

    /// The span in whole seconds, cut.
    pub const fn as_secs(self) -> u64 {
        self.0 / NANOS_PER_SECOND
    }

    /// `factor` times the span, saturating.
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// The sum, saturating.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; zero if `other` is longer.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The span divided by `parts`, which must not be zero (zero gives zero).
    pub const fn divided(self, parts: u64) -> Self {
        match self.0.checked_div(parts) {
            Some(nanos) => Self(nanos),
            None => Self(0),
        }
    }
}

/// For people: "3.61 s", "36.1 ms", "250 us".
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            NANOS_PER_SECOND.. => (NANOS_PER_SECOND, "s"),
            1_000_000.. => (1_000_000, "ms"),
            1_000.. => (1_000, "us"),
            _ => return write!(f, "{} ns", self.0),
        };
        let hundredths = self.0 / (unit / 100);
        match (hundredths / 100, hundredths % 100) {
            (whole, 0) => write!(f, "{whole} {name}"),
            (whole, rest) if rest % 10 == 0 => write!(f, "{whole}.{} {name}", rest / 10),
            (whole, rest) => write!(f, "{whole}.{rest:02} {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn spans_read_like_a_person_would_say_them() {
        for (nanos, text) in [
            (0, "0 ns"),
            (250_000, "250 us"),
            (36_093_750, "36.09 ms"),
            (1_000_000_000, "1 s"),
            (3_609_375_000, "3.6 s"),
            (3_618_000_000, "3.61 s"),
        ] {
            assert_eq!(Interval::from_nanos(nanos).to_string(), text);
        }
    }

    #[test]
    fn arithmetic_stays_at_the_ends_of_time() {
        let end = Instant::from_nanos(u64::MAX);
        assert_eq!(end.after(Interval::from_secs(1)), end);
        assert_eq!(Instant::from_nanos(5).before(Interval::from_secs(1)), Instant::from_nanos(0));
        assert_eq!(Instant::from_nanos(5).since(end), Interval::ZERO);
        assert_eq!(Interval::from_secs(1).divided(0), Interval::ZERO);
    }
}
