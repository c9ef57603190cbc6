//! One virtual router on the wire between `castor`, which advertises, and `pollux`, which listens.

use std::net::IpAddr;

use vrrp_common::{
    abi::{Address, RouterView, Standing},
    judge::digest,
    time::{Instant, Interval},
    wire::{ChecksumForm, Family, Version},
};

use crate::{
    config::model::{Receive, UnicastPeer},
    datapath::{Binding, Slot},
    perform::transmit::{Route, Transmitter},
};

const CASTOR_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const VRID: u8 = 51;

pub(crate) fn ifindex(name: &str) -> u32 {
    nix::net::if_::if_nametoindex(name).unwrap()
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// One virtual router as both ends of the wire see it.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) version: Version,
    pub(crate) castor: IpAddr,
    pub(crate) pollux: IpAddr,
    pub(crate) group: IpAddr,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) unicast: bool,
}

impl Network {
    pub(crate) fn v4() -> Self {
        Self {
            version: Version::V3,
            castor: address("192.0.2.1"),
            pollux: address("192.0.2.2"),
            group: address("224.0.0.18"),
            addresses: vec![address("192.0.2.10")],
            unicast: false,
        }
    }

    pub(crate) fn v6() -> Self {
        Self {
            version: Version::V3,
            castor: address("fe80::1"),
            pollux: address("fe80::2"),
            group: address("ff02::12"),
            addresses: vec![address("fe80::10"), address("2001:db8::10")],
            unicast: false,
        }
    }

    /// A unicast peer without limits to its TTL.
    pub(crate) fn peer(address: IpAddr) -> UnicastPeer {
        UnicastPeer { address, min_ttl: 0, max_ttl: 255 }
    }

    /// pollux listens as a Backup of priority 100.
    pub(crate) fn binding(&self) -> Binding {
        let view = RouterView {
            standing: Standing::new(100, false, true, false),
            source: self.pollux.into(),
            group: self.group.into(),
            digest: digest(self.addresses.iter().map(|address| Address::from(*address))),
            password: if self.version == Version::V2 { *b"secret\0\0" } else { [0; 8] },
            interval: if self.version == Version::V2 { 1_000_000_000 } else { 0 },
            version: self.version as u8,
            auth_type: u8::from(self.version == Version::V2),
            serial: 0,
            flags: if self.unicast { RouterView::UNICAST } else { 0 }
                | if self.addresses.is_empty() { RouterView::NO_ADDRESSES } else { 0 },
        };
        Binding {
            slot: Slot(3),
            interface: ifindex("pollux"),
            vrid: VRID,
            family: Family::of(self.pollux),
            group: self.group,
            view,
            peers: vec![Self::peer(self.castor)],
            accept_from: Vec::new(),
            receive: Receive::default(),
        }
    }

    /// castor advertises once.
    pub(crate) fn advertise(&self, transmitter: &mut Transmitter, priority: u8) -> Instant {
        let peers = if self.unicast { vec![Self::peer(self.pollux)] } else { Vec::new() };
        transmitter.advertise(&self.route(&peers), priority, Interval::from_secs(1), 1).unwrap().at
    }

    pub(crate) fn route<'a>(&'a self, peers: &'a [UnicastPeer]) -> Route<'a> {
        Route {
            interface: ifindex("castor"),
            mac: CASTOR_MAC,
            source: self.castor,
            group: self.group,
            peers,
            ttl: 255,
            version: self.version,
            vrid: VRID,
            password: (self.version == Version::V2).then_some(*b"secret\0\0"),
            addresses: &self.addresses,
            form: ChecksumForm::Pseudo,
        }
    }
}

/// A VRRPv3 advertisement of priority 150 for VRID 51 from 192.0.2.1 as castor sends it (RFC 9568 §5.2, with
/// pseudo-header checksum 0xd3cb).
pub(crate) const FRAME: [u8; 46] = [
    0x01, 0x00, 0x5e, 0x00, 0x00, 0x12, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, // Ethernet
    0x45, 0xc0, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0xff, 0x70, 0x18, 0x9a, // IPv4
    192, 0, 2, 1, 224, 0, 0, 18, // source, destination
    0x31, 51, 150, 1, 0x00, 100, 0xd3, 0xcb, 192, 0, 2, 10, // VRRP
];
