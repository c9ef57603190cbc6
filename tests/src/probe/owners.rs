//! Who answers for an address? Everybody who might is asked, by hardware address, so that no neighbour table of ours
//! decides who gets the question; and all together, by ARP or neighbour solicitation.

use std::{
    io::{ErrorKind, Read as _},
    net::IpAddr,
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
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

use super::{
    Nanos,
    frames::{Asked, Kind, Mac},
    now,
};

/// Every protocol, and room for a burst.
const ETH_P_ALL: u16 = libc::ETH_P_ALL as u16;
const BUFFER: usize = 8 << 20;

/// Consecutive answers of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Who.
    pub mac: String,
    /// The first of them.
    pub from: Nanos,
    /// The last of them.
    pub until: Nanos,
    /// Echo replies.
    pub echoes: u64,
    /// ARP replies or solicited neighbour advertisements.
    pub neighbours: u64,
}

/// What a run saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turns {
    /// Rounds of questions.
    pub rounds: u64,
    /// Who answered, in order.
    pub turns: Vec<Turn>,
}

impl Turns {
    /// Answers by one of `old` after the first one of `new`.
    pub fn late(&self, old: &[&str], new: &str) -> u64 {
        let since = self.turns.iter().skip_while(|turn| turn.mac != new);
        let late = since.filter(|turn| old.contains(&turn.mac.as_str()));
        late.map(|turn| turn.echoes + turn.neighbours).sum()
    }

    /// Answers of one host.
    pub fn answers(&self, mac: &str) -> u64 {
        self.turns.iter().filter(|turn| turn.mac == mac).map(|turn| turn.echoes + turn.neighbours).sum()
    }

    fn note(&mut self, mac: Mac, kind: Kind) {
        let (mac, at) = (mac.to_string(), now());
        if self.turns.last().is_none_or(|turn| turn.mac != mac) {
            self.turns.push(Turn { mac, from: at, until: at, echoes: 0, neighbours: 0 });
        }
        let Some(turn) = self.turns.last_mut() else { return };
        turn.until = at;
        match kind {
            Kind::Echo => turn.echoes += 1,
            Kind::Neighbour => turn.neighbours += 1,
        }
    }
}

/// Asks every `period` until `stop` says so, from `source` on `eth0`; reports after the first answer and at its end.
pub fn owners(
    (address, source): (IpAddr, IpAddr),
    own: Mac,
    hosts: &[Mac],
    period: Duration,
    mut stop: impl FnMut() -> bool,
    mut report: impl FnMut(&Turns) -> Result<()>,
) -> Result<()> {
    let socket = open()?;
    let asked = Asked { address, source, own };
    let questions = asked.questions(hosts)?;
    let period = u64::try_from(period.as_nanos()).context("period")?;
    let mut turns = Turns::default();
    let mut due = now();
    while !stop() {
        due = now().max(due) + period;
        turns.rounds += 1;
        for question in &questions {
            // A full queue loses a question: the next round asks again.
            let _ = socket.send(question);
        }
        let quiet = turns.turns.is_empty();
        collect(&socket, &asked, due, &mut turns)?;
        if quiet && !turns.turns.is_empty() {
            report(&turns)?;
        }
    }
    report(&turns)
}

fn open() -> Result<Socket> {
    let protocol = Protocol::from(i32::from(ETH_P_ALL.to_be()));
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol)).context("opening a packet socket")?;
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: a sockaddr_ll is one of the addresses that the storage is made for.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = ETH_P_ALL.to_be();
    address.sll_ifindex = if_nametoindex("eth0").context("eth0")?.cast_signed();
    // SAFETY: the storage holds a sockaddr_ll.
    let address = unsafe { SockAddr::new(storage, size_of::<libc::sockaddr_ll>() as libc::socklen_t) };
    socket.bind(&address).context("binding to eth0")?;
    socket.set_recv_buffer_size(BUFFER).context("receive buffer")?;
    socket.set_nonblocking(true).context("packet socket")?;
    Ok(socket)
}

/// Takes answers until the next round is due.
fn collect(socket: &Socket, asked: &Asked, due: Nanos, turns: &mut Turns) -> Result<()> {
    let mut frame = [0; 256];
    loop {
        match (&*socket).read(&mut frame) {
            Ok(length) => {
                if let Some((mac, kind)) = asked.answer(&frame[..length]) {
                    turns.note(mac, kind);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let Some(left) = due.checked_sub(now()).filter(|left| *left > 0) else { return Ok(()) };
                let mut wait = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
                ppoll(&mut wait, Some(TimeSpec::from_duration(Duration::from_nanos(left))), None)
                    .context("waiting for an answer")?;
            }
            Err(error) => return Err(error).context("reading an answer"),
        }
    }
}
