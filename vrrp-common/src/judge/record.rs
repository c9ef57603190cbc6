//! What was heard, and when: verdicts become the record that the daemon reads. Elections happen elsewhere.

use super::Verdict;
use crate::{
    abi::{Address, Heard, Repeat, SENDERS, Stamp, Standing},
    time::Instant,
    wire::ChecksumForm,
};

/// What is noted of an advertisement that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    source: Address,
    digest: u64,
    /// As [`Repeat::terms`], never 0, for no interval is.
    terms: u64,
    print: u64,
}

impl Notice {
    /// `print` is the advertisement's [`super::print`].
    #[inline(always)]
    pub fn new(verdict: &Verdict, print: u64) -> Self {
        Self { source: verdict.source, digest: verdict.digest, terms: terms(verdict), print }
    }

    /// The same with what it is to the router passed through `forget`, which returns what it is given in a way that a
    /// verifier cannot follow: else it walks through [`record`] once for each way to get there.
    #[inline(always)]
    pub fn forgotten(self, forget: impl Fn(u64) -> u64) -> Self {
        Self { terms: forget(self.terms), ..self }
    }

    #[inline(always)]
    const fn is(&self, kind: u64) -> bool {
        self.terms & kind != 0
    }

    /// One of two other kinds is every advertisement but a resignation.
    #[inline(always)]
    const fn is_resignation(&self) -> bool {
        !self.is(Repeat::BETTER | Repeat::LOSING)
    }
}

/// Notes an advertisement that was received at `at`, and says whether the daemon should be woken for it.
///
/// It should if it is news to the election: a resignation, anything while the router is Active, a losing
/// advertisement that it asked to see ([`crate::abi::Standing::watch_losing`]), or another sender, priority,
/// interval or list than the last of its kind. A Backup's steady advertisement wakes nobody.
///
/// One writer at a time. Times only grow: an advertisement that was overtaken by a later one is counted and moves nothing.
/// By its print the same one is known when it comes again: see [`super::come_again`].
#[inline(always)]
pub fn record(heard: &mut Heard, standing: Standing, notice: &Notice, at: Instant) -> bool {
    let at = at.as_nanos();
    settle(heard);
    count(heard, notice.terms, 1);
    note_sender(heard, notice, at);
    let news = move_stamps(heard, notice, at);
    // Field by field: a compiler that puts a whole one together does so at odd places of the kernel's stack.
    let last = &mut heard.repeat;
    // What was overtaken is not what the stamps say.
    last.print = if at < last.at { 0 } else { notice.print };
    last.terms = notice.terms;
    last.at = last.at.max(at);
    last.turn = last.turn.wrapping_add(1);
    last.source = notice.source;
    news || is_watched(standing, notice.terms)
}

/// Whether a router wants to be told though nothing is new.
#[inline(always)]
pub(super) fn is_watched(standing: Standing, terms: u64) -> bool {
    standing.active() || (standing.watch_losing() && terms & Repeat::LOSING != 0)
}

/// What `heard` says with what came again in its stamps and counters; once more is the same.
pub fn settled(mut heard: Heard) -> Heard {
    settle(&mut heard);
    heard
}

#[inline(always)]
fn terms(verdict: &Verdict) -> u64 {
    let bit = |applies: bool, bit: u64| if applies { bit } else { 0 };
    u64::from(verdict.priority)
        | bit(verdict.accepted, Repeat::ACCEPTED)
        | bit(verdict.better, Repeat::BETTER)
        | bit(verdict.losing, Repeat::LOSING)
        | bit(verdict.checksum == Some(ChecksumForm::Message), Repeat::MESSAGE)
        | bit(verdict.checksum == Some(ChecksumForm::Pseudo), Repeat::PSEUDO)
        | bit(verdict.differing_list, Repeat::DIFFERING)
        | bit(verdict.first_not_link_local, Repeat::NOT_LINK_LOCAL)
        | bit(verdict.second_owner, Repeat::SECOND_OWNER)
        | verdict.interval.as_nanos() << Repeat::INTERVAL
}

/// Returns whether that is news to a Backup.
#[inline(always)]
fn move_stamps(heard: &mut Heard, notice: &Notice, at: u64) -> bool {
    if notice.is_resignation() {
        move_stamp(&mut heard.resigned, notice, at);
        return true;
    }
    let accepted = notice.is(Repeat::ACCEPTED) && move_stamp(&mut heard.accepted, notice, at);
    let better = notice.is(Repeat::BETTER) && move_stamp(&mut heard.better, notice, at);
    let losing = notice.is(Repeat::LOSING) && move_stamp(&mut heard.losing, notice, at);
    accepted || better || losing
}

/// Moves what came again into stamps and counters: by arithmetic, because a verifier walks down each branch.
#[inline(always)]
fn settle(heard: &mut Heard) {
    let Repeat { at, count: times, terms, place, .. } = heard.repeat;
    if times == 0 {
        return;
    }
    let again = |stamp: &mut Stamp, bit: u64| {
        let applies = u64::from(terms & bit != 0);
        stamp.count = stamp.count.wrapping_add(u64::from(times).wrapping_mul(applies));
        stamp.at = stamp.at.max(at.wrapping_mul(applies));
    };
    again(&mut heard.accepted, Repeat::ACCEPTED);
    again(&mut heard.better, Repeat::BETTER);
    again(&mut heard.losing, Repeat::LOSING);
    if let Some(peer) = heard.peers.get_mut(usize::from(place) % SENDERS) {
        again(peer, !0);
    }
    count(heard, terms, times);
    heard.repeat.count = 0;
}

