//! From records to inputs: what was heard between two looks, in the order in which it was heard.

use vrrp_common::{
    abi::{Heard, Stamp},
    election::Advertised,
    time::{Instant, Interval},
};

/// The advertisements that moved a stamp of `heard` since `seen`, oldest first, each once although it may
/// have moved two (an equal priority from a lower address is accepted and losing).
///
/// A record keeps the last of each kind, so an earlier one of the same kind may be gone. That is sound: the
/// election's timers count from the last of a kind, and an Active yields to any better one.
pub(super) fn replay(seen: &Heard, heard: &Heard) -> Vec<Advertised> {
    let pairs = [
        (&seen.accepted, &heard.accepted),
        (&seen.better, &heard.better),
        (&seen.losing, &heard.losing),
        (&seen.resigned, &heard.resigned),
    ];
    let mut news: Vec<Advertised> = pairs
        .into_iter()
        .filter(|(old, new)| new.count != old.count)
        .map(|(_, new)| advertised(new))
        .collect();
    news.sort_by_key(|news| (news.at, news.source));
    news.dedup();
    news
}

fn advertised(stamp: &Stamp) -> Advertised {
    Advertised {
        at: Instant::from_nanos(stamp.at),
        source: stamp.source,
        // The wire's priority is one byte; the record's word is wider for alignment only.
        priority: stamp.priority as u8,
        interval: Interval::from_nanos(stamp.interval),
    }
}

#[cfg(test)]
mod tests {
    use vrrp_common::abi::Address;

    use super::*;

    fn stamp(at: u64, priority: u32, count: u64) -> Stamp {
        Stamp { at, priority, count, source: Address([7; 16]), interval: 1_000_000_000, ..Stamp::default() }
    }

    #[test]
    fn nothing_new_gives_nothing() {
        let heard = Heard { accepted: stamp(5, 100, 3), ..Heard::default() };
        assert_eq!(replay(&heard, &heard), []);
    }

    #[test]
    fn kinds_come_in_the_order_of_their_times_and_twins_once() {
        let seen = Heard { accepted: stamp(5, 100, 3), ..Heard::default() };
        let heard = Heard {
            accepted: stamp(30, 100, 5),
            better: stamp(20, 102, 1),
            losing: stamp(30, 100, 1),
            resigned: stamp(25, 0, 1),
            ..Heard::default()
        };
        let order: Vec<(u64, u8)> =
            replay(&seen, &heard).iter().map(|news| (news.at.as_nanos(), news.priority)).collect();
        assert_eq!(order, [(20, 102), (25, 0), (30, 100)]);
    }
}
