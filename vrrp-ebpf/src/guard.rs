//! The guard: packets to and from an address that a router of ours took pass only while its lease is open. Which
//! addresses and which leases is for the daemon to say; both outlive it.

use aya_ebpf::{helpers::generated::bpf_ktime_get_boot_ns, programs::TcContext};
use vrrp_common::{
    abi::{Address, Cell, GuardKey, Marks, Passage, place},
    judge::passage,
    wire::PROTOCOL,
};

use crate::{atomic::Shared, hide::hide, maps};

const ETHERNET_HEADER: usize = 14;
const TAG: usize = 4;
const IPV4: u16 = 0x0800_u16.to_be();
const IPV6: u16 = 0x86dd_u16.to_be();
const ARP: u16 = 0x0806_u16.to_be();
const VLAN: u16 = 0x8100_u16.to_be();
const SERVICE_VLAN: u16 = 0x88a8_u16.to_be();
/// What ARP says of itself for IPv4 over Ethernet, from its protocol on.
const ARP_IPV4: [u8; 4] = [0x08, 0x00, 6, 4];
/// The first byte of an IPv4 address from here on is that of a group, or of a broadcast, which is nobody's address. Much of
/// what is heard is sent to one, other advertisements first.
const GROUPS: u8 = 224;
const ICMPV6: u8 = 58;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;

/// Where a packet goes. Coming in, the address that it is for counts; going out, the one that it speaks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    In,
    Out,
}

/// Whether a packet may go on. What is no packet of a guarded address may.
#[inline(always)]
pub fn passes(context: &TcContext, way: Way) -> bool {
    let Some(slot) = slot(context, way) else { return true };
    let (Some(lease), Some(heard)) = (maps::LEASES.get(slot), maps::HEARD.get_ptr_mut(slot)) else {
        return true;
    };
    // SAFETY: the entry is aligned and lives as long as the map.
    let superseded = unsafe { Shared::new(&raw mut (*heard).superseded) };
    // SAFETY: the helper has no preconditions.
    let passage = passage(lease, superseded.load(), || unsafe { bpf_ktime_get_boot_ns() });
    count(slot, passage);
    passage == Passage::Open
}

/// The router whose address it is. An unknown protocol has none.
#[inline(always)]
fn slot(context: &TcContext, way: Way) -> Option<u32> {
    // SAFETY: the context is valid for as long as the program runs.
    let protocol = unsafe { (*context.skb.skb).protocol as u16 };
    let (protocol, packet) = match protocol {
        VLAN | SERVICE_VLAN => (load(context, ETHERNET_HEADER + TAG - 2)?, ETHERNET_HEADER + TAG),
        untagged => (untagged, ETHERNET_HEADER),
    };
    match protocol {
        IPV4 => ipv4(context, packet, way),
        IPV6 => ipv6(context, packet, way),
        ARP => arp(context, packet, way),
        _ => None,
    }
}

/// Fragments and options change nothing: every packet carries its addresses at the same place.
#[inline(always)]
fn ipv4(context: &TcContext, packet: usize, way: Way) -> Option<u32> {
    let address = packet + if way == Way::In { 16 } else { 12 };
    let address: [u8; 4] = load(context, address)?;
    if address[0] >= GROUPS {
        return None;
    }
    let slot = guarded(context, Address::mapped(address))?;
    (load::<u8>(context, packet + 9)? != PROTOCOL).then_some(slot)
}

#[inline(always)]
fn ipv6(context: &TcContext, packet: usize, way: Way) -> Option<u32> {
    let address = packet + if way == Way::In { 24 } else { 8 };
    let next: u8 = load(context, packet + 6)?;
    let address: Address = load(context, address)?;
    if !address.is_group()
        && let Some(slot) = guarded(context, address)
    {
        return (next != PROTOCOL).then_some(slot);
    }
    if next != ICMPV6 {
        // A solicitation behind an extension header comes in; the answer does not go out.
        return None;
    }
    let kind: u8 = load(context, packet + 40)?;
    if kind != NEIGHBOUR_SOLICITATION && kind != NEIGHBOUR_ADVERTISEMENT {
        return None;
    }
    guarded(context, load(context, packet + 48)?)
}

/// The target of what comes in, the sender of what goes out: an announcement has the address in both places.
#[inline(always)]
fn arp(context: &TcContext, packet: usize, way: Way) -> Option<u32> {
    if load::<u32>(context, packet + 2)? != u32::from_ne_bytes(ARP_IPV4) {
        return None;
    }
    let address = packet + if way == Way::In { 24 } else { 14 };
    guarded(context, Address::mapped(load(context, address)?))
}

/// What lies at an offset, read in place; where drivers leave headers outside the linear part, by way of a helper.
#[inline(always)]
fn load<T>(context: &TcContext, offset: usize) -> Option<T> {
    let start = context.data().wrapping_add(offset);
    if start.wrapping_add(size_of::<T>()) > context.data_end() {
        return context.load(offset).ok();
    }
    // SAFETY: it lies before the packet's end, and every value of the types read here is valid.
    Some(unsafe { (start as *const T).read_unaligned() })
}

#[inline(always)]
fn guarded(context: &TcContext, address: Address) -> Option<u32> {
    let place = place(address);
    if !may_be_guarded(place) {
        return None;
    }
    // SAFETY: the context is valid for as long as the program runs.
    let ifindex = unsafe { (*context.skb.skb).ifindex };
    let key = GuardKey::new(address, ifindex);
    if let Some(slot) = cell(place).and_then(|cell| cell.slot(&key)) {
        return Some(slot);
    }
    // SAFETY: a slot is one word.
    unsafe { maps::GUARDED.get(&key) }.copied()
}

/// A cell is given to another address only by way of having no owner: between two looks that find the same owner, the
/// address is that owner's.
#[inline(always)]
fn cell(place: u32) -> Option<Cell> {
    let cell = maps::CELLS.get_ptr_mut(place)?;
    // SAFETY: the entry is aligned and lives as long as the map.
    let (owner, address) = unsafe { (Shared::new(&raw mut (*cell).owner), &raw const (*cell).address) };
    let before = owner.load();
    // SAFETY: as above; every value is an address.
    let cell = Cell { address: unsafe { address.read_volatile() }, owner: before };
    (owner.load() == before).then_some(cell)
}

/// Without marks it may.
#[inline(always)]
fn may_be_guarded(place: u32) -> bool {
    let Some(marks) = maps::MARKS.get(0) else { return true };
    let (word, bit) = Marks::bit(place);
    marks.words.get(word).is_none_or(|word| word & bit != 0)
}

#[inline(always)]
fn count(slot: u32, passage: Passage) {
    let Some(passages) = maps::PASSAGES.get_ptr_mut(slot) else { return };
    // SAFETY: the entry is this processor's own.
    let passages = unsafe { &mut *passages };
    if let Some(packets) = passages.packets.get_mut(hide(passage as usize)) {
        *packets = packets.wrapping_add(1);
    }
}