#[inline(always)]
fn count(heard: &mut Heard, terms: u64, times: u32) {
    let add = |counter: &mut u64, bit: u64| {
        *counter = counter.wrapping_add(u64::from(times).wrapping_mul(u64::from(terms & bit != 0)));
    };
    add(&mut heard.checksum_message, Repeat::MESSAGE);
    add(&mut heard.checksum_pseudo, Repeat::PSEUDO);
    add(&mut heard.differing_list, Repeat::DIFFERING);
    add(&mut heard.first_not_link_local, Repeat::NOT_LINK_LOCAL);
    add(&mut heard.second_owner, Repeat::SECOND_OWNER);
}

#[inline(always)]
fn note_sender(heard: &mut Heard, notice: &Notice, at: u64) {
    let place = place(&heard.peers, &notice.source);
    heard.repeat.place = place as u16;
    let Some(peer) = heard.peers.get_mut(place) else { return };
    if peer.source != notice.source {
        *peer = Stamp::default();
    }
    move_stamp(peer, notice, at);
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
fn move_stamp(stamp: &mut Stamp, notice: &Notice, at: u64) -> bool {
    stamp.count = stamp.count.wrapping_add(1);
    if at < stamp.at {
        return false;
    }
    let moved = Stamp {
        source: notice.source,
        interval: notice.terms >> Repeat::INTERVAL,
        digest: notice.digest,
        priority: u32::from(notice.terms as u8),
        ..*stamp
    };
    let news = moved != *stamp; // the first is: an interval is never zero
    *stamp = Stamp { at, ..moved };
    news
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{
        format,
        hash::{DefaultHasher, Hash as _, Hasher as _},
        vec::Vec,
    };

    use super::{super::come_again, *};
    use crate::{abi::RouterView, time::Interval};
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

    /// As the receive paths do: what comes again is not judged again.
    fn hear(heard: &mut Heard, view: &RouterView, verdict: &Verdict, at: Instant) -> bool {
        let mut hasher = DefaultHasher::new();
        format!("{view:?} {verdict:?}").hash(&mut hasher);
        let print = hasher.finish();
        let again = come_again(heard, view.standing, &verdict.source, print, at);
        let news = again.unwrap_or_else(|| record(heard, view.standing, &Notice::new(verdict, print), at));
        // What is read from elsewhere in between changes nothing.
        *heard = settled(settled(*heard));
        news
    }

    /// Records `before` at 10 ns and `then` at 20 ns; returns whether the second wakes a router of `standing`.
    fn wakes(standing: Standing, before: Verdict, then: Verdict) -> bool {
        let view = RouterView { standing, ..RouterView::zeroed() };
        let mut heard = Heard::default();
        assert!(hear(&mut heard, &view, &before, Instant::from_nanos(10)), "the first is always news");
        hear(&mut heard, &view, &then, Instant::from_nanos(20))
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
            hear(&mut heard, &RouterView::zeroed(), &verdict, Instant::from_nanos(10));
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
            hear(&mut heard, &RouterView::zeroed(), &verdict, Instant::from_nanos(at));
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
        hear(&mut heard, &RouterView::zeroed(), &resigned, Instant::from_nanos(3));
        assert_eq!(
            heard.peers[..2].iter().map(|peer| (peer.at, peer.priority)).collect::<Vec<_>>(),
            [(3, 0), (2, 150)]
        );
    }

    #[test]
    fn what_came_again_is_in_every_stamp_and_counter_when_it_is_settled() {
        let odd = Verdict { checksum: Some(ChecksumForm::Pseudo), differing_list: true, ..BETTER };
        let other = Verdict { source: Address::mapped([2; 4]), ..odd };
        let view = RouterView { standing: BACKUP, ..RouterView::zeroed() };
        let mut heard = Heard::default();
        let said = [odd, odd, odd, other, other, odd, odd];
        for (at, verdict) in (1..).zip(&said) {
            let (print, at) = (verdict.source.octets()[15].into(), Instant::from_nanos(at));
            if come_again(&mut heard, BACKUP, &verdict.source, print, at).is_none() {
                record(&mut heard, view.standing, &Notice::new(verdict, print), at);
            }
        }
        assert_eq!(
            (heard.better.count, heard.repeat.count, heard.repeat.at),
            (6, 1, 7),
            "the last is not settled"
        );
        let heard = settled(heard);
        for stamp in [heard.accepted, heard.better] {
            assert_eq!((stamp.at, stamp.count, stamp.source), (7, 7, odd.source));
        }
        assert_eq!(places(&heard)[..2], [(1, 7, 5), (2, 5, 2)]);
        assert_eq!((heard.checksum_pseudo, heard.differing_list, heard.second_owner), (7, 7, 0));
        assert_eq!(settled(heard), heard);
    }

    #[test]
    fn times_only_grow() {
        let mut heard = Heard::default();
        let view = RouterView { standing: BACKUP, ..RouterView::zeroed() };
        assert!(hear(&mut heard, &view, &BETTER, Instant::from_nanos(20)));
        let overtaken = Verdict { priority: 200, ..BETTER };
        assert!(!hear(&mut heard, &view, &overtaken, Instant::from_nanos(19)));
        assert_eq!((heard.better.at, heard.better.priority, heard.better.count), (20, 150, 2));
        assert!(hear(&mut heard, &view, &overtaken, Instant::from_nanos(20)));
        assert_eq!((heard.better.at, heard.better.priority, heard.better.count), (20, 200, 3));
    }

    #[test]
    fn oddities_are_counted() {
        let counts = |verdict| {
            let mut heard = Heard::default();
            hear(&mut heard, &RouterView::zeroed(), &verdict, Instant::from_nanos(1));
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
