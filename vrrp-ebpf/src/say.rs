//! Log lines of the programs that log, for whoever looks for the reason why something is not heard. The daemon puts them
//! into its log and adds the reason's name: a program has numbers.

use aya_log_ebpf::info;
use vrrp_common::{
    abi::Address,
    judge::{DropReason, Envelope, Verdict},
};

/// One line for an advertisement for a router of ours.
#[inline(always)]
pub fn judged(envelope: &Envelope, outcome: &Result<Verdict, DropReason>) {
    let [high, low] = envelope.source.halves();
    match outcome {
        Ok(verdict) => counts(high, low, envelope.vrid.into(), verdict.priority.into()),
        Err(reason) => refused(high, low, envelope.vrid.into(), *reason as u32),
    }
}

/// A function of its own, as [`refused`] is, because a line takes half of the stack.
#[inline(never)]
fn counts(high: u64, low: u64, vrid: u32, priority: u32) {
    info!((), "VRID {}: an advertisement of priority {} from {:i} counts", vrid, priority, octets(high, low));
}

#[inline(never)]
fn refused(high: u64, low: u64, vrid: u32, reason: u32) {
    info!((), "VRID {}: a packet from {:i} does not count, reason {}", vrid, octets(high, low), reason);
}

#[inline(always)]
fn octets(high: u64, low: u64) -> [u8; 16] {
    Address::of_halves([high, low]).octets()
}
