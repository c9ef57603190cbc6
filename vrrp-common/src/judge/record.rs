//! What was heard, and when: verdicts become the record that the daemon reads. Elections happen elsewhere.

use super::Verdict;
use crate::{
    abi::{Address, Heard, RouterView, SENDERS, Stamp},
    time::Instant,
    wire::ChecksumForm,
};

/// Notes an advertisement that was received at `at`, and says whether the daemon should be woken for it.
///
/// It should if it is news to the election: a resignation, anything while the router is Active, a losing
/// advertisement that it asked to see ([`crate::abi::Standing::watch_losing`]), or another sender, priority,
/// interval or list than the last of its kind. A Backup's steady advertisement wakes nobody.
///
/// One writer at a time. Times only grow: an advertisement that was overtaken by a later one is counted and moves nothing.
#[inline(always)]
pub fn record(heard: &mut Heard, view: &RouterView, verdict: &Verdict, at: Instant) -> bool {
    count(heard, verdict);
    note_sender(&mut heard.peers, verdict, at);
    if verdict.resigned {
        move_stamp(&mut heard.resigned, verdict, at);
        return true;
    }
    let accepted = verdict.accepted && move_stamp(&mut heard.accepted, verdict, at);
    let better = verdict.better && move_stamp(&mut heard.better, verdict, at);
    let losing = verdict.losing && move_stamp(&mut heard.losing, verdict, at);
    let watched = verdict.losing && view.standing.watch_losing();
    accepted || better || losing || watched || view.standing.active()
}

#[inline(always)]
fn count(heard: &mut Heard, verdict: &Verdict) {
    let add = |counter: &mut u64, applies: bool| *counter = counter.wrapping_add(applies.into());
    add(&mut heard.checksum_message, verdict.checksum == Some(ChecksumForm::Message));
    add(&mut heard.checksum_pseudo, verdict.checksum == Some(ChecksumForm::Pseudo));
    add(&mut heard.differing_list, verdict.differing_list);
    add(&mut heard.first_not_link_local, verdict.first_not_link_local);
    add(&mut heard.second_owner, verdict.second_owner);
}

#[inline(always)]
fn note_sender(peers: &mut [Stamp; SENDERS], verdict: &Verdict, at: Instant) {
    let place = place(peers, &verdict.source);
    let Some(peer) = peers.get_mut(place) else { return };
    if peer.source != verdict.source {
        *peer = Stamp::default();
    }
    move_stamp(peer, verdict, at);
}

/// The sender's place, or the free one, or that of whoever was heard longest ago.
#[inline(always)]
fn place(peers: &[Stamp; SENDERS], source: &Address) -> usize {
    let known = peers.iter().position(|peer| peer.source == *source);
    known.unwrap_or_else(|| longest_ago(peers))
}

/// The time of a free place is zero.
#[inline(always)]
fn longest_ago(peers: &[Stamp; SENDERS]) -> usize {
    let (mut place, mut least) = (0, u64::MAX);
    for (index, peer) in peers.iter().enumerate() {
        if peer.at < least {
            (place, least) = (index, peer.at);
        }
    }
    place
}

