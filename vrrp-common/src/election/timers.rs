//! The formulas of RFC 9568 §6.1, RFC 3768 §6.1 and of the lease, exact to the nanosecond. No state lives here.

use crate::{
    time::{Instant, Interval},
    wire::Version,
};

/// The most intervals that a lease lasts: the RFC's own count, so that a larger `down_timer_adverts` (which
/// buys tolerance of loss) does not buy a dead owner more time.
const LEASE_ADVERTISEMENTS: u8 = 3;
/// The margin is this fraction of the lease: what two clocks may drift apart meanwhile.
const MARGIN_DIVISOR: u64 = 200;
/// The least margin: what passes between two reads of one clock.
const LEAST_MARGIN: Interval = Interval::from_nanos(100_000);

/// Skew_Time of a router of `priority` (0 to 255).
///
/// VRRPv3 (RFC 9568 §6.1): `(256 - Priority) * Active_Adver_Interval / 256`. VRRPv2 (RFC 3768 §6.1):
/// `(256 - Priority) / 256` seconds, whatever the interval. Fractions of a nanosecond are cut.
pub const fn skew_time(version: Version, priority: u8, active_adver_interval: Interval) -> Interval {
    let scale = match version {
        Version::V2 => Interval::from_secs(1),
        Version::V3 => active_adver_interval,
    };
    scale.times(256 - priority as u64).divided(256)
}

/// Active_Down_Interval: `adverts * Active_Adver_Interval + Skew_Time`, where the RFC says 3 for `adverts`
/// (keepalived's `down_timer_adverts`).
pub const fn active_down_interval(
    version: Version,
    priority: u8,
    active_adver_interval: Interval,
    adverts: u8,
) -> Interval {
    active_adver_interval.times(adverts as u64).plus(skew_time(version, priority, active_adver_interval))
}

/// When a lease ends whose advertisement was handed over at `sent`: `min(3, adverts)` intervals later, less
/// half a percent of that, at least 100 us.
///
/// A Backup that accepted the advertisement waits for `adverts` intervals and its Skew_Time, counted from a
/// later moment: it never meets an open lease. `None` if `adverts` is 1 (or 0): such a lease would end
/// before it can be renewed, so the addresses cannot be guarded.
pub const fn lease_until(sent: Instant, interval: Interval, adverts: u8) -> Option<Instant> {
    if adverts < 2 {
        return None;
    }
    let intervals = if adverts < LEASE_ADVERTISEMENTS { adverts } else { LEASE_ADVERTISEMENTS };
    let span = interval.times(intervals as u64);
    let drift = span.divided(MARGIN_DIVISOR);
    let margin = if drift.as_nanos() < LEAST_MARGIN.as_nanos() { LEAST_MARGIN } else { drift };
    Some(sent.after(span.minus(margin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn check_v3(centiseconds: u16, priority: u8, skew: u64, down: u64) {
        let interval = Interval::from_centiseconds(centiseconds);
        assert_eq!(
            skew_time(Version::V3, priority, interval).as_nanos(),
            skew,
            "{centiseconds} cs, {priority}"
        );
        let computed = active_down_interval(Version::V3, priority, interval, 3).as_nanos();
        assert_eq!(computed, down, "{centiseconds} cs, priority {priority}");
    }

    #[test]
    fn version_3_scales_the_skew_with_the_actives_interval() {
        check_v3(100, 255, 3_906_250, 3_003_906_250);
        check_v3(100, 254, 7_812_500, 3_007_812_500);
        check_v3(100, 200, 218_750_000, 3_218_750_000);
        check_v3(100, 150, 414_062_500, 3_414_062_500);
        check_v3(100, 100, 609_375_000, 3_609_375_000);
        check_v3(100, 1, 996_093_750, 3_996_093_750);
        check_v3(10, 100, 60_937_500, 360_937_500);
        check_v3(3, 200, 6_562_500, 96_562_500);
        check_v3(2, 150, 8_281_250, 68_281_250);
        check_v3(1, 254, 78_125, 30_078_125);
        check_v3(1, 100, 6_093_750, 36_093_750);
        // 16-bit centiseconds would overflow here (reference row T7).
        check_v3(4095, 1, 40_790_039_062, 163_640_039_062);
    }

    #[test]
    fn version_2_has_one_skew_for_every_interval() {
        for (seconds, priority, skew, down) in [
            (1, 200, 218_750_000, 3_218_750_000),
            (1, 100, 609_375_000, 3_609_375_000),
            (5, 100, 609_375_000, 15_609_375_000),
            (255, 254, 7_812_500, 765_007_812_500),
        ] {
            let interval = Interval::from_secs(seconds);
            assert_eq!(skew_time(Version::V2, priority, interval).as_nanos(), skew);
            assert_eq!(active_down_interval(Version::V2, priority, interval, 3).as_nanos(), down);
        }
    }

    #[test]
    fn more_adverts_wait_longer() {
        let interval = Interval::from_secs(1);
        for (adverts, down) in [(1, 1_609_375_000), (2, 2_609_375_000), (10, 10_609_375_000)] {
            assert_eq!(active_down_interval(Version::V2, 100, interval, adverts).as_nanos(), down);
        }
    }

    #[test]
    fn a_lease_ends_before_three_intervals_and_never_outlasts_them() {
        let sent = Instant::from_nanos(7 * SECOND);
        for (millis, adverts, lease) in [
            (1000, 3, Some(2_985_000_000)),
            (1000, 100, Some(2_985_000_000)),
            (1000, 2, Some(1_990_000_000)),
            (10, 3, Some(29_850_000)),
            // Half a percent of 10 ms would be 50 us: the least margin holds.
            (5, 2, Some(9_900_000)),
            (1000, 1, None),
            (1000, 0, None),
        ] {
            let until = lease_until(sent, Interval::from_millis(millis), adverts);
            assert_eq!(
                until.map(|until| until.since(sent).as_nanos()),
                lease,
                "{millis} ms, {adverts} adverts"
            );
        }
    }
}
