//! Whole Ethernet frames as pure functions: advertisements, gratuitous ARP, unsolicited neighbour
//! advertisements. When they are sent, and on which socket, is not decided here.
//!
//! Frames are not padded to 60 bytes: the driver does that.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytemuck::{Pod, Zeroable};

use super::{ChecksumForm, ETHERTYPE_IPV4, ETHERTYPE_IPV6, Message, PROTOCOL, checksum::Sum};

const ETHERTYPE_ARP: [u8; 2] = [0x08, 0x06];
const BROADCAST: [u8; 6] = [0xff; 6];
/// DSCP CS6, network control: what other implementations send; the RFC has no rule.
const TRAFFIC_CLASS: u8 = 0xc0;
/// RFC 9568 §5.1.1.3, §5.1.2.3; RFC 4861 §7.1.2 for neighbour advertisements.
const HOP_LIMIT: u8 = 255;
const ICMPV6: u8 = 58;

/// Writes the frame of an advertisement to a multicast group and returns its length: at most
/// 54 + [`Message::len`] bytes (34 for IPv4).
///
/// `ethernet_source` is the virtual router's MAC address (RFC 9568 §7.2, §7.3) or the interface's own;
/// `source` the interface's primary or link-local address. `None` if `group` is not a multicast address of
/// `source`'s family, or where [`Message::emit`] says so of what follows the headers.
pub fn advertisement(
    ethernet_source: [u8; 6],
    source: IpAddr,
    group: IpAddr,
    message: &Message<'_>,
    form: ChecksumForm,
    buffer: &mut [u8],
) -> Option<usize> {
    if !group.is_multicast() {
        return None;
    }
    let ethernet = |destination, ethertype| Ethernet { destination, source: ethernet_source, ethertype };
    match (source, group) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let (head, payload) = buffer.split_first_chunk_mut::<{ size_of::<Ipv4Head>() }>()?;
            let length = message.emit(source, group, form, payload)?;
            let ethernet = ethernet(group_mac_v4(to), ETHERTYPE_IPV4);
            *head = bytemuck::cast(Ipv4Head { ethernet, ip: ipv4(from, to, length)? });
            head.len().checked_add(length)
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let (head, payload) = buffer.split_first_chunk_mut::<{ size_of::<Ipv6Head>() }>()?;
            let length = message.emit(source, group, form, payload)?;
            let ethernet = ethernet(group_mac_v6(to), ETHERTYPE_IPV6);
            let ip = ipv6(from, to, PROTOCOL, TRAFFIC_CLASS, u16::try_from(length).ok()?);
            *head = bytemuck::cast(Ipv6Head { ethernet, ip });
            head.len().checked_add(length)
        }
        _ => None,
    }
}

/// The broadcast ARP request that tells the link that `address` is at `mac` (RFC 9568 §6.4.1): sender and
/// target are the same in both address pairs (errata 7947 and 7949).
pub fn gratuitous_arp(mac: [u8; 6], address: Ipv4Addr) -> [u8; 42] {
    bytemuck::cast(ArpFrame {
        ethernet: Ethernet { destination: BROADCAST, source: mac, ethertype: ETHERTYPE_ARP },
        hardware: [0, 1], // Ethernet
        protocol: ETHERTYPE_IPV4,
        lengths: [6, 4],
        operation: [0, 1], // request
        sender_mac: mac,
        sender: address.octets(),
        target_mac: mac,
        target: address.octets(),
    })
}

/// The unsolicited neighbour advertisement that tells the link that `target` is at `mac` (RFC 9568 §6.4.1,
/// RFC 4861 §4.4): to all nodes, from `target` itself, Solicited clear, Override set. `router` sets the
/// Router flag: whether this host forwards.
pub fn unsolicited_na(mac: [u8; 6], target: Ipv6Addr, router: bool) -> [u8; 86] {
    const OVERRIDE: u8 = 0x20;
    const ROUTER: u8 = 0x80;

    let to = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let mut icmp = NeighbourAdvertisement {
        kind: 136,
        code: 0,
        checksum: [0; 2],
        flags: if router { ROUTER | OVERRIDE } else { OVERRIDE },
        reserved: [0; 3],
        target: target.octets(),
        option: [2, 1], // target link-layer address, one unit of eight bytes
        mac,
    };
    let length = size_of::<NeighbourAdvertisement>() as u16;
    icmp.checksum = Sum::ZERO
        .pseudo_header(IpAddr::V6(target).into(), IpAddr::V6(to).into(), ICMPV6, length)
        .bytes(bytemuck::bytes_of(&icmp))
        .checksum();
    bytemuck::cast(NaFrame {
        ethernet: Ethernet { destination: group_mac_v6(to), source: mac, ethertype: ETHERTYPE_IPV6 },
        ip: ipv6(target, to, ICMPV6, 0, length),
        icmp,
    })
}

