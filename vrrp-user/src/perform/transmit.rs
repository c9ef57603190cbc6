//! The one place from which advertisements leave. When they do is not decided here.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    net::IpAddr,
};

use vrrp_common::{
    time::{Instant, Interval},
    wire::{ChecksumForm, Family, Message, Version, frame},
};

use crate::{
    config::model::UnicastPeer,
    sys::{clock, packet, raw},
};

/// More than the longest frame: 54 bytes of headers and 4088 of message.
const FRAME_CAPACITY: usize = 4352;

/// How the advertisements of one router leave.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    /// The number of the interface.
    pub interface: u32,
    /// Ethernet source of multicast: the interface's own address, or the virtual router's (RFC 9568 §7.3).
    pub mac: [u8; 6],
    /// IP source, and with it the family.
    pub source: IpAddr,
    /// Multicast group; not used if there are peers.
    pub group: IpAddr,
    /// Unicast peers; empty for multicast.
    pub peers: &'a [UnicastPeer],
    /// TTL or hop limit of unicast, 1 to 255.
    pub ttl: u8,
    /// Protocol version.
    pub version: Version,
    /// 1 to 255.
    pub vrid: u8,
    /// VRRPv2 password.
    pub password: Option<[u8; 8]>,
    /// The virtual addresses in the order of the configuration.
    pub addresses: &'a [IpAddr],
    /// VRRPv3 over IPv4: what the peers understand; [`ChecksumForm::Pseudo`] until one was heard.
    pub form: ChecksumForm,
}

/// An advertisement that at least one interface queue took.
#[derive(Debug)]
pub struct Sent {
    /// Just before the first one that was taken was handed over: no peer's timer can have started earlier.
    pub at: Instant,
    /// What else was refused: unicast peers, or some of several copies.
    pub failures: Vec<Failure>,
}

/// One send call that the kernel refused.
#[derive(Debug, thiserror::Error)]
#[error("the kernel did not take an advertisement for {destination}: {error}{}", remedy(.error))]
pub struct Failure {
    /// The group or the unicast peer.
    pub destination: IpAddr,
    /// What the kernel said.
    pub error: io::Error,
}

/// Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum TransmitError {
    /// The kernel refused every attempt.
    #[error("nothing was advertised: {}", listed(.0))]
    Refused(Vec<Failure>),
    /// The unicast socket could not be opened.
    #[error("cannot send from {from}: {error}{}", remedy(.error))]
    Source {
        /// The source address.
        from: IpAddr,
        /// What the kernel said.
        error: io::Error,
    },
    /// The parts do not make a message: a list that is empty, too long or of mixed families, an interval out
    /// of range, VRRPv2 over IPv6. `check` refuses such a configuration.
    #[error(
        "virtual router {vrid} cannot be advertised with {count} addresses every {interval} from {from}: the \
         configuration does not fit the protocol"
    )]
    Inexpressible {
        /// VRID.
        vrid: u8,
        /// How many addresses.
        count: usize,
        /// Advertisement interval.
        interval: Interval,
        /// The source address.
        from: IpAddr,
    },
}

fn listed(failures: &[Failure]) -> String {
    failures.iter().map(Failure::to_string).collect::<Vec<_>>().join("; ")
}

fn remedy(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM) => "; look for a firewall rule on protocol 112, or run with CAP_NET_RAW",
        Some(libc::EACCES) => "; run as root or with CAP_NET_RAW",
        Some(libc::EADDRNOTAVAIL) => "; it is not an address of this host",
        Some(libc::EMSGSIZE) => "; the address list does not fit the interface's MTU",
        Some(libc::ENOBUFS | libc::EAGAIN) => "; the interface's queue is full",
        _ => "",
    }
}

/// What was sent and refused since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransmitCounts {
    /// Packets that the kernel took.
    pub sent: u64,
    /// Packets that it did not take.
    pub failed: u64,
}

/// Sends advertisements of any number of routers on any number of interfaces.
#[derive(Debug)]
pub struct Transmitter {
    multicast: packet::Sender,
    unicast: HashMap<(u32, IpAddr, u8), raw::Unicast>,
    buffer: Box<[u8; FRAME_CAPACITY]>,
    counts: TransmitCounts,
}

