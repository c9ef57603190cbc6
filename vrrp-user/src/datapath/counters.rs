//! Counts of received and refused packets, the same for every datapath.

use vrrp_common::{
    abi::{Heard, Tally},
    judge::DropReason,
};

/// Packets of IP protocol 112, since the router was attached or the interface first listened on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets looked at.
    pub received: u64,
    /// Packets that the kernel dropped because nobody fetched them in time.
    pub lost: u64,
    refused: [u64; DropReason::COUNT],
}

impl Counters {
    /// Packets that did not count for this reason.
    pub fn refused(&self, reason: DropReason) -> u64 {
        self.refused.get(reason as usize).copied().unwrap_or(0)
    }

    /// Every reason with its count, in a stable order.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL.into_iter().zip(self.refused)
    }

    pub(super) fn refuse(&mut self, reason: DropReason) {
        self.received += 1;
        if let Some(count) = self.refused.get_mut(reason as usize) {
            *count += 1;
        }
    }

    /// Adds what one processor refused.
    pub(super) fn tally(&mut self, tally: &Tally) {
        self.add(&Self { received: tally.refused.iter().sum(), lost: 0, refused: tally.refused });
    }

    /// Adds what was not refused: one of these kinds is each advertisement that counts.
    pub(super) fn accept(&mut self, heard: &Heard) {
        self.received += heard.better.count + heard.losing.count + heard.resigned.count;
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.lost += other.lost;
        for (sum, count) in self.refused.iter_mut().zip(other.refused) {
            *sum += count;
        }
    }
}
