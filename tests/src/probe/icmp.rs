//! ICMP echo at a steady fast pace: the finest gauge of how long nobody answered.

use std::{
    io::{ErrorKind, Read as _},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use nix::{
    poll::{PollFd, PollFlags, ppoll},
    sys::time::TimeSpec,
};
use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};

use super::{Nanos, now};

/// Echo reply, its length with the IPv4 header, and where the identifier begins.
const ECHO_REPLY: u8 = 0;
const IPV4_HEADER: usize = 20;
const MESSAGE: usize = 16;

/// What a run of probes saw. A gap is the time between the replies to two consecutive *answered* probes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// Probes sent, or tried: the kernel may refuse one while it does not know the address's hardware.
    pub sent: u64,
    /// Probes that the kernel refused to send.
    pub refused: u64,
    /// Probes answered.
    pub answered: u64,
    /// When the first answer came.
    pub first: Option<Nanos>,
    /// When the last answer came.
    pub last: Option<Nanos>,
    /// The longest gap, in nanoseconds.
    pub longest_gap: Nanos,
    /// When that gap began.
    pub gap_from: Option<Nanos>,
    /// How late the probe itself was at worst: a gap is known no better than this, in nanoseconds.
    pub worst_lateness: Nanos,
}

impl Ping {
    fn answer(&mut self, at: Nanos) {
        if let Some(last) = self.last {
            let gap = at.saturating_sub(last);
            if gap > self.longest_gap {
                (self.longest_gap, self.gap_from) = (gap, Some(last));
            }
        }
        self.answered += 1;
        self.first.get_or_insert(at);
        self.last = Some(at);
    }
}

/// Sends a probe every `period` until `stop` says so; needs the right to open raw sockets. Reports what it
/// has seen after the first answer and at its end.
pub fn ping(
    address: IpAddr,
    period: Duration,
    mut stop: impl FnMut() -> bool,
    mut report: impl FnMut(&Ping) -> Result<()>,
) -> Result<()> {
    ensure!(address.is_ipv4(), "{address}: only IPv4 is probed");
    let socket =
        Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).context("opening a raw socket")?;
    socket.set_nonblocking(true).context("raw socket")?;
    let to = SocketAddr::new(address, 0).into();
    let id = (std::process::id() & 0xffff) as u16;
    let period = u64::try_from(period.as_nanos()).context("period")?;
    let mut ping = Ping::default();
    let mut due = now();
    while !stop() {
        let time = now();
        ping.worst_lateness = ping.worst_lateness.max(time.saturating_sub(due));
        ping.sent += 1;
        // Late probes are skipped and not sent in a burst: a burst would hide the gap that made them late.
        due = time.max(due) + period;
        if socket.send_to(&echo_request(id, ping.sent as u16), &to).is_err() {
            ping.refused += 1;
        }
        let quiet = ping.answered == 0;
        collect(&socket, id, due, &mut ping)?;
        if quiet && ping.answered > 0 {
            report(&ping)?;
        }
    }
    report(&ping)
}

/// Takes replies until the next probe is due.
fn collect(socket: &Socket, id: u16, due: Nanos, ping: &mut Ping) -> Result<()> {
    let mut packet = [0; 128];
    loop {
        match (&*socket).read(&mut packet) {
            Ok(length) if is_reply(&packet[..length], id) => ping.answer(now()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let Some(left) = due.checked_sub(now()).filter(|left| *left > 0) else { return Ok(()) };
                let mut wait = [PollFd::new(std::os::fd::AsFd::as_fd(socket), PollFlags::POLLIN)];
                ppoll(&mut wait, Some(TimeSpec::from_duration(Duration::from_nanos(left))), None)
                    .context("waiting for a reply")?;
            }
            Err(error) => return Err(error).context("reading a reply"),
        }
    }
}

fn is_reply(packet: &[u8], id: u16) -> bool {
    let Some(message) = packet.get(IPV4_HEADER..) else { return false };
    message.first() == Some(&ECHO_REPLY) && message.get(4..6) == Some(&id.to_be_bytes()[..])
}

fn echo_request(id: u16, sequence: u16) -> [u8; MESSAGE] {
    let mut message = [0; MESSAGE];
    message[0] = 8;
    message[4..6].copy_from_slice(&id.to_be_bytes());
    message[6..8].copy_from_slice(&sequence.to_be_bytes());
    let checksum = internet_checksum(&message);
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// RFC 1071, for an even number of bytes.
pub(crate) fn internet_checksum(bytes: &[u8]) -> u16 {
    let sum: u32 = bytes.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    !(((sum & 0xffff) + (sum >> 16)) as u16)
}
