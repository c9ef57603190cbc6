//! From a packet to a moved record: the one receive function of both entries. It decides nothing itself.

use aya_ebpf::{helpers::generated::bpf_ktime_get_boot_ns, maps::lpm_trie::Key};
use vrrp_common::{
    abi::{Address, Admitted, Event, PeerKey, Record, Refusal, RouterView, Tally},
    judge::{DropReason, Peers, Verdict, judge, locate, may_be_vrrp, record},
    time::Instant,
    wire::Bytes,
};

use crate::{
    atomic::Shared,
    guard::supersede,
    hide::{forget, hide},
    maps,
    packet::Packet,
};

/// How often a record that another processor writes is waited for. It writes for some ten nanoseconds; only a
/// preemptible softirq (PREEMPT_RT) can make it longer, and then an advertisement counts more than a clean record.
const PATIENCE: u32 = 64;

/// What becomes of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes on its way: it is none of ours, or a good one, which others may want to see.
    Pass,
    /// It was sent to one of our routers and cannot be used.
    Drop,
}

/// Hears a frame of which nobody has looked yet what it is and whether it is for this host.
#[inline(always)]
pub fn frame(frame: &Packet, ifindex: u32) -> Fate {
    if !may_be_vrrp(frame) || !for_this_host(frame, ifindex) {
        return Fate::Pass;
    }
    packet(*frame, ifindex, 0)
}

/// A group that nobody here is in is told by its IP address, in [`packet`].
#[inline(always)]
fn for_this_host(frame: &Packet, ifindex: u32) -> bool {
    let Some(destination) = frame.at::<6>(0) else { return false };
    if destination[0] & 1 == 1 {
        return true;
    }
    // SAFETY: the value is read once; that the daemon changes it meanwhile harms nobody.
    let station = unsafe { maps::STATIONS.get(&ifindex) };
    station.is_some_and(|station| number(destination) == number(station.mac))
}

/// As one number: comparing bytes is a call of `memcmp`, which kernel objects do not have.
#[inline(always)]
fn number([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// Hears a packet for this host. `vlan` is the tag that was taken off it.
///
/// One function for both entries, and what it calls has it as the only caller, so that all of that is inlined: a
/// function that returns by way of the caller's stack leaves anything in the register for results, and the
/// verifier refuses a pointer there.
#[inline(never)]
pub fn packet(packet: Packet, ifindex: u32, vlan: u16) -> Fate {
    let packet = &packet;
    let envelope = match locate(packet) {
        Ok(Some(envelope)) => envelope.forgotten(forget),
        Ok(None) => return Fate::Pass,
        Err(reason) => return strange(ifindex, reason),
    };
    let key = envelope.key(ifindex, vlan);
    // SAFETY: a slot is one word.
    let Some(&slot) = (unsafe { maps::ROUTERS.get(&key) }) else {
        // What has a tag is for another link than this interface's own.
        return if key.vlan == 0 { strange(ifindex, DropReason::Vrid) } else { Fate::Pass };
    };
    let (Some(view), Some(heard), Some(tally)) =
        (maps::VIEWS.get(slot), maps::HEARD.get_ptr_mut(slot), maps::COUNTS.get_ptr_mut(slot))
    else {
        return Fate::Pass;
    };
    let outcome = judge(packet, &envelope, view, &Listed { slot });
    // SAFETY: the entry is this processor's own.
    let tally = unsafe { &mut *tally };
    tally.received = tally.received.wrapping_add(1);
    match outcome {
        Ok(verdict) => {
            note(heard, view, &verdict, slot);
            Fate::Pass
        }
        Err(reason) => {
            count(tally, reason);
            remember(slot, reason, envelope.source);
            if reason.is_ours() { Fate::Drop } else { Fate::Pass }
        }
    }
}

/// Who was refused last for this reason: what an operator asks first.
#[inline(always)]
fn remember(slot: u32, reason: DropReason, source: Address) {
    let Some(refused) = maps::REFUSED.get_ptr_mut(slot) else { return };
    // SAFETY: the entry is this processor's own.
    let refused = unsafe { &mut *refused };
    if let Some(last) = refused.last.get_mut(hide(reason as usize)) {
        // SAFETY: the helper has no preconditions.
        *last = Refusal { at: unsafe { bpf_ktime_get_boot_ns() }, source };
    }
}

/// Whom one router listens to.
struct Listed {
    slot: u32,
}

impl Peers for Listed {
    #[inline(always)]
    fn ttl_range(&self, source: &Address) -> Option<(u8, u8)> {
        let key = PeerKey { slot: self.slot, reserved: 0, source: *source };
        // SAFETY: the value is read once.
        let range = unsafe { maps::UNICAST.get(&key) }?;
        Some((range.lowest, range.highest))
    }

    #[inline(always)]
    fn admits(&self, source: &Address) -> bool {
        let sender = Key::new(Admitted::BITS, Admitted { slot: self.slot, network: *source });
        maps::ADMITTED.get(sender).is_some()
    }
}

/// Moves the record while no other processor does, and raises an event if none is outstanding.
#[inline(always)]
fn note(entry: *mut Record, view: &RouterView, verdict: &Verdict, slot: u32) {
    // SAFETY: the entry is aligned and lives as long as the map.
    let (version, pending) =
        unsafe { (Shared::new(&raw mut (*entry).version), Shared::new(&raw mut (*entry).pending)) };
    // SAFETY: the helper has no preconditions.
    let at = Instant::from_nanos(unsafe { bpf_ktime_get_boot_ns() });
    // Before the record: who reads that the router was beaten finds the addresses closed.
    if verdict.better {
        supersede(slot, at.as_nanos());
    }
    let unlocked = u64::from(lock(&version));
    // SAFETY: the version is odd, so nobody else writes, and a reader that was here meanwhile reads again.
    let news = record(unsafe { &mut (*entry).heard }, view, verdict, at);
    version.add(2_u64.wrapping_sub(unlocked));
    if news && pending.swap(1) == 0 {
        let event = Event { slot, reserved: 0 };
        if maps::EVENTS.output::<Event>(&event, 0).is_err() {
            pending.store(0);
        }
    }
}

/// Makes an even version odd; returns whether it did.
#[inline(always)]
fn lock(version: &Shared) -> bool {
    for _ in 0..PATIENCE {
        let even = version.load() & !1;
        if version.replace(even, even | 1) {
            return true;
        }
    }
    false
}

#[inline(always)]
fn strange(ifindex: u32, reason: DropReason) -> Fate {
    if let Some(tally) = maps::STRANGERS.get_ptr_mut(&ifindex) {
        // SAFETY: the entry is this processor's own.
        let tally = unsafe { &mut *tally };
        tally.received = tally.received.wrapping_add(1);
        count(tally, reason);
    }
    Fate::Pass
}

#[inline(always)]
fn count(tally: &mut Tally, reason: DropReason) {
    // Hidden: the compiler knows that every reason has a counter, the verifier does not.
    if let Some(count) = tally.refused.get_mut(hide(reason as usize)) {
        *count = count.wrapping_add(1);
    }
}
