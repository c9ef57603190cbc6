//! From a packet to a moved record: the one receive function of both entries. It decides nothing itself.

use aya_ebpf::{helpers::generated::bpf_ktime_get_boot_ns, maps::lpm_trie::Key};
use vrrp_common::{
    abi::{Address, Admitted, Event, MESSAGE_BYTES, PeerKey, Record, Refusal, RouterView, Tally},
    judge::{DropReason, Envelope, Peers, Verdict, judge, locate, may_be_vrrp, record},
    time::Instant,
    wire::Bytes,
};

use crate::{
    atomic::Shared,
    guard::supersede,
    hide::{forget, hide},
    maps,
    packet::{Context, Packet},
    say,
};

/// How often a record that another processor writes is waited for. It writes for some ten nanoseconds; only a
/// preemptible softirq (PREEMPT_RT) can make it longer, and then an advertisement counts more than a clean record.
const PATIENCE: u32 = 64;

/// The bits of a VLAN tag.
pub const TAG: u32 = 0xffff;
/// Instead of a tag: the packet came in by XDP, which does not see what the hardware took off.
const XDP: u32 = TAG + 1;

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
pub fn frame<const LOG: bool>(frame: &Packet, ifindex: u32, context: Context) -> Fate {
    if !may_be_vrrp(frame) || !for_this_host(frame, ifindex) {
        return Fate::Pass;
    }
    packet::<LOG>(*frame, ifindex, XDP, context)
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

/// Hears a packet for this host. `tag` is the VLAN tag that was taken off it, or [`XDP`]: a function has five registers
/// for arguments, and the packet takes two.
///
/// One function for both entries, and what it calls is inlined into it and into its twin that logs: a function that
/// returns by way of the caller's stack leaves anything in the register for results, and the verifier refuses a pointer
/// there.
#[inline(never)]
pub fn packet<const LOG: bool>(packet: Packet, ifindex: u32, tag: u32, context: Context) -> Fate {
    let packet = &packet;
    let envelope = match locate(packet) {
        Ok(Some(envelope)) => envelope.forgotten(|number| forget(number, ifindex)),
        Ok(None) => return Fate::Pass,
        Err(reason) => return strange(ifindex, reason),
    };
    let key = envelope.key(ifindex, (tag & TAG) as u16);
    // SAFETY: a slot is one word.
    let Some(&slot) = (unsafe { maps::ROUTERS.get(&key.word()) }) else {
        // What has a tag is for another link than this interface's own.
        return if key.vlan == 0 { strange(ifindex, DropReason::Vrid) } else { Fate::Pass };
    };
    let (Some(view), Some(heard), Some(tally)) =
        (maps::VIEWS.get(slot), maps::HEARD.get_ptr_mut(slot), maps::COUNTS.get_ptr_mut(slot))
    else {
        return Fate::Pass;
    };
    let outcome = judge(packet, &envelope, view, &Listed { slot });
    if LOG {
        say::judged(&envelope, &outcome);
    }
    // SAFETY: the entry is this processor's own.
    let tally = unsafe { &mut *tally };
    tally.received = tally.received.wrapping_add(1);
    match outcome {
        Ok(verdict) => {
            if note(heard, view, &verdict, slot) {
                tell(heard, slot, &envelope, (context, tag & XDP != 0));
            }
            Fate::Pass
        }
        Err(reason) => {
            count(tally, reason);
            remember(slot, reason, envelope.source);
            point_out(heard);
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

/// Tells the daemon that there is something to count; after it was counted.
#[inline(always)]
fn point_out(entry: *mut Record) {
    // SAFETY: the entry is aligned and lives as long as the map.
    let refused = unsafe { Shared::new(&raw mut (*entry).refused) };
    // A full barrier: who clears the word finds what was counted before.
    refused.swap(1);
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
        let sender = Key::new(Admitted::BITS, Admitted { slot: self.slot, network: source.octets() });
        maps::ADMITTED.get(sender).is_some()
    }
}

/// Moves the record while no other processor does; returns whether there are news.
#[inline(always)]
fn note(entry: *mut Record, view: &RouterView, verdict: &Verdict, slot: u32) -> bool {
    // SAFETY: the entry is aligned and lives as long as the map.
    let version = unsafe { Shared::new(&raw mut (*entry).version) };
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
    news
}

/// Raises an event if none is outstanding.
#[inline(always)]
fn tell(entry: *mut Record, slot: u32, envelope: &Envelope, (context, xdp): (Context, bool)) {
    // SAFETY: the entry is aligned and lives as long as the map.
    let pending = unsafe { Shared::new(&raw mut (*entry).pending) };
    if pending.swap(1) != 0 {
        return;
    }
    let Some(mut room) = maps::EVENTS.reserve::<Event>(0) else {
        return pending.store(0);
    };
    let event = room.as_mut_ptr();
    // SAFETY: the room is an event's, and the length was compared with that of the message.
    unsafe {
        (*event).slot = slot;
        (*event).family = envelope.family as u16;
        (*event).source = envelope.source;
        let length = hide(envelope.length());
        let fits = (1..=MESSAGE_BYTES).contains(&length);
        let to = (&raw mut (*event).message).cast();
        let copied = fits && context.copy(xdp, envelope.offset() as u32, to, length as u32);
        (*event).length = if copied { length as u16 } else { 0 };
    }
    room.submit(0);
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
