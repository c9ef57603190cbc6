//! A client that asks for an address in two ways at a steady pace, notes which host answered when, and hears who
//! advertises. The order of what it notes is the order of arrival.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6},
    os::fd::AsFd as _,
    time::Duration,
};

use anyhow::{Context as _, Result};
use nix::{
    net::if_::if_nametoindex,
    poll::{PollFd, PollFlags, ppoll},
    sys::time::TimeSpec,
};
use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};

use super::{Nanos, icmp::internet_checksum, now, packets::Packets};

/// Hosts above this number are not watched: they are clients and bad neighbours.
const LAST_HOST: u8 = 2;
/// The virtual router whose own MAC address FRR answers from.
const VRID: u8 = 51;

/// What a host did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// Answered an echo request, which went where the client's neighbour table said.
    Echo,
    /// Answered "who has the address?".
    WhoHas,
    /// Advertised for this virtual router with this priority.
    Advert(u8, u8),
}

/// Everything that was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When, which host by its number, and what.
    pub deeds: Vec<(Nanos, u8, Deed)>,
    /// Questions of each kind that were asked.
    pub asked: u64,
    /// How late a question was at worst: times are known no better than this, in nanoseconds.
    pub worst_lateness: Nanos,
}

/// Watches until `stop` says so; asks for an address every `period` if there is one to ask for.
pub fn observe(
    address: Option<IpAddr>,
    period: Duration,
    mut stop: impl FnMut() -> bool,
    mut ready: impl FnMut() -> Result<()>,
) -> Result<Seen> {
    let wire = Packets::hearing_hosts(LAST_HOST, VRID)?;
    let question = address.map(Question::new).transpose()?;
    let period = u64::try_from(period.as_nanos()).context("period")?;
    let mut seen = Seen::default();
    let mut due = now();
    ready()?;
    while !stop() {
        let time = now();
        seen.worst_lateness = seen.worst_lateness.max(time.saturating_sub(due));
        // Late questions are skipped and not asked in a burst, which would hide the gap that made them late.
        due = time.max(due) + period;
        if let Some(question) = &question {
            question.ask(&wire, seen.asked as u16);
            seen.asked += 1;
        }
        collect(&wire, address, due, &mut seen)?;
    }
    Ok(seen)
}

/// Notes what arrives until the next question is due.
fn collect(wire: &Packets, address: Option<IpAddr>, due: Nanos, seen: &mut Seen) -> Result<()> {
    let mut frame = [0; 2048];
    loop {
        if let Some(length) = wire.hear(&mut frame)? {
            let frame = &frame[..length];
            seen.deeds.extend(deed(frame, address).map(|deed| (now(), frame[11], deed)));
            continue;
        }
        let Some(left) = due.checked_sub(now()).filter(|left| *left > 0) else { return Ok(()) };
        let mut wait = [PollFd::new(wire.as_fd(), PollFlags::POLLIN)];
        ppoll(&mut wait, Some(TimeSpec::from_duration(Duration::from_nanos(left))), None)
            .context("waiting for an answer")?;
    }
}

fn deed(frame: &[u8], address: Option<IpAddr>) -> Option<Deed> {
    match (frame.get(12..14)?, address) {
        ([0x08, 0x06], Some(IpAddr::V4(v4))) => {
            let reply = frame.get(20..22)? == [0, 2] && frame.get(28..32)? == v4.octets();
            // A gratuitous reply is nobody's answer: it goes to everybody.
            (reply && frame[0] & 1 == 0).then_some(Deed::WhoHas)
        }
        ([0x08, 0x00], _) => {
            let echo = |v4: std::net::Ipv4Addr| {
                frame[23] == 1 && frame.get(34) == Some(&0) && frame.get(26..30) == Some(&v4.octets())
            };
            match (frame.get(23)?, address) {
                (112, _) => Some(Deed::Advert(*frame.get(35)?, *frame.get(36)?)),
                (_, Some(IpAddr::V4(v4))) if echo(v4) => Some(Deed::Echo),
                _ => None,
            }
        }
        ([0x86, 0xdd], _) => match (*frame.get(20)?, *frame.get(54)?, address) {
            (112, ..) => Some(Deed::Advert(*frame.get(55)?, *frame.get(56)?)),
            (58, 129, Some(IpAddr::V6(v6))) => (frame.get(22..38)? == v6.octets()).then_some(Deed::Echo),
            // A neighbour advertisement with the Solicited flag.
            (58, 136, Some(IpAddr::V6(v6))) => {
                (frame.get(58)? & 0x40 != 0 && frame.get(62..78)? == v6.octets()).then_some(Deed::WhoHas)
            }
            _ => None,
        },
        _ => None,
    }
}

/// How to ask: sockets, and the frame or message of "who has".
struct Question {
    address: IpAddr,
    socket: Socket,
    who_has: Vec<u8>,
    scope: u32,
}

impl Question {
    fn new(address: IpAddr) -> Result<Self> {
        let (domain, protocol) = match address {
            IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
            IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
        };
        let socket = Socket::new(domain, Type::RAW, Some(protocol)).context("opening a raw socket")?;
        socket.set_nonblocking(true).context("raw socket")?;
        let mac = own_mac()?;
        let who_has = match address {
            IpAddr::V4(v4) => {
                let head = [&[0xff; 6][..], &mac, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &mac].concat();
                [&head[..], &[192, 0, 2, mac[5]], &[0; 6], &v4.octets()].concat()
            }
            IpAddr::V6(v6) => {
                socket.set_multicast_hops_v6(255).context("hop limit")?;
                [&[135, 0, 0, 0, 0, 0, 0, 0][..], &v6.octets(), &[1, 1], &mac].concat()
            }
        };
        let scope = if_nametoindex("eth0").context("eth0")?;
        Ok(Self { address, socket, who_has, scope })
    }

    /// That the kernel refuses one is no news: it may not know yet where to send it.
    fn ask(&self, wire: &Packets, sequence: u16) {
        let kind = if self.address.is_ipv4() { 8 } else { 128 };
        let _ = self.socket.send_to(&echo_request(kind, sequence), &SocketAddr::new(self.address, 0).into());
        match self.address {
            IpAddr::V4(_) => {
                wire.send(std::iter::once(&*self.who_has));
            }
            IpAddr::V6(v6) => {
                let to = SocketAddr::V6(SocketAddrV6::new(solicited(v6), 0, 0, self.scope));
                let _ = self.socket.send_to(&self.who_has, &to.into());
            }
        }
    }
}

/// The solicited-node group (RFC 4291 §2.7.1).
fn solicited(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]))
}

fn echo_request(kind: u8, sequence: u16) -> [u8; 16] {
    let mut message = [0; 16];
    message[0] = kind;
    message[4..6].copy_from_slice(&[0x0b, 0x5e]);
    message[6..8].copy_from_slice(&sequence.to_be_bytes());
    // Of ICMPv6 the kernel makes it, over a pseudo-header.
    let checksum = internet_checksum(&message);
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

fn own_mac() -> Result<[u8; 6]> {
    let text = std::fs::read_to_string("/sys/class/net/eth0/address").context("the address of eth0")?;
    let bytes: Vec<u8> =
        text.trim().split(':').filter_map(|part| u8::from_str_radix(part, 16).ok()).collect();
    bytes.try_into().map_err(|_| anyhow::anyhow!("eth0 has the address {text:?}"))
}
