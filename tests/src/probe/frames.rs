//! Frames that ask for an address, and what answers them: echo and ARP over IPv4, echo and solicitation over IPv6.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use anyhow::{Context as _, Result, bail};

use super::icmp::internet_checksum;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const ARP: u16 = 0x0806;
const ICMPV6: u8 = 58;
const SOLICITED: u8 = 0x40;

/// A hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for Mac {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let bytes: Result<Vec<u8>, _> = text.split(':').map(|byte| u8::from_str_radix(byte, 16)).collect();
        let bytes = bytes.with_context(|| text.to_owned())?;
        let bytes = bytes.try_into().ok().with_context(|| format!("{text}: not six bytes"))?;
        Ok(Self(bytes))
    }
}

/// What kind of answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An echo reply.
    Echo,
    /// An ARP reply or a solicited neighbour advertisement.
    Neighbour,
}

/// Who asks for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// The address asked for.
    pub(super) address: IpAddr,
    /// The address that asks.
    pub(super) source: IpAddr,
    /// Its hardware address.
    pub(super) own: Mac,
}

impl Asked {
    /// An echo request for each host, and one question to all.
    pub(super) fn questions(&self, hosts: &[Mac]) -> Result<Vec<Vec<u8>>> {
        let (mut questions, who_has) = match (self.address, self.source) {
            (IpAddr::V4(address), IpAddr::V4(source)) => {
                let echo = echo_v4(source, address);
                let echoes = hosts.iter().map(|host| self.frame(*host, IPV4, &echo)).collect::<Vec<_>>();
                let arp = [
                    &[0, 1, 8, 0, 6, 4, 0, 1],
                    &self.own.0[..],
                    &source.octets(),
                    &[0; 6],
                    &address.octets(),
                ];
                (echoes, self.frame(Mac([0xff; 6]), ARP, &arp.concat()))
            }
            (IpAddr::V6(address), IpAddr::V6(source)) => {
                let echo = icmpv6(source, address, vec![128, 0, 0, 0, 0x78, 0x67, 0, 1]);
                let echoes = hosts.iter().map(|host| self.frame(*host, IPV6, &echo)).collect::<Vec<_>>();
                (echoes, self.solicitation(source, address))
            }
            _ => bail!("{} cannot ask for {}", self.source, self.address),
        };
        questions.push(who_has);
        Ok(questions)
    }

    /// Who answered, and how, if the frame is an answer.
    pub(super) fn answer(&self, frame: &[u8]) -> Option<(Mac, Kind)> {
        let (to, from) = (frame.get(..6)?, frame.get(6..12)?.try_into().ok()?);
        if to != self.own.0 {
            return None;
        }
        let packet = frame.get(14..)?;
        let kind = match (u16::from_be_bytes(frame.get(12..14)?.try_into().ok()?), self.address) {
            (IPV4, IpAddr::V4(address)) => {
                (packet.get(12..16)? == address.octets() && packet.get(9)? == &1 && packet.get(20)? == &0)
                    .then_some(Kind::Echo)
            }
            (ARP, IpAddr::V4(address)) => {
                (packet.get(7)? == &2 && packet.get(14..18)? == address.octets()).then_some(Kind::Neighbour)
            }
            (IPV6, IpAddr::V6(address)) => answer_v6(packet, address),
            _ => None,
        };
        kind.map(|kind| (Mac(from), kind))
    }

    fn solicitation(&self, source: Ipv6Addr, address: Ipv6Addr) -> Vec<u8> {
        let [.., a, b, c] = address.octets();
        let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]));
        let message = [&[135, 0, 0, 0, 0, 0, 0, 0], &address.octets()[..], &[1, 1], &self.own.0].concat();
        self.frame(Mac([0x33, 0x33, 0xff, a, b, c]), IPV6, &icmpv6(source, group, message))
    }

    fn frame(&self, to: Mac, protocol: u16, packet: &[u8]) -> Vec<u8> {
        [&to.0[..], &self.own.0, &protocol.to_be_bytes(), packet].concat()
    }
}

fn answer_v6(packet: &[u8], address: Ipv6Addr) -> Option<Kind> {
    if packet.get(6)? != &ICMPV6 {
        return None;
    }
    match packet.get(40)? {
        129 => (packet.get(8..24)? == address.octets()).then_some(Kind::Echo),
        136 => {
            let solicited = packet.get(44)? & SOLICITED != 0;
            (solicited && packet.get(48..64)? == address.octets()).then_some(Kind::Neighbour)
        }
        _ => None,
    }
}

fn echo_v4(source: Ipv4Addr, address: Ipv4Addr) -> Vec<u8> {
    let mut icmp = vec![8, 0, 0, 0, 0x78, 0x67, 0, 1];
    let sum = internet_checksum(&icmp).to_be_bytes();
    icmp[2..4].copy_from_slice(&sum);
    let mut header =
        [&[0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0], &source.octets()[..], &address.octets()].concat();
    let sum = internet_checksum(&header).to_be_bytes();
    header[10..12].copy_from_slice(&sum);
    header.extend(icmp);
    header
}

fn icmpv6(source: Ipv6Addr, destination: Ipv6Addr, mut message: Vec<u8>) -> Vec<u8> {
    let length = message.len() as u16;
    let addresses = [source.octets(), destination.octets()].concat();
    let pseudo = [&addresses[..], &u32::from(length).to_be_bytes(), &[0, 0, 0, ICMPV6], &message].concat();
    let sum = internet_checksum(&pseudo).to_be_bytes();
    message[2..4].copy_from_slice(&sum);
    [&[0x60, 0, 0, 0], &length.to_be_bytes()[..], &[ICMPV6, 255], &addresses, &message].concat()
}