fn ipv4(source: Ipv4Addr, destination: Ipv4Addr, payload: usize) -> Option<Ipv4> {
    let length = size_of::<Ipv4>().checked_add(payload)?;
    let mut header = Ipv4 {
        version_and_words: 0x45,
        traffic_class: TRAFFIC_CLASS,
        length: u16::try_from(length).ok()?.to_be_bytes(),
        identification: [0; 2],
        fragment: [0; 2],
        ttl: HOP_LIMIT,
        protocol: PROTOCOL,
        checksum: [0; 2],
        source: source.octets(),
        destination: destination.octets(),
    };
    header.checksum = Sum::ZERO.bytes(bytemuck::bytes_of(&header)).checksum();
    Some(header)
}

fn ipv6(source: Ipv6Addr, destination: Ipv6Addr, next: u8, traffic_class: u8, length: u16) -> Ipv6 {
    Ipv6 {
        version_class_flow: (0x6000_0000 | u32::from(traffic_class) << 20).to_be_bytes(),
        length: length.to_be_bytes(),
        next,
        hop_limit: HOP_LIMIT,
        source: source.octets(),
        destination: destination.octets(),
    }
}

/// RFC 1112 §6.4: the low 23 bits of the group.
fn group_mac_v4(group: Ipv4Addr) -> [u8; 6] {
    let [_, b, c, d] = group.octets();
    [0x01, 0x00, 0x5e, b & 0x7f, c, d]
}

/// RFC 2464 §7: the low 32 bits of the group.
fn group_mac_v6(group: Ipv6Addr) -> [u8; 6] {
    let [.., a, b, c, d] = group.octets();
    [0x33, 0x33, a, b, c, d]
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Ethernet {
    destination: [u8; 6],
    source: [u8; 6],
    ethertype: [u8; 2],
}

/// RFC 791 §3.1 without options.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Ipv4 {
    version_and_words: u8,
    traffic_class: u8,
    length: [u8; 2],
    identification: [u8; 2],
    fragment: [u8; 2],
    ttl: u8,
    protocol: u8,
    checksum: [u8; 2],
    source: [u8; 4],
    destination: [u8; 4],
}

/// RFC 8200 §3.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Ipv6 {
    version_class_flow: [u8; 4],
    length: [u8; 2],
    next: u8,
    hop_limit: u8,
    source: [u8; 16],
    destination: [u8; 16],
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Ipv4Head {
    ethernet: Ethernet,
    ip: Ipv4,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Ipv6Head {
    ethernet: Ethernet,
    ip: Ipv6,
}

/// RFC 826.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct ArpFrame {
    ethernet: Ethernet,
    hardware: [u8; 2],
    protocol: [u8; 2],
    lengths: [u8; 2],
    operation: [u8; 2],
    sender_mac: [u8; 6],
    sender: [u8; 4],
    target_mac: [u8; 6],
    target: [u8; 4],
}

/// RFC 4861 §4.4 with the option of §4.6.1.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct NeighbourAdvertisement {
    kind: u8,
    code: u8,
    checksum: [u8; 2],
    flags: u8,
    reserved: [u8; 3],
    target: [u8; 16],
    option: [u8; 2],
    mac: [u8; 6],
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct NaFrame {
    ethernet: Ethernet,
    ip: Ipv6,
    icmp: NeighbourAdvertisement,
}

// The sizes that `bytemuck::cast` relies on.
const _: () = assert!(size_of::<ArpFrame>() == 42);
const _: () = assert!(size_of::<NaFrame>() == 86);
