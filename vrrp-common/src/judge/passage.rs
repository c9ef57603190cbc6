//! May a packet to or from a guarded address pass? Which addresses are guarded is for the daemon to say.

use crate::abi::{LeaseRecord, Passage};

/// What `lease` means for a packet, where a better router was heard at `superseded`. `clock` gives nanoseconds of the one
/// clock, and is asked only when it matters.
///
/// Open iff `now < until` and `superseded < granted`. `granted` was read before the daemon looked at what was heard, so
/// whatever beat the router after that look closes the lease, though the daemon may hang.
#[inline(always)]
pub fn passage(lease: &LeaseRecord, superseded: u64, clock: impl FnOnce() -> u64) -> Passage {
    if lease.until == 0 {
        Passage::Closed
    } else if superseded >= lease.granted {
        Passage::Superseded
    } else if clock() >= lease.until {
        Passage::Expired
    } else {
        Passage::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_lets_pass_until_it_ends_or_a_better_router_is_heard() {
        for ((granted, until, superseded), now, expected) in [
            ((100, 200, 0), 150, Passage::Open),
            ((100, 200, 99), 199, Passage::Open),
            ((100, 200, 99), 200, Passage::Expired),
            ((100, 200, 100), 150, Passage::Superseded),
            ((100, 200, 101), 150, Passage::Superseded),
            ((100, 0, 0), 150, Passage::Closed),
            ((0, 0, 0), 0, Passage::Closed),
        ] {
            let lease = LeaseRecord { granted, until };
            assert_eq!(passage(&lease, superseded, || now), expected, "{lease:?} at {now}");
        }
    }

    #[test]
    fn the_clock_is_not_read_where_it_does_not_matter() {
        for (granted, until, superseded) in [(100, 0, 0), (100, 200, 100)] {
            passage(&LeaseRecord { granted, until }, superseded, || panic!("the clock was read"));
        }
    }
}
