//! The same advertisement again: a steady Active sends nothing else, and what was judged need not be judged once more.

use super::{Envelope, record::is_watched};
use crate::{
    abi::{Address, Heard, Repeat, Standing},
    time::Instant,
    wire::Bytes,
};

/// What is read at once of a long message.
const PIECE: usize = 16;

/// All words so far in one. Each step can be undone, so that one word alone cannot be another unnoticed; and each bit of a
/// word moves many before the next word comes, so that two do not make up for each other.
#[derive(Clone, Copy)]
struct Print(u64);

impl Print {
    #[inline(always)]
    fn word(self, word: u64) -> Self {
        // The multipliers of SplitMix64 and of the golden ratio: odd, and of no pattern.
        let word = word.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let product = (self.0 ^ word ^ word >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(product ^ product >> 29)
    }
}

/// A number that all that [`super::judge`] looks at has a share in, the message, its envelope but for the source, and the
/// serial number of the view, which is to be read before the view is: an advertisement from the same source with the same one is the same, and judged the same.
/// 0 for none: a message without a header.
///
/// As a [`super::digest`] it is no defence against one that is made to collide: but who makes one can as well send the one
/// that it collides with.
#[inline(always)]
pub fn print(frame: &(impl Bytes + ?Sized), envelope: &Envelope, serial: u16) -> u64 {
    let (start, length) = (envelope.offset(), envelope.length());
    let Some(last) = length.checked_sub(8) else { return 0 };
    let [high, low] = envelope.destination.halves();
    let about = u64::from(serial) << 32 | u64::from(envelope.length) << 8 | u64::from(envelope.ttl);
    let print = Print(0).word(about).word(high).word(low);
    // The whole message lies in the frame: `locate` looked.
    let word = |print: Print, at: usize| {
        print.word(u64::from_ne_bytes(frame.at(start.wrapping_add(at)).unwrap_or_default()))
    };
    // Some bytes twice, all of them once.
    let print = if length <= 2 * PIECE {
        let print = word(print, 0);
        let print = if length > PIECE { word(print, 8) } else { print };
        if length > PIECE + 8 { word(print, 16) } else { print }
    } else {
        let piece = |print: Print, piece: [u8; PIECE]| {
            let [first, second]: [u64; 2] = bytemuck::cast(piece);
            print.word(first).word(second)
        };
        word(frame.fold(start, length / PIECE, print, piece).unwrap_or(print), last.wrapping_sub(8))
    };
    word(print, last).0
}

/// Notes an advertisement of this source and [`print`] that was received at `at` if it is the last one again. Returns
/// whether the daemon should be woken for it, `None` if it is to be judged.
///
/// One writer at a time, as of [`super::record`].
#[inline(always)]
pub fn come_again(
    heard: &mut Heard,
    standing: Standing,
    source: &Address,
    print: u64,
    at: Instant,
) -> Option<bool> {
    let repeat = &mut heard.repeat;
    let same = repeat.print == print && print != 0 && repeat.source == *source;
    // A resignation is news each time, and is neither.
    let kind = repeat.terms & (Repeat::BETTER | Repeat::LOSING);
    if !same || kind == 0 || repeat.count == u32::MAX {
        return None;
    }
    repeat.count = repeat.count.wrapping_add(1);
    repeat.at = repeat.at.max(at.as_nanos());
    Some(is_watched(standing, repeat.terms))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{collections::HashSet, vec::Vec};

    use super::*;
    use crate::wire::Family;

    fn envelope(length: usize) -> Envelope {
        Envelope {
            family: Family::V4,
            vrid: 1,
            ttl: 255,
            vlan: 0,
            source: Address::mapped([192, 0, 2, 1]),
            destination: Address::mapped([224, 0, 0, 18]),
            offset: 0,
            length: length as u16,
        }
    }

    /// The print of a message in which these bits are turned.
    fn turned(message: &[u8], bits: &[usize]) -> u64 {
        let mut message = message.to_vec();
        bits.iter().for_each(|bit| message[bit / 8] ^= 1 << (bit % 8));
        print(&message[..], &envelope(message.len()), 7)
    }

    #[test]
    fn every_bit_of_a_message_counts_and_no_two_make_up_for_each_other() {
        for length in (8..=44).step_by(4) {
            let message: Vec<u8> = (0..length as u8).collect();
            let bits = length * 8;
            let singles = (0..bits).map(|bit| turned(&message, &[bit]));
            let pairs = (0..bits).flat_map(|one| (0..one).map(move |other| [one, other]));
            let all = singles.chain(pairs.map(|pair| turned(&message, &pair))).chain([turned(&message, &[])]);
            let distinct: HashSet<u64> = all.collect();
            assert_eq!(distinct.len(), 1 + bits + bits * (bits - 1) / 2, "{length} bytes");
        }
    }

    #[test]
    fn what_the_message_came_in_counts() {
        let message = [0; 20];
        let same = envelope(20);
        let others = [
            Envelope { ttl: 254, ..same },
            Envelope { destination: Address::mapped([224, 0, 0, 19]), ..same },
            envelope(16),
        ];
        let mut prints: HashSet<u64> = others.iter().map(|other| print(&message[..], other, 7)).collect();
        prints.extend([7, 8, u16::MAX].map(|serial| print(&message[..], &same, serial)));
        assert_eq!(prints.len(), 6);
        assert_eq!(print(&message[..4], &envelope(4), 7), 0, "no header");
    }

    #[test]
    fn only_what_is_the_same_comes_again() {
        fn again(
            repeat: Repeat,
            standing: Standing,
            source: &Address,
            print: u64,
        ) -> Option<(bool, u64, u32)> {
            let mut heard = Heard { repeat, ..Heard::default() };
            let news = come_again(&mut heard, standing, source, print, Instant::from_nanos(8))?;
            Some((news, heard.repeat.at, heard.repeat.count))
        }
        let source = &Address::mapped([192, 0, 2, 1]);
        let terms = 100 | Repeat::ACCEPTED | Repeat::LOSING;
        let last = Repeat { at: 5, source: *source, print: 9, terms, ..Repeat::default() };
        let standing = |active, watch| Standing::new(100, active, true, watch);
        let backup = standing(false, false);
        assert_eq!(again(last, backup, source, 9), Some((false, 8, 1)));
        assert_eq!(again(last, standing(true, false), source, 9), Some((true, 8, 1)));
        assert_eq!(again(last, standing(false, true), source, 9), Some((true, 8, 1)));
        assert_eq!(again(last, backup, source, 10), None);
        assert_eq!(again(last, backup, &Address::mapped([192, 0, 2, 2]), 9), None);
        let resigned = Repeat { terms: 1_000 << Repeat::INTERVAL, ..last };
        let unknown = Repeat { print: 0, ..last };
        let full = Repeat { count: u32::MAX, ..last };
        for (other, print) in [(resigned, 9), (unknown, 0), (full, 9)] {
            assert_eq!(again(other, backup, source, print), None);
        }
    }
}
