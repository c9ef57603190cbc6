//! From the Ethernet header to the VRRP message: what carries it, to whom, and where it lies. Its content is
//! not looked at, but for the VRID.

use core::net::IpAddr;

use crate::{
    abi::{Address, RouterKey},
    wire::{Bytes, DropReason, ETHERTYPE_IPV4, ETHERTYPE_IPV6, Family, PROTOCOL},
};

const ETHERTYPE_8021Q: [u8; 2] = [0x81, 0x00];
const ETHERTYPE_8021AD: [u8; 2] = [0x88, 0xa8];
/// The 12 bits of a tag that name the VLAN; 0 is a tag for priority only.
const VLAN_ID: u16 = 0x0fff;
/// Flags and offset of a fragment, without "don't fragment" (RFC 791 §3.1).
const FRAGMENT: u16 = 0x3fff;

/// A packet of IP protocol 112: who sent it to whom, and where its message lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Address family.
    pub family: Family,
    /// The virtual router that the message names, 0 to 255.
    pub vrid: u8,
    /// TTL or hop limit.
    pub ttl: u8,
    /// The VLAN of the tag in the frame; 0 for none, [`Envelope::NESTED`] for two.
    pub vlan: u16,
    /// IP source.
    pub source: Address,
    /// IP destination.
    pub destination: Address,
    pub(super) offset: u16,
    pub(super) length: u16,
}

impl Envelope {
    /// The [`RouterKey::vlan`] of a packet with two tags that name a VLAN. No router has it: such a packet is
    /// of neither VLAN alone, and taking it for one of them would join two links that are separate.
    pub const NESTED: u16 = u16::MAX;

    /// Where to look the router up. `ifindex` is the receiving interface; `vlan` the tag that was taken off
    /// the frame and reported out of band (`PACKET_AUXDATA`, `vlan_tci`), 0 for none; its upper four bits are
    /// ignored.
    pub const fn key(&self, ifindex: u32, vlan: u16) -> RouterKey {
        let vlan = nested(vlan & VLAN_ID, self.vlan);
        RouterKey { ifindex, vlan, family: self.family as u8, vrid: self.vrid }
    }

    /// Where the message begins in the frame, in bytes.
    pub fn offset(&self) -> usize {
        self.offset.into()
    }

    /// The length of the message in bytes, from the IP header: a padded frame is longer.
    pub fn length(&self) -> usize {
        self.length.into()
    }

    /// The message within the frame that it was located in, for [`crate::wire::Advertisement::parse`].
    pub fn message<'a>(&self, frame: &'a [u8]) -> Option<&'a [u8]> {
        frame.get(self.offset()..)?.get(..self.length())
    }
}

/// Finds the VRRP message in an Ethernet frame, behind up to two VLAN tags (802.1Q, 802.1ad). `None` if the
/// frame is not VRRP; an IPv6 packet with extension headers is not, as VRRP has none.
///
/// IPv4 options are skipped. The IPv4 header's checksum is not checked: it has no bearing on the message.
///
/// # Errors
///
/// [`DropReason::IpHeader`], [`DropReason::Fragment`] or [`DropReason::Length`] (no VRID) if it is of
/// protocol 112 and cannot be read, for whichever router it may be.
pub fn locate(frame: &(impl Bytes + ?Sized)) -> Result<Option<Envelope>, DropReason> {
    let Some(link) = Link::read(frame) else { return Ok(None) };
    let packet = match link.ethertype {
        ETHERTYPE_IPV4 => ipv4(frame, link.end)?,
        ETHERTYPE_IPV6 => ipv6(frame, link.end)?,
        _ => None,
    };
    let Some(packet) = packet else { return Ok(None) };
    packet.envelope(frame, link.vlan).map(Some)
}

/// The Ethernet header and its tags.
struct Link {
    ethertype: [u8; 2],
    vlan: u16,
    end: usize,
}

