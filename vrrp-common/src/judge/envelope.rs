//! From the Ethernet header to the VRRP message: what carries it, to whom, and where it lies. Its content is
//! not looked at, but for the VRID.

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

    /// The same with offset and length passed through `forget`, which returns what it is given in a way that a
    /// verifier cannot follow: else it walks through [`super::judge`] once for each place that a message can be at.
    pub fn forgotten(self, forget: impl Fn(u16) -> u16) -> Self {
        Self { offset: forget(self.offset), length: forget(self.length), ..self }
    }

    /// The message within the frame that it was located in, for [`crate::wire::Advertisement::parse`].
    pub fn message<'a>(&self, frame: &'a [u8]) -> Option<&'a [u8]> {
        frame.get(self.offset()..)?.get(..self.length())
    }
}

/// Finds the VRRP message in an Ethernet frame, behind up to two VLAN tags (802.1Q, 802.1ad). `None` if the
/// frame is not VRRP; an IPv6 packet with extension headers is not, as VRRP has none.
///
/// IPv4 options are skipped. The IPv4 header's own checksum is not checked: the frame's covers it.
///
/// # Errors
///
/// [`DropReason::IpHeader`], [`DropReason::Fragment`] or [`DropReason::Length`] (no VRID) if it is of
/// protocol 112 and cannot be read, for whichever router it may be.
#[inline(always)]
pub fn locate(frame: &(impl Bytes + ?Sized)) -> Result<Option<Envelope>, DropReason> {
    let Some(link) = Link::read(frame) else { return Ok(None) };
    match link.ethertype {
        ETHERTYPE_IPV4 => ipv4(frame, &link),
        ETHERTYPE_IPV6 => ipv6(frame, &link),
        _ => Ok(None),
    }
}

/// False for a frame that [`locate`] finds no message in, as far as three bytes tell: most of the traffic of an
/// interface ends here.
#[inline(always)]
pub fn may_be_vrrp(frame: &(impl Bytes + ?Sized)) -> bool {
    let protocol = match frame.at(12) {
        Some(ETHERTYPE_IPV4) => frame.at(14 + 9),
        Some(ETHERTYPE_IPV6) => frame.at(14 + 6),
        Some(ETHERTYPE_8021Q | ETHERTYPE_8021AD) => return true,
        _ => None,
    };
    protocol == Some([PROTOCOL])
}

/// The Ethernet header and its tags.
struct Link {
    ethertype: [u8; 2],
    vlan: u16,
    end: usize,
}

impl Link {
    #[inline(always)]
    fn read(frame: &(impl Bytes + ?Sized)) -> Option<Self> {
        Self { ethertype: frame.at(12)?, vlan: 0, end: 14 }.untag(frame)?.untag(frame)
    }

    #[inline(always)]
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

/// Fields are read one by one: the kernel's stack of 512 bytes has no room for a header taken apart.
#[inline(always)]
fn ipv4(frame: &(impl Bytes + ?Sized), link: &Link) -> Result<Option<Envelope>, DropReason> {
    let start = link.end;
    if frame.at(start.wrapping_add(9)) != Some([PROTOCOL]) {
        return Ok(None);
    }
    let [first, _, l0, l1, _, _, f0, f1, ttl] = read(frame, start)?;
    let words = first & 0x0f;
    if first >> 4 != 4 || words < 5 {
        return Err(DropReason::IpHeader);
    }
    if u16::from_be_bytes([f0, f1]) & FRAGMENT != 0 {
        return Err(DropReason::Fragment);
    }
    let header = u16::from(words).wrapping_mul(4);
    let payload = Payload::read(frame, start, header, u16::from_be_bytes([l0, l1]))?;
    Ok(Some(Envelope {
        family: Family::V4,
        vrid: payload.vrid,
        ttl,
        vlan: link.vlan,
        source: Address::mapped(read(frame, start.wrapping_add(12))?),
        destination: Address::mapped(read(frame, start.wrapping_add(16))?),
        offset: payload.offset,
        length: payload.length,
    }))
}

#[inline(always)]
fn ipv6(frame: &(impl Bytes + ?Sized), link: &Link) -> Result<Option<Envelope>, DropReason> {
    const HEADER: u16 = 40;
    let start = link.end;
    if frame.at(start.wrapping_add(6)) != Some([PROTOCOL]) {
        return Ok(None);
    }
    let [first, _, _, _, l0, l1, _, ttl] = read(frame, start)?;
    if first >> 4 != 6 {
        return Err(DropReason::IpHeader);
    }
    let total = u16::from_be_bytes([l0, l1]).checked_add(HEADER).ok_or(DropReason::IpHeader)?;
    let payload = Payload::read(frame, start, HEADER, total)?;
    Ok(Some(Envelope {
        family: Family::V6,
        vrid: payload.vrid,
        ttl,
        vlan: link.vlan,
        source: Address::new(read(frame, start.wrapping_add(8))?),
        destination: Address::new(read(frame, start.wrapping_add(24))?),
        offset: payload.offset,
        length: payload.length,
    }))
}

/// Bytes of an IP header, which must be there.
#[inline(always)]
fn read<const N: usize>(frame: &(impl Bytes + ?Sized), offset: usize) -> Result<[u8; N], DropReason> {
    frame.at(offset).ok_or(DropReason::IpHeader)
}

/// What an IP packet carries, and where: within the frame, as long as the IP header says.
struct Payload {
    vrid: u8,
    offset: u16,
    length: u16,
}

impl Payload {
    /// `start` is where the IP header begins; `header` its length and `total` the packet's, in bytes.
    #[inline(always)]
    fn read(
        frame: &(impl Bytes + ?Sized),
        start: usize,
        header: u16,
        total: u16,
    ) -> Result<Self, DropReason> {
        let length = total.checked_sub(header).ok_or(DropReason::IpHeader)?;
        let [_last] = read(frame, start.wrapping_add(total.into()).wrapping_sub(1))?;
        if length < 2 {
            return Err(DropReason::Length);
        }
        let offset = start.wrapping_add(header.into());
        let [_, vrid] = read(frame, offset)?;
        Ok(Self { vrid, offset: offset as u16, length }) // at most 14 + 2 tags + 60
    }
}
