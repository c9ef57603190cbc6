//! From a packet to a moved record: the one receive function of both entries. It decides nothing itself.

use aya_ebpf::{helpers::generated::bpf_ktime_get_boot_ns, maps::lpm_trie::Key};
use vrrp_common::{
    abi::{
        Address, Admitted, Event, Heard, MESSAGE_BYTES, PeerKey, Record, Refusal, RouterKey, Standing, Tally,
    },
    judge::{
        DropReason, Envelope, Notice, Peers, Verdict, come_again, judge, locate, may_be_vrrp, print, record,
    },
    time::Instant,
    wire::Bytes,
};

use crate::{
    atomic::Shared,
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
        Ok(Some(envelope)) => envelope.forgotten(|number| forget(number.into(), ifindex) as u16),
        Ok(None) => return Fate::Pass,
        Err(reason) => return strange(ifindex, reason),
    };
    let key = envelope.key(ifindex, (tag & TAG) as u16);
    let Some(slot) = slot(&key) else {
        // What has a tag is for another link than this interface's own.
        return if key.vlan == 0 { strange(ifindex, DropReason::Vrid) } else { Fate::Pass };
    };
    let (Some(view), Some(heard)) = (maps::VIEWS.get_ptr(slot), maps::HEARD.get_ptr_mut(slot)) else {
        return Fate::Pass;
    };
    touch(heard);
    // SAFETY: the entry is aligned and lives as long as the map. What belongs to this number is read later.
    let (standing, serial) = unsafe {
        ((&raw const (*view).standing).read_volatile(), (&raw const (*view).serial).read_volatile())
    };
    let print = print(packet, &envelope, serial);
    // Who logs wants to see each one judged.
    let again = if LOG { None } else { note_again(heard, standing, &envelope.source, print) };
    if let Some(news) = again {
        if news {
            tell(heard, slot, &envelope, (context, tag & XDP != 0));
        }
        return Fate::Pass;
    }
    // Once more: looking for what comes again told the verifier something of the length.
    let envelope = envelope.forgotten(|number| forget(number.into(), ifindex) as u16);
    // SAFETY: as above; that the daemon changes it meanwhile harms nobody.
    let view = unsafe { &*view };
    let outcome = judge(packet, &envelope, view, &Listed { slot });
    if LOG {
        say::judged(&envelope, &outcome);
    }
    match outcome {
        Ok(verdict) => {
            let notice = Notice::new(&verdict, print).forgotten(|terms| forget(terms, ifindex));
            if note(heard, view.standing, &notice) {
                tell(heard, slot, &envelope, (context, tag & XDP != 0));
            }
            Fate::Pass
        }
        Err(reason) => {
            if let Some(tally) = maps::COUNTS.get_ptr_mut(slot) {
                count(tally, reason);
            }
            remember(slot, reason, envelope.source);
            point_out(heard);
            if reason.is_ours() { Fate::Drop } else { Fate::Pass }
        }
    }
}

/// The router that a key is of. Most have a shortcut.
#[inline(always)]
fn slot(key: &RouterKey) -> Option<u32> {
    let shortcut = maps::SHORTCUTS.get(key.place()).and_then(|shortcut| shortcut.slot(key.ifindex));
    // What has a tag is another router.
    if key.vlan == 0 && shortcut.is_some() {
        return shortcut;
    }
    // SAFETY: a slot is one word.
    unsafe { maps::ROUTERS.get(&key.word()) }.copied()
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

/// See [`come_again`]: all that a steady Active needs.
#[inline(always)]
fn note_again(entry: *mut Record, standing: Standing, source: &Address, print: u64) -> Option<bool> {
    // SAFETY: the entry is aligned and lives as long as the map; the word is read again when nobody else writes.
    if unsafe { (&raw const (*entry).heard.repeat.print).read_volatile() } != print {
        // Junk asks for no clock and holds nobody up. A full barrier, as holding the entry is: what is judged by is read
        // after its serial number.
        // SAFETY: as above.
        unsafe { Shared::new(&raw mut (*entry).version) }.add(0);
        return None;
    }
    let at = now();
    let held = hold(entry);
    // SAFETY: the version is odd, so nobody else writes, and a reader that was here meanwhile reads again.
    let heard = unsafe { &mut (*entry).heard };
    let news = come_again(heard, standing, source, print, at);
    if news.is_some() && heard.repeat.is_better() {
        supersede(entry, at);
    }
    release(entry, held);
    news
}

/// Moves the record while no other processor does; returns whether there are news.
#[inline(always)]
fn note(entry: *mut Record, standing: Standing, notice: &Notice) -> bool {
    let at = now();
    let held = hold(entry);
    // SAFETY: as in `note_again`.
    let heard = unsafe { &mut (*entry).heard };
    let news = record(heard, standing, notice, at);
    if heard.repeat.is_better() {
        supersede(entry, at);
    }
    release(entry, held);
    news
}

#[inline(always)]
fn now() -> Instant {
    // SAFETY: the helper has no preconditions.
    Instant::from_nanos(unsafe { bpf_ktime_get_boot_ns() })
}

/// What was granted before is closed from here on, whether or not the daemon is there to see it. A Backup's is noted too,
/// so that becoming Active cannot miss it.
#[inline(always)]
fn supersede(entry: *mut Record, at: Instant) {
    // SAFETY: the entry is aligned and lives as long as the map.
    let superseded = unsafe { Shared::new(&raw mut (*entry).superseded) };
    if superseded.load() < at.as_nanos() {
        superseded.store(at.as_nanos());
    }
}

/// Has the record's line fetched while other things are done: most often it is in no cache, and the one memory access that
/// takes longer than all the rest.
#[inline(always)]
fn touch(entry: *mut Record) {
    // SAFETY: the entry is aligned and lives as long as the map.
    unsafe { Shared::new(&raw mut (*entry).version) }.load();
}

/// Makes the version odd; returns whether it was even.
#[inline(always)]
fn hold(entry: *mut Record) -> bool {
    // SAFETY: the entry is aligned and lives as long as the map.
    lock(&unsafe { Shared::new(&raw mut (*entry).version) })
}

#[inline(always)]
fn release(entry: *mut Record, held: bool) {
    // SAFETY: the entry is aligned and lives as long as the map.
    let version = unsafe { Shared::new(&raw mut (*entry).version) };
    version.add(2_u64.wrapping_sub(held.into()));
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
        count(tally, reason);
    }
    Fate::Pass
}

#[inline(always)]
fn count(tally: *mut Tally, reason: DropReason) {
    // SAFETY: the entry is this processor's own.
    let tally = unsafe { &mut *tally };
    // Hidden: the compiler knows that every reason has a counter, the verifier does not.
    if let Some(count) = tally.refused.get_mut(hide(reason as usize)) {
        *count = count.wrapping_add(1);
    }
}
