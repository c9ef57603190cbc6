//! What an advertisement that counts is to a router: better, worse, a resignation, and what is odd about it.

use super::Envelope;
use crate::{
    abi::{Address, RouterView},
    time::Interval,
    wire::{Bytes, ChecksumForm, DropReason, Family, HEADER_LEN},
};

/// An advertisement that passed every check. It is [`Self::resigned`] alone, or one or two of the other three
/// kinds, see [`crate::abi::Heard`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Who sent it.
    pub source: Address,
    /// Its priority.
    pub priority: u8,
    /// The sender's Advertisement_Interval, never zero.
    pub interval: Interval,
    /// [`digest`] of the address list.
    pub digest: u64,
    /// Which form the checksum has where the field uses both (VRRPv3 over IPv4).
    pub checksum: Option<ChecksumForm>,
    /// The address list is not the router's.
    pub differing_list: bool,
    /// An IPv6 list that does not begin with a link-local address (RFC 9568 §5.2.9).
    pub first_not_link_local: bool,
    /// The router owns its addresses (priority 255), and another one advertises them.
    pub second_owner: bool,
    /// Priority 0: the sender leaves.
    pub resigned: bool,
    /// A Backup restarts its timer (RFC 9568 §6.4.2: priority not lower, or no preemption).
    pub accepted: bool,
    /// An Active yields (RFC 9568 §6.4.3: priority higher, or equal and the address higher).
    pub better: bool,
    /// An Active answers (RFC 9568 §6.4.3 otherwise).
    pub losing: bool,
}

/// What an advertisement is to the election of a router; the fields of [`Verdict`].
pub(super) struct Rank {
    pub(super) second_owner: bool,
    pub(super) resigned: bool,
    pub(super) accepted: bool,
    pub(super) better: bool,
    pub(super) losing: bool,
}

impl Rank {
    #[inline(always)]
    pub(super) fn of(router: &RouterView, source: &Address, priority: u8) -> Self {
        let standing = router.standing;
        let own = standing.priority();
        let resigned = priority == 0;
        let higher = priority > own || (priority == own && *source > router.source);
        Self {
            second_owner: own == u8::MAX && !resigned,
            resigned,
            accepted: !resigned && (priority >= own || !standing.preempt()),
            better: !resigned && higher,
            losing: !resigned && !higher,
        }
    }
}

/// A cheap hash of an address list in its order: equal lists have equal digests on this host. It tells
/// lists apart that differ by mistake; it is no defence against one that is made to collide.
pub fn digest(addresses: impl Iterator<Item = Address>) -> u64 {
    addresses.fold(Digest::EMPTY, Digest::with).0
}

/// FNV-1a over words of eight bytes.
#[derive(Clone, Copy)]
struct Digest(u64);

impl Digest {
    /// That of no addresses.
    const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);
    const PRIME: u64 = 0x0100_0000_01b3;

    fn with(self, address: Address) -> Self {
        let [high, low] = address.halves();
        self.word(high).word(low)
    }

    fn word(self, word: u64) -> Self {
        Self((self.0 ^ word).wrapping_mul(Self::PRIME))
    }
}

/// What matters of the address list of a message.
#[derive(Clone, Copy)]
pub(super) struct AddressList {
    pub(super) digest: u64,
    /// It is not the router's.
    pub(super) differs: bool,
    /// It is of IPv6 and does not begin with a link-local address.
    pub(super) first_not_link_local: bool,
}

impl AddressList {
    /// Reads `count` addresses, which the length of the message was checked to hold.
    #[inline(always)]
    pub(super) fn read(
        frame: &(impl Bytes + ?Sized),
        envelope: &Envelope,
        count: u8,
        router: &RouterView,
    ) -> Result<Self, DropReason> {
        if count == 0 {
            return Ok(Self::new(Digest::EMPTY, false, router));
        }
        let start = envelope.offset().wrapping_add(HEADER_LEN);
        let size = envelope.family.address_len();
        let first = address(frame, envelope.family, start).ok_or(DropReason::Length)?;
        let (rest, others) = (start.wrapping_add(size), usize::from(count).saturating_sub(1));
        let digest = Digest::EMPTY.with(first);
        let digest = match envelope.family {
            Family::V4 => {
                frame.fold_words(rest, others, digest, |digest, v4| digest.with(Address::mapped(v4)))
            }
            Family::V6 => frame.fold(rest, others, digest, |digest, v6| digest.with(Address::new(v6))),
        };
        let digest = digest.ok_or(DropReason::Length)?;
        Ok(Self::new(digest, envelope.family == Family::V6 && !first.is_link_local(), router))
    }

    #[inline(always)]
    fn new(digest: Digest, first_not_link_local: bool, router: &RouterView) -> Self {
        Self { digest: digest.0, differs: digest.0 != router.digest, first_not_link_local }
    }
}

#[inline(always)]
fn address(frame: &(impl Bytes + ?Sized), family: Family, offset: usize) -> Option<Address> {
    match family {
        Family::V4 => frame.at(offset).map(Address::mapped),
        Family::V6 => frame.at(offset).map(Address::new),
    }
}