impl Transmitter {
    /// Opens the socket that multicast leaves by; those for unicast are opened when they are needed.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_RAW`.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            multicast: packet::Sender::open()?,
            unicast: HashMap::new(),
            buffer: Box::new([0; FRAME_CAPACITY]),
            counts: TransmitCounts::default(),
        })
    }

    /// What was sent and refused since the start.
    pub fn counts(&self) -> TransmitCounts {
        self.counts
    }

    /// Sends `copies` advertisements (at least one) of `priority` back to back, and says so if the kernel took one of them.
    ///
    /// `priority` is 0 to resign, else 1 to 255; `interval` is what the wire carries.
    ///
    /// # Errors
    /// [`TransmitError`] when nothing left: the advertisement must not be counted as sent.
    pub fn advertise(
        &mut self,
        route: &Route<'_>,
        priority: u8,
        interval: Interval,
        copies: u8,
    ) -> Result<Sent, TransmitError> {
        let message = Message {
            version: route.version,
            family: Family::of(route.source),
            vrid: route.vrid,
            priority,
            interval,
            password: route.password,
            addresses: route.addresses,
        };
        let mut attempts = Attempts::default();
        for _ in 0..copies.max(1) {
            if route.peers.is_empty() {
                self.send_to_group(route, &message, &mut attempts)?;
            } else {
                self.send_to_peers(route, &message, &mut attempts)?;
            }
        }
        self.counts.sent += attempts.sent;
        self.counts.failed += attempts.failures.len() as u64;
        attempts.conclude()
    }

    fn send_to_group(
        &mut self,
        route: &Route<'_>,
        message: &Message<'_>,
        attempts: &mut Attempts,
    ) -> Result<(), TransmitError> {
        let buffer = self.buffer.as_mut_slice();
        let length = frame::advertisement(route.mac, route.source, route.group, message, route.form, buffer)
            .ok_or_else(|| inexpressible(route, message))?;
        let Self { multicast, buffer, .. } = self;
        attempts.attempt(route.group, || multicast.send(route.interface, &buffer[..length]));
        Ok(())
    }

    fn send_to_peers(
        &mut self,
        route: &Route<'_>,
        message: &Message<'_>,
        attempts: &mut Attempts,
    ) -> Result<(), TransmitError> {
        let Self { unicast, buffer, .. } = self;
        let key = (route.interface, route.source, route.ttl);
        let socket = match unicast.entry(key) {
            Entry::Occupied(socket) => socket.into_mut(),
            Entry::Vacant(vacancy) => vacancy.insert(
                raw::Unicast::open(route.interface, route.source, route.ttl)
                    .map_err(|error| TransmitError::Source { from: route.source, error })?,
            ),
        };
        let before = attempts.sent;
        for peer in route.peers {
            let length = message
                .emit(route.source, peer.address, route.form, buffer.as_mut_slice())
                .ok_or_else(|| inexpressible(route, message))?;
            attempts.attempt(peer.address, || socket.send(peer.address, &buffer[..length]));
        }
        if attempts.sent == before {
            // The source address may have gone and come back; a new socket says what is wrong, or works.
            unicast.remove(&key);
        }
        Ok(())
    }
}

fn inexpressible(route: &Route<'_>, message: &Message<'_>) -> TransmitError {
    TransmitError::Inexpressible {
        vrid: route.vrid,
        count: route.addresses.len(),
        interval: message.interval,
        from: route.source,
    }
}

#[derive(Debug, Default)]
struct Attempts {
    first: Option<Instant>,
    sent: u64,
    failures: Vec<Failure>,
}

impl Attempts {
    fn attempt(&mut self, destination: IpAddr, send: impl FnOnce() -> io::Result<()>) {
        let at = clock::now();
        match send() {
            Ok(()) => {
                self.first.get_or_insert(at);
                self.sent += 1;
            }
            Err(error) => self.failures.push(Failure { destination, error }),
        }
    }

    fn conclude(self) -> Result<Sent, TransmitError> {
        match self.first {
            Some(at) => Ok(Sent { at, failures: self.failures }),
            None => Err(TransmitError::Refused(self.failures)),
        }
    }
}