/// Returns whether anything but the time is new.
#[inline(always)]
fn move_stamp(stamp: &mut Stamp, verdict: &Verdict, at: Instant) -> bool {
    stamp.count = stamp.count.wrapping_add(1);
    if at.as_nanos() < stamp.at {
        return false;
    }
    let moved = Stamp {
        source: verdict.source,
        interval: verdict.interval.as_nanos(),
        digest: verdict.digest,
        priority: verdict.priority.into(),
        ..*stamp
    };
    let news = moved != *stamp; // the first is: an interval is never zero
    *stamp = Stamp { at: at.as_nanos(), ..moved };
    news
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;
    use crate::{abi::Standing, time::Interval};
    use bytemuck::Zeroable;

    const BACKUP: Standing = Standing::new(100, false, true, false);
    const WATCHING: Standing = Standing::new(100, false, true, true);
    const ACTIVE: Standing = Standing::new(100, true, true, false);

    const BETTER: Verdict = Verdict {
        source: Address::mapped([1; 4]),
        priority: 150,
        interval: Interval::from_secs(1),
        digest: 7,
        checksum: None,
        differing_list: false,
        first_not_link_local: false,
        second_owner: false,
        resigned: false,
        accepted: true,
        better: true,
        losing: false,
    };
    const LOSING: Verdict = Verdict { priority: 50, accepted: false, better: false, losing: true, ..BETTER };
    const RESIGNED: Verdict =
        Verdict { priority: 0, accepted: false, better: false, resigned: true, ..BETTER };

    /// Records `before` at 10 ns and `then` at 20 ns; returns whether the second wakes a router of `standing`.
    fn wakes(standing: Standing, before: Verdict, then: Verdict) -> bool {
        let view = RouterView { standing, ..RouterView::zeroed() };
        let mut heard = Heard::default();
        assert!(record(&mut heard, &view, &before, Instant::from_nanos(10)), "the first is always news");
        record(&mut heard, &view, &then, Instant::from_nanos(20))
    }

    #[test]
    fn only_news_wake_the_daemon() {
        for (name, standing, before, then, expected) in [
            ("steady", BACKUP, BETTER, BETTER, false),
            ("another sender", BACKUP, BETTER, Verdict { source: Address::mapped([2; 4]), ..BETTER }, true),
            ("another priority", BACKUP, BETTER, Verdict { priority: 151, ..BETTER }, true),
            (
                "another interval",
                BACKUP,
                BETTER,
                Verdict { interval: Interval::from_secs(2), ..BETTER },
                true,
            ),
            ("another list", BACKUP, BETTER, Verdict { digest: 8, ..BETTER }, true),
            ("another kind", BACKUP, BETTER, LOSING, true),
            ("the same resignation again", BACKUP, RESIGNED, RESIGNED, true),
            ("steadily losing", BACKUP, LOSING, LOSING, false),
            ("steadily losing, watched", WATCHING, LOSING, LOSING, true),
            ("steadily better, losing watched", WATCHING, BETTER, BETTER, false),
            ("steadily better", ACTIVE, BETTER, BETTER, true),
            ("steadily losing", ACTIVE, LOSING, LOSING, true),
        ] {
            assert_eq!(wakes(standing, before, then), expected, "{name}, active: {}", standing.active());
        }
    }

    #[test]
    fn each_kind_has_its_own_stamp() {
        let both = Verdict { better: false, losing: true, ..BETTER };
        for (verdict, expected) in
            [(BETTER, [1, 1, 0, 0]), (LOSING, [0, 0, 1, 0]), (both, [1, 0, 1, 0]), (RESIGNED, [0, 0, 0, 1])]
        {
            let mut heard = Heard::default();
            record(&mut heard, &RouterView::zeroed(), &verdict, Instant::from_nanos(10));
            let stamps = [heard.accepted, heard.better, heard.losing, heard.resigned];
            assert_eq!(stamps.map(|stamp| stamp.count), expected);
            let stamp = Stamp {
                at: 10,
                source: Address::mapped([1; 4]),
                interval: 1_000_000_000,
                digest: 7,
                priority: verdict.priority.into(),
                reserved: 0,
                count: 1,
            };
            for (heard, count) in stamps.into_iter().zip(expected) {
                assert_eq!(heard, if count == 1 { stamp } else { Stamp::default() });
            }
        }
    }

    fn heard_from(sources: impl IntoIterator<Item = u8>) -> Heard {
        let mut heard = Heard::default();
        for (at, source) in (1..).zip(sources) {
            let verdict = Verdict { source: Address::mapped([source; 4]), ..BETTER };
            record(&mut heard, &RouterView::zeroed(), &verdict, Instant::from_nanos(at));
        }
        heard
    }

    /// Source, time and count of each place.
    fn places(heard: &Heard) -> Vec<(u8, u64, u64)> {
        heard.peers.iter().map(|peer| (peer.source.octets()[15], peer.at, peer.count)).collect()
    }

    #[test]
    fn the_last_of_every_sender_is_kept() {
        let heard = heard_from([1, 2, 1, 3, 1]);
        assert_eq!(places(&heard)[..4], [(1, 5, 3), (2, 2, 1), (3, 4, 1), (0, 0, 0)]);
        assert_eq!(heard.better.source, Address::mapped([1; 4]));
    }

    #[test]
    fn the_ninth_sender_takes_the_place_of_whoever_was_heard_longest_ago() {
        let heard = heard_from([1, 2, 3, 4, 5, 6, 7, 8, 1, 9]);
        let expected =
            [(1, 9, 2), (9, 10, 1), (3, 3, 1), (4, 4, 1), (5, 5, 1), (6, 6, 1), (7, 7, 1), (8, 8, 1)];
        assert_eq!(places(&heard), expected);
    }

    #[test]
    fn a_resignation_is_the_last_word_of_its_sender() {
        let mut heard = heard_from([1, 2]);
        let resigned = Verdict { source: Address::mapped([1; 4]), ..RESIGNED };
        record(&mut heard, &RouterView::zeroed(), &resigned, Instant::from_nanos(3));
        assert_eq!(
            heard.peers[..2].iter().map(|peer| (peer.at, peer.priority)).collect::<Vec<_>>(),
            [(3, 0), (2, 150)]
        );
    }

    #[test]
    fn times_only_grow() {
        let mut heard = Heard::default();
        let view = RouterView { standing: BACKUP, ..RouterView::zeroed() };
        assert!(record(&mut heard, &view, &BETTER, Instant::from_nanos(20)));
        let overtaken = Verdict { priority: 200, ..BETTER };
        assert!(!record(&mut heard, &view, &overtaken, Instant::from_nanos(19)));
        assert_eq!((heard.better.at, heard.better.priority, heard.better.count), (20, 150, 2));
        assert!(record(&mut heard, &view, &overtaken, Instant::from_nanos(20)));
        assert_eq!((heard.better.at, heard.better.priority, heard.better.count), (20, 200, 3));
    }

    #[test]
    fn oddities_are_counted() {
        let counts = |verdict| {
            let mut heard = Heard::default();
            record(&mut heard, &RouterView::zeroed(), &verdict, Instant::from_nanos(1));
            [
                heard.checksum_message,
                heard.checksum_pseudo,
                heard.differing_list,
                heard.first_not_link_local,
                heard.second_owner,
            ]
        };
        assert_eq!(counts(BETTER), [0, 0, 0, 0, 0]);
        assert_eq!(counts(Verdict { checksum: Some(ChecksumForm::Message), ..RESIGNED }), [1, 0, 0, 0, 0]);
        assert_eq!(counts(Verdict { checksum: Some(ChecksumForm::Pseudo), ..LOSING }), [0, 1, 0, 0, 0]);
        assert_eq!(counts(Verdict { differing_list: true, ..BETTER }), [0, 0, 1, 0, 0]);
        assert_eq!(counts(Verdict { first_not_link_local: true, ..BETTER }), [0, 0, 0, 1, 0]);
        assert_eq!(counts(Verdict { second_owner: true, ..LOSING }), [0, 0, 0, 0, 1]);
    }
}