impl Link {
    fn read(frame: &(impl Bytes + ?Sized)) -> Option<Self> {
        Self { ethertype: frame.at(12)?, vlan: 0, end: 14 }.untag(frame)?.untag(frame)
    }

    fn untag(self, frame: &(impl Bytes + ?Sized)) -> Option<Self> {
        if self.ethertype != ETHERTYPE_8021Q && self.ethertype != ETHERTYPE_8021AD {
            return Some(self);
        }
        let [high, low, inner @ ..]: [u8; 4] = frame.at(self.end)?;
        let vlan = nested(self.vlan, u16::from_be_bytes([high, low]) & VLAN_ID);
        Some(Self { ethertype: inner, vlan, end: self.end.wrapping_add(4) })
    }
}

const fn nested(outer: u16, inner: u16) -> u16 {
    match (outer, inner) {
        (0, one) | (one, 0) => one,
        _ => Envelope::NESTED,
    }
}

/// An IP packet of protocol 112: `start` and `header` in bytes, `total` with the header.
struct Packet {
    family: Family,
    ttl: u8,
    source: Address,
    destination: Address,
    start: usize,
    header: u16,
    total: u16,
}

impl Packet {
    fn envelope(self, frame: &(impl Bytes + ?Sized), vlan: u16) -> Result<Envelope, DropReason> {
        let length = self.total.checked_sub(self.header).ok_or(DropReason::IpHeader)?;
        let last = self.start.wrapping_add(self.total.into()).wrapping_sub(1);
        let [_]: [u8; 1] = frame.at(last).ok_or(DropReason::IpHeader)?;
        if length < 2 {
            return Err(DropReason::Length);
        }
        let offset = self.start.wrapping_add(self.header.into());
        let [_, vrid] = frame.at(offset).ok_or(DropReason::IpHeader)?;
        let Self { family, ttl, source, destination, .. } = self;
        Ok(Envelope { family, vrid, ttl, vlan, source, destination, offset: offset as u16, length })
    }
}

fn ipv4(frame: &(impl Bytes + ?Sized), start: usize) -> Result<Option<Packet>, DropReason> {
    if frame.at(start.wrapping_add(9)) != Some([PROTOCOL]) {
        return Ok(None);
    }
    let header: [u8; 20] = frame.at(start).ok_or(DropReason::IpHeader)?;
    let [first, _, l0, l1, _, _, f0, f1, ttl, _, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = header;
    let words = first & 0x0f;
    if first >> 4 != 4 || words < 5 {
        return Err(DropReason::IpHeader);
    }
    if u16::from_be_bytes([f0, f1]) & FRAGMENT != 0 {
        return Err(DropReason::Fragment);
    }
    Ok(Some(Packet {
        family: Family::V4,
        ttl,
        source: IpAddr::from([s0, s1, s2, s3]).into(),
        destination: IpAddr::from([d0, d1, d2, d3]).into(),
        start,
        header: u16::from(words).wrapping_mul(4),
        total: u16::from_be_bytes([l0, l1]),
    }))
}

fn ipv6(frame: &(impl Bytes + ?Sized), start: usize) -> Result<Option<Packet>, DropReason> {
    const HEADER: u16 = 40;
    if frame.at(start.wrapping_add(6)) != Some([PROTOCOL]) {
        return Ok(None);
    }
    let [first, _, _, _, l0, l1, _, ttl]: [u8; 8] = frame.at(start).ok_or(DropReason::IpHeader)?;
    let source = frame.at(start.wrapping_add(8)).map(Address).ok_or(DropReason::IpHeader)?;
    let destination = frame.at(start.wrapping_add(24)).map(Address).ok_or(DropReason::IpHeader)?;
    if first >> 4 != 6 {
        return Err(DropReason::IpHeader);
    }
    let total = u16::from_be_bytes([l0, l1]).checked_add(HEADER).ok_or(DropReason::IpHeader)?;
    Ok(Some(Packet { family: Family::V6, ttl, source, destination, start, header: HEADER, total }))
}
