//! From records to inputs: what was heard between two looks, in the order in which it was heard.

use super::Advertised;
use crate::{
    abi::{Heard, Repeat, SENDERS, Stamp},
    time::{Instant, Interval},
};

/// The last of each kind and of each sender.
const MOST: usize = 4 + SENDERS;

/// The advertisements that moved `heard` since it was `seen`, oldest first, each once although it may have moved
/// several stamps.
///
/// A record keeps the last of each kind and the last of each sender, so an earlier one of the same sender may be
/// gone. That is sound: the election's timers count from the last word of each router, and an Active yields to any
/// better one.
pub fn replay(seen: &Heard, heard: &Heard) -> impl Iterator<Item = Advertised> + use<> {
    let kinds = [
        moved(&seen.accepted, &heard.accepted),
        moved(&seen.better, &heard.better),
        moved(&seen.losing, &heard.losing),
        moved(&seen.resigned, &heard.resigned),
    ];
    let mut news = News::of(kinds);
    let known = |peer: &Stamp| seen.peers.iter().any(|seen| !differs(seen, peer));
    let senders = heard.peers.iter().filter(|peer| peer.at != 0 && !known(peer));
    senders.for_each(|stamp| news.add(stamp));
    news.in_order()
}

/// As [`replay`], of a Backup's steady Active: what `now` says, if nothing came since `seen` but the same advertisement
/// again. `None` if that does not say all, and the whole record is to be read.
pub fn steady(seen: &Repeat, now: &Repeat) -> Option<Option<Advertised>> {
    let advertised = || Advertised {
        at: Instant::from_nanos(now.at),
        source: now.source,
        priority: now.priority(),
        interval: Interval::from_nanos(now.interval()),
    };
    seen.goes_on(now).then(|| (now.at != seen.at).then(advertised))
}

/// What is to be told. Most often that is one advertisement in several stamps.
#[derive(Default)]
struct News {
    told: [Option<Advertised>; MOST],
    count: usize,
}

impl News {
    fn of(kinds: [Option<&Stamp>; 4]) -> Self {
        let mut news = Self::default();
        kinds.into_iter().flatten().for_each(|stamp| news.add(stamp));
        news
    }

    fn add(&mut self, stamp: &Stamp) {
        let news = Some(advertised(stamp));
        let (told, free) = self.told.split_at_mut(self.count);
        if !told.contains(&news)
            && let Some(place) = free.first_mut()
        {
            *place = news;
            self.count += 1;
        }
    }

    fn in_order(mut self) -> impl Iterator<Item = Advertised> + use<> {
        if let Some(told) = self.told.get_mut(..self.count) {
            told.sort_unstable_by_key(|news| news.map(|news| (news.at, news.source, news.priority)));
        }
        self.told.into_iter().map_while(|news| news)
    }
}

/// The stamp of a kind, if it moved.
fn moved<'a>(seen: &Stamp, heard: &'a Stamp) -> Option<&'a Stamp> {
    differs(seen, heard).then_some(heard)
}

/// How often it was heard is no news.
fn differs(seen: &Stamp, heard: &Stamp) -> bool {
    Stamp { count: seen.count, ..*heard } != *seen
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
    extern crate std;
    use std::vec::Vec;

    use super::*;
    use crate::abi::Address;

    fn stamp(source: u8, at: u64, priority: u32, count: u64) -> Stamp {
        let source = Address::new([source; 16]);
        Stamp { at, priority, count, source, interval: 1_000_000_000, ..Stamp::default() }
    }

    fn news(seen: &Heard, heard: &Heard) -> Vec<(u64, u8, u8)> {
        replay(seen, heard).map(|news| (news.at.as_nanos(), news.source.octets()[0], news.priority)).collect()
    }

    #[test]
    fn nothing_new_gives_nothing() {
        let mut heard = Heard { accepted: stamp(7, 5, 100, 3), ..Heard::default() };
        heard.peers[0] = heard.accepted;
        assert_eq!(news(&heard, &heard), []);
    }

    #[test]
    fn kinds_come_in_the_order_of_their_times_and_twins_once() {
        let seen = Heard { accepted: stamp(7, 5, 100, 3), ..Heard::default() };
        let mut heard = Heard {
            accepted: stamp(7, 30, 100, 5),
            better: stamp(7, 20, 102, 1),
            losing: stamp(7, 30, 100, 1),
            resigned: stamp(7, 25, 0, 1),
            ..Heard::default()
        };
        heard.peers[0] = stamp(7, 30, 100, 8);
        assert_eq!(news(&seen, &heard), [(20, 7, 102), (25, 7, 0), (30, 7, 100)]);
    }

    #[test]
    fn of_two_senders_of_one_kind_both_are_told() {
        let mut heard = Heard { accepted: stamp(2, 30, 150, 4), ..Heard::default() };
        heard.peers[..2].copy_from_slice(&[stamp(1, 20, 150, 2), stamp(2, 30, 150, 2)]);
        assert_eq!(news(&Heard::default(), &heard), [(20, 1, 150), (30, 2, 150)]);
        let mut later = heard;
        later.accepted = stamp(1, 40, 150, 5);
        later.peers[0] = stamp(1, 40, 150, 3);
        assert_eq!(news(&heard, &later), [(40, 1, 150)]);
    }

    #[test]
    fn who_lost_its_place_and_comes_back_is_told_once() {
        let mut seen = Heard::default();
        seen.peers[0] = stamp(1, 20, 150, 2);
        let mut heard = seen;
        heard.peers[0] = stamp(2, 30, 150, 1);
        heard.peers[1] = stamp(1, 40, 150, 1);
        assert_eq!(news(&seen, &heard), [(30, 2, 150), (40, 1, 150)]);
    }

    #[test]
    fn an_advertisement_at_the_same_time_is_told_if_it_is_another() {
        let seen = Heard { accepted: stamp(7, 5, 100, 3), ..Heard::default() };
        let again = Heard { accepted: stamp(7, 5, 100, 4), ..Heard::default() };
        let other = Heard { accepted: stamp(7, 5, 101, 4), ..Heard::default() };
        assert_eq!([news(&seen, &again), news(&seen, &other)], [Vec::new(), Vec::from([(5, 7, 101)])]);
    }

    #[test]
    fn a_steady_active_is_told_once_and_anything_else_asks_for_the_whole_record() {
        let terms = 150 | Repeat::ACCEPTED | Repeat::BETTER | 1_000_000_000 << Repeat::INTERVAL;
        let seen =
            Repeat { at: 5, count: 0, turn: 3, place: 0, source: Address::new([7; 16]), print: 1, terms };
        let later = Repeat { at: 9, count: 2, ..seen };
        assert_eq!(steady(&seen, &seen), Some(None));
        let told = steady(&seen, &later).unwrap().unwrap();
        assert_eq!((told.at.as_nanos(), told.source, told.priority), (9, later.source, 150));
        assert_eq!(told.interval, Interval::from_secs(1));
        for other in [
            Repeat { turn: 4, ..later },
            Repeat { source: Address::new([8; 16]), ..later },
            Repeat { print: 2, ..later },
            Repeat { terms: terms + 1, ..later },
        ] {
            assert_eq!(steady(&seen, &other), None);
        }
        let none = Repeat { terms: 0, ..seen };
        assert_eq!(steady(&none, &none), None);
    }
}
