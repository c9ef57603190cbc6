//! The Internet checksum (RFC 1071) over slices, packets and pseudo-headers, and which of its forms VRRP uses.

use super::{Bytes, Family, Version};
use crate::abi::Address;

/// What the checksum of a VRRPv3 message over IPv4 covers. RFC 9568 §5.2.8 says the message alone; RFC 5798
/// was read as adding the pseudo-header, and half of the field does so. VRRPv2 has only the first form,
/// IPv6 only the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChecksumForm {
    /// The VRRP message alone.
    Message,
    /// A pseudo-header of addresses, protocol and length, then the message.
    Pseudo,
}

impl ChecksumForm {
    /// The only form that there is for a version and family; `None` where the field uses both.
    pub const fn only(version: Version, family: Family) -> Option<Self> {
        match (version, family) {
            (Version::V2, _) => Some(Self::Message),         // RFC 3768 §5.3.8
            (Version::V3, Family::V6) => Some(Self::Pseudo), // RFC 9568 §5.2.8
            (Version::V3, Family::V4) => None,
        }
    }

    /// The form in which a received checksum is intact, given the sums over the message and over
    /// pseudo-header and message.
    pub(crate) fn heard(version: Version, family: Family, message: Sum, pseudo: Sum) -> Option<Self> {
        let only = Self::only(version, family);
        let intact = |form, sum: Sum| sum.is_intact() && only.is_none_or(|only| only == form);
        if intact(Self::Message, message) {
            Some(Self::Message)
        } else if intact(Self::Pseudo, pseudo) {
            Some(Self::Pseudo)
        } else {
            None
        }
    }
}

/// A running one's-complement sum of words as they lie in memory: it does not depend on the order of their bytes
/// (RFC 1071 §2). Any order of parts gives the same result, too, as each part starts at an even offset of what is summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(u64);

impl Sum {
    /// The sum of nothing.
    pub const ZERO: Self = Self(0);

    /// Adds the pseudo-header of either family: IPv6 (RFC 8200 §8.1) or IPv4 (RFC 9293 §3.1).
    ///
    /// One function serves both: the fields are the same but for zeros, and the `::ffff:0:0/96` that
    /// [`Address`] puts before an IPv4 address adds 0xffff, which is the zero of this arithmetic.
    pub fn pseudo_header(self, source: Address, destination: Address, protocol: u8, length: u16) -> Self {
        self.address(source)
            .address(destination)
            .add(u32::from(protocol).to_be())
            .add(u32::from(length).to_be())
    }

    /// Adds `bytes`; an odd last byte counts as if a zero followed (RFC 1071).
    pub fn bytes(self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<4>();
        let mut tail = [0; 4];
        for (to, from) in tail.iter_mut().zip(rest) {
            *to = *from;
        }
        words.iter().fold(self, |sum, word| sum.word(*word)).word(tail)
    }

    /// Adds `count` words of four bytes of `packet` from `start` on. `None` if the packet ends before.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the BTF gives a function in a structure the size of a pointer, and the kernel refuses that"
    )]
    pub fn words(self, packet: &(impl Bytes + ?Sized), start: usize, count: usize) -> Option<Self> {
        packet.fold_words(start, count, self, |sum, word| sum.word(word))
    }

    /// The checksum to write over what was added, its own field having counted as zero.
    pub fn checksum(self) -> [u8; 2] {
        (!self.folded()).to_ne_bytes()
    }

    /// Whether what was added, its checksum field included, is intact.
    pub fn is_intact(self) -> bool {
        self.folded() == u16::MAX
    }

    fn address(self, address: Address) -> Self {
        let words: [u32; 4] = bytemuck::cast(address);
        words.into_iter().fold(self, Self::add)
    }

    fn word(self, word: [u8; 4]) -> Self {
        self.add(u32::from_ne_bytes(word))
    }

    /// Four bytes as they lie in memory: as 2^16 is one in this arithmetic, they equal their two halves.
    /// No overflow: 2^32 of them fit.
    fn add(self, word: u32) -> Self {
        Self(self.0.wrapping_add(word.into()))
    }

    /// Four steps are enough for any 64 bits: 49, 33, 17 and 16 bits are left.
    fn folded(self) -> u16 {
        let fold = |sum: u64| (sum >> 16).wrapping_add(sum & 0xffff);
        fold(fold(fold(fold(self.0)))) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_fold_to_sixteen_bits() {
        let example = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]; // RFC 1071 §3: the sum is ddf2
        for (name, sum, expected) in [
            ("nothing", Sum::ZERO, [0xff, 0xff]),
            ("RFC 1071", Sum::ZERO.bytes(&example), [0x22, 0x0d]),
            ("no multiple of four", Sum::ZERO.bytes(&example[..6]), [0x19, 0x05]),
            ("an odd length", Sum::ZERO.bytes(&example[..3]), [0x0d, 0xfe]),
            ("in parts", Sum::ZERO.bytes(&example[..2]).bytes(&example[2..]), [0x22, 0x0d]),
            ("every carry", Sum(u64::MAX), [0x00, 0x00]),
            ("one below", Sum(u64::MAX - u64::from(1_u16.to_be())), [0x00, 0x01]),
        ] {
            assert_eq!(sum.checksum(), expected, "{name}");
        }
    }

    #[test]
    fn words_are_read_within_the_packet_only() {
        let packet = [0xff_u8; 16];
        let words = |start, count| Sum::ZERO.words(&packet[..], start, count).map(Sum::checksum);
        assert_eq!(words(0, 4), Some([0, 0]));
        assert_eq!(words(4, 3), Some([0, 0]));
        assert_eq!(words(5, 3), None);
        assert_eq!(words(0, 5), None);
        assert_eq!(words(16, 0), Some([0xff, 0xff]));
        assert_eq!(words(1, 3), Some([0, 0]));
        assert_eq!(words(8, 3), None);
    }
}
