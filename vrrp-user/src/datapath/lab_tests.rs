//! Sockets on both ends of a wire: what one side sends, the other receives, judges and records.

use std::net::IpAddr;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use vrrp_common::{
    abi::{Address, Standing},
    judge::{DropReason, digest},
    time::Interval,
    wire::{ChecksumForm, Version},
};

use super::*;
use crate::{
    perform::transmit::{Route, TransmitError, Transmitter},
    sys::{clock, packet::Sender},
    testing::{in_namespace, ip, set_up_addresses},
};

const CASTOR_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const VRID: u8 = 51;

fn ifindex(name: &str) -> u32 {
    nix::net::if_::if_nametoindex(name).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// One virtual router as both ends of the wire see it.
#[derive(Clone)]
struct Network {
    version: Version,
    castor: IpAddr,
    pollux: IpAddr,
    group: IpAddr,
    addresses: Vec<IpAddr>,
    unicast: bool,
}

impl Network {
    fn v4() -> Self {
        Self {
            version: Version::V3,
            castor: address("192.0.2.1"),
            pollux: address("192.0.2.2"),
            group: address("224.0.0.18"),
            addresses: vec![address("192.0.2.10")],
            unicast: false,
        }
    }

    fn v6() -> Self {
        Self {
            version: Version::V3,
            castor: address("fe80::1"),
            pollux: address("fe80::2"),
            group: address("ff02::12"),
            addresses: vec![address("fe80::10"), address("2001:db8::10")],
            unicast: false,
        }
    }

    fn peer(&self, address: IpAddr) -> UnicastPeer {
        let _ = self;
        UnicastPeer { address, min_ttl: 0, max_ttl: 255 }
    }

    /// pollux listens as a Backup of priority 100.
    fn binding(&self) -> Binding {
        let view = RouterView {
            standing: Standing::new(100, false, true, false),
            source: self.pollux.into(),
            group: self.group.into(),
            digest: digest(self.addresses.iter().map(|address| Address::from(*address))),
            password: if self.version == Version::V2 { *b"secret\0\0" } else { [0; 8] },
            interval: if self.version == Version::V2 { 1_000_000_000 } else { 0 },
            version: self.version as u8,
            auth_type: u8::from(self.version == Version::V2),
            reserved: 0,
            flags: if self.unicast { RouterView::UNICAST } else { 0 },
        };
        Binding {
            slot: Slot(3),
            interface: ifindex("pollux"),
            vrid: VRID,
            family: Family::of(self.pollux),
            group: self.group,
            view,
            peers: vec![self.peer(self.castor)],
        }
    }

    /// castor advertises once.
    fn advertise(&self, transmitter: &mut Transmitter, priority: u8) -> Instant {
        let peers = if self.unicast { vec![self.peer(self.pollux)] } else { Vec::new() };
        transmitter.advertise(&self.route(&peers), priority, Interval::from_secs(1), 1).unwrap().at
    }

    fn route<'a>(&'a self, peers: &'a [UnicastPeer]) -> Route<'a> {
        Route {
            interface: ifindex("castor"),
            mac: CASTOR_MAC,
            source: self.castor,
            group: self.group,
            peers,
            version: self.version,
            vrid: VRID,
            password: (self.version == Version::V2).then_some(*b"secret\0\0"),
            addresses: &self.addresses,
            form: ChecksumForm::Pseudo,
        }
    }
}

fn wait_for(path: &impl Datapath, timeout: u16) -> bool {
    poll(&mut [PollFd::new(path.readiness(), PollFlags::POLLIN)], PollTimeout::from(timeout)).unwrap() == 1
}

/// Waits for something and reads all of it; returns the routers with news.
fn drain(path: &mut SocketPath) -> Vec<Slot> {
    assert!(wait_for(path, 5_000), "nothing was received for five seconds");
    let mut changed = Vec::new();
    while path.drain(&mut changed).unwrap() == Progress::More {}
    changed
}

/// Reads until `counters` says that `count` packets were received.
fn drain_until(path: &mut SocketPath, count: u64, counters: impl Fn(&SocketPath) -> Counters) {
    while counters(path).received < count {
        drain(path);
    }
}

#[test]
fn an_advertisement_is_received_judged_and_stamped() {
    in_namespace(|| {
        set_up_addresses();
        let networks = [
            Network::v4(),
            Network { version: Version::V2, ..Network::v4() },
            Network::v6(),
            Network { unicast: true, ..Network::v4() },
            Network { unicast: true, ..Network::v6() },
        ];
        for network in networks {
            let mut path = SocketPath::new("test").unwrap();
            path.attach(network.binding()).unwrap();
            let mut transmitter = Transmitter::new().unwrap();
            let sent = network.advertise(&mut transmitter, 150);
            let received_before = clock::now();
            assert_eq!(drain(&mut path), [Slot(3)]);
            let accepted = path.heard(Slot(3)).accepted;
            assert_eq!(IpAddr::from(accepted.source), network.castor);
            assert_eq!((accepted.priority, accepted.interval, accepted.count), (150, 1_000_000_000, 1));
            let at = Instant::from_nanos(accepted.at);
            let early = sent.before(Interval::from_millis(1));
            assert!(early <= at && at <= received_before.after(Interval::from_millis(1)), "{sent:?} {at:?}");
            assert_eq!(path.counters(Slot(3)).received, 1);
            assert_eq!(path.counters(Slot(3)).iter().map(|(_, count)| count).sum::<u64>(), 0);
            assert!(path.judged_until(Slot(3)) > at);

            network.advertise(&mut transmitter, 150);
            assert_eq!(drain(&mut path), [], "a steady advertisement is no news");
            assert_eq!(path.heard(Slot(3)).accepted.count, 2);
        }
    });
}

#[test]
fn time_stamps_are_those_of_arrival_and_not_of_reading() {
    in_namespace(|| {
        set_up_addresses();
        let network = Network::v4();
        let mut path = SocketPath::new("test").unwrap();
        path.attach(network.binding()).unwrap();
        let mut transmitter = Transmitter::new().unwrap();
        let sent = network.advertise(&mut transmitter, 150);
        assert!(wait_for(&path, 5_000));
        let arrived = clock::now();
        std::thread::sleep(std::time::Duration::from_millis(50)); // a daemon that is not run
        drain(&mut path);
        let at = Instant::from_nanos(path.heard(Slot(3)).accepted.at);
        assert!(sent.before(Interval::from_millis(1)) <= at && at <= arrived, "{sent:?} {at:?} {arrived:?}");
    });
}

#[test]
fn our_own_packets_are_not_heard() {
    in_namespace(|| {
        set_up_addresses();
        let network = Network::v4();
        let binding = network.binding();
        let mut path = SocketPath::new("test").unwrap();
        path.attach(Binding { interface: ifindex("castor"), ..binding.clone() }).unwrap();
        path.attach(Binding { slot: Slot(4), ..binding }).unwrap();
        network.advertise(&mut Transmitter::new().unwrap(), 150);
        assert_eq!(drain(&mut path), [Slot(4)]);
        assert_eq!(path.counters(Slot(3)), Counters::default());
        assert_eq!(path.strangers(ifindex("castor")), Counters::default());
    });
}

/// A VRRPv3 advertisement of priority 150 for VRID 51 from 192.0.2.1 as castor sends it (RFC 9568 §5.2, with
/// pseudo-header checksum 0xd3be).
const FRAME: [u8; 46] = [
    0x01, 0x00, 0x5e, 0x00, 0x00, 0x12, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, // Ethernet
    0x45, 0xc0, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0xff, 0x70, 0x18, 0xe7, // IPv4
    192, 0, 2, 1, 224, 0, 0, 18, // source, destination
    0x31, 51, 150, 1, 0x00, 100, 0xd3, 0xbe, 192, 0, 2, 10, // VRRP
];

#[test]
fn junk_is_counted_by_reason_and_moves_nothing() {
    in_namespace(|| {
        set_up_addresses();
        let mut path = SocketPath::new("test").unwrap();
        path.attach(Network::v4().binding()).unwrap();
        let wire = Sender::open().unwrap();
        let mut expected = 0;
        for (offset, value, reason) in [
            (22, 254, DropReason::Ttl),
            (34, 0x21, DropReason::Version),
            (34, 0x32, DropReason::Type),
            (37, 0, DropReason::CountZero),
            (37, 2, DropReason::Length),
            (36, 151, DropReason::Checksum),
            (33, 19, DropReason::Mode),
        ] {
            let mut frame = FRAME;
            frame[offset] = value;
            wire.send(ifindex("castor"), &frame).unwrap();
            expected += 1;
            drain_until(&mut path, expected, |path| path.counters(Slot(3)));
            assert_eq!(path.counters(Slot(3)).refused(reason), 1, "{reason:?}");
        }
        assert_eq!(path.heard(Slot(3)), Heard::default());
        for (offset, value, reason) in
            [(35, 52, DropReason::Vrid), (14, 0x44, DropReason::IpHeader), (20, 0x20, DropReason::Fragment)]
        {
            let mut frame = FRAME;
            frame[offset] = value;
            let before = path.strangers(ifindex("pollux"));
            wire.send(ifindex("castor"), &frame).unwrap();
            drain_until(&mut path, before.received + 1, |path| path.strangers(ifindex("pollux")));
            assert_eq!(path.strangers(ifindex("pollux")).refused(reason), 1, "{reason:?}");
        }
        wire.send(ifindex("castor"), &FRAME).unwrap();
        assert_eq!(drain(&mut path), [Slot(3)]);
        assert_eq!(path.heard(Slot(3)).accepted.count, 1, "the frame itself is a good one");
    });
}

/// FRAME with a tag of VLAN 10.
fn tagged() -> Vec<u8> {
    let mut frame = FRAME.to_vec();
    frame.splice(12..12, [0x81, 0x00, 0x00, 10]);
    frame
}

#[test]
fn a_vlans_packets_are_not_those_of_the_interface_below() {
    in_namespace(|| {
        set_up_addresses();
        let wire = Sender::open().unwrap();
        let binding = Network::v4().binding();
        for vlan_device in [false, true] {
            let mut path = SocketPath::new("test").unwrap();
            path.attach(binding.clone()).unwrap();
            if vlan_device {
                ip("link add link pollux name pollux.10 type vlan id 10");
                ip("link set pollux.10 up");
                path.attach(Binding { slot: Slot(10), interface: ifindex("pollux.10"), ..binding.clone() })
                    .unwrap();
            }
            wire.send(ifindex("castor"), &tagged()).unwrap();
            wire.send(ifindex("castor"), &FRAME).unwrap();
            // The wire keeps the order: when the second was heard the first has passed.
            drain_until(&mut path, 1, |path| path.counters(Slot(3)));
            if vlan_device {
                drain_until(&mut path, 1, |path| path.counters(Slot(10)));
            }
            assert_eq!(path.heard(Slot(3)).accepted.count, 1, "VLAN device: {vlan_device}");
            assert_eq!(path.heard(Slot(10)).accepted.count, u64::from(vlan_device));
            assert_eq!(path.strangers(ifindex("pollux")), Counters::default());
        }
    });
}

#[test]
fn a_flood_is_read_a_batch_at_a_time_and_deadlines_wait_for_it() {
    in_namespace(|| {
        set_up_addresses();
        let mut path = SocketPath::new("test").unwrap();
        path.attach(Network::v4().binding()).unwrap();
        let wire = Sender::open().unwrap();
        let mut foreign = FRAME;
        foreign[35] = 52;
        for _ in 0..150 {
            wire.send(ifindex("castor"), &foreign).unwrap();
        }
        wire.send(ifindex("castor"), &FRAME).unwrap();
        let all_sent = clock::now();
        let mut changed = Vec::new();
        for _ in 0..2 {
            assert_eq!(path.drain(&mut changed).unwrap(), Progress::More);
            assert_eq!(changed, [], "at most 64 packets in one call");
            assert!(path.judged_until(Slot(3)) < all_sent);
        }
        assert_eq!(path.drain(&mut changed).unwrap(), Progress::Drained);
        assert_eq!(changed, [Slot(3)]);
        assert!(path.judged_until(Slot(3)) > all_sent);
        assert!(!wait_for(&path, 0));
    });
}

#[test]
fn unicast_advertisements_are_not_answered_with_icmp_errors() {
    in_namespace(|| {
        set_up_addresses();
        let network = Network { unicast: true, ..Network::v4() };
        let mut path = SocketPath::new("test").unwrap();
        let mut transmitter = Transmitter::new().unwrap();
        let unreachable = || {
            let table = std::fs::read_to_string("/proc/thread-self/net/snmp").unwrap();
            let mut lines = table.lines().filter(|line| line.starts_with("Icmp:"));
            let names: Vec<&str> = lines.next().unwrap().split(' ').collect();
            let column = names.iter().position(|name| *name == "OutDestUnreachs").unwrap();
            lines.next().unwrap().split(' ').nth(column).unwrap().parse::<u64>().unwrap()
        };
        path.attach(network.binding()).unwrap();
        network.advertise(&mut transmitter, 150);
        drain(&mut path);
        let answered = unreachable();
        assert_eq!(answered, 0);
        path.detach(Slot(3));
        network.advertise(&mut transmitter, 150);
        assert_eq!(unreachable(), 1, "without the socket the host answers: the test can fail");
        // That answer is queued as an error on the sender's socket; it must not cost the next advertisement.
        network.advertise(&mut transmitter, 150);
        assert_eq!(transmitter.counts().failed, 0);
    });
}

#[test]
fn a_send_that_the_kernel_did_not_take_is_an_error() {
    in_namespace(|| {
        set_up_addresses();
        let network = Network::v4();
        let mut transmitter = Transmitter::new().unwrap();
        ip("link set castor down");
        for peers in [&[][..], &[network.peer(network.pollux)]] {
            let result = transmitter.advertise(&network.route(peers), 150, Interval::from_secs(1), 3);
            let Err(TransmitError::Refused(failures)) = result else { panic!("{result:?}") };
            assert_eq!(failures.len(), 3);
        }
        assert_eq!((transmitter.counts().sent, transmitter.counts().failed), (0, 6));
    });
}

#[test]
fn one_peer_that_can_be_sent_to_is_enough() {
    in_namespace(|| {
        set_up_addresses();
        ip("route add unreachable 198.51.100.0/24");
        let network = Network { unicast: true, ..Network::v4() };
        let peers = [network.peer(address("198.51.100.7")), network.peer(network.pollux)];
        let mut transmitter = Transmitter::new().unwrap();
        let sent = transmitter.advertise(&network.route(&peers), 150, Interval::from_secs(1), 1).unwrap();
        let refused: Vec<IpAddr> = sent.failures.iter().map(|failure| failure.destination).collect();
        assert_eq!(refused, [address("198.51.100.7")]);
    });
}

#[test]
fn groups_are_joined_while_somebody_listens() {
    in_namespace(|| {
        let joined = |group: &str| ip("maddress show dev pollux").contains(group);
        let mut path = SocketPath::new("test").unwrap();
        for network in [Network::v4(), Network::v6()] {
            let group = network.group.to_string();
            assert!(!joined(&group));
            path.attach(network.binding()).unwrap();
            path.attach(Binding { slot: Slot(4), vrid: 52, ..network.binding() }).unwrap();
            path.detach(Slot(3));
            assert!(joined(&group), "{group}: one router is left");
            path.detach(Slot(4));
            assert!(!joined(&group), "{group}");
        }
    });
}

#[test]
fn what_cannot_be_listened_on_is_refused_and_leaves_nothing() {
    in_namespace(|| {
        let binding = Network::v4().binding();
        let mut path = SocketPath::new("test").unwrap();
        path.attach(binding.clone()).unwrap();
        for (change, message) in [
            (
                Binding { slot: Slot(4), ..binding.clone() },
                "VRID 51 is used twice for IPv4 on pollux; give one of the routers another virtual_router_id",
            ),
            (
                Binding { slot: Slot(4), interface: 9_999, ..binding.clone() },
                "cannot listen for IPv4 advertisements on interface number 9999: No such device (os error 19)",
            ),
            (
                Binding { slot: Slot(4), vrid: 52, group: address("192.0.2.9"), ..binding },
                "cannot join 192.0.2.9 on pollux: Invalid argument (os error 22)",
            ),
        ] {
            assert_eq!(path.attach(change).unwrap_err().to_string(), message);
            assert_eq!(path.heard(Slot(4)), Heard::default());
        }
    });
}

#[test]
fn a_link_that_goes_down_and_up_again_is_heard_again() {
    in_namespace(|| {
        set_up_addresses();
        let mut path = SocketPath::new("test").unwrap();
        path.attach(Network::v4().binding()).unwrap();
        ip("link set pollux down");
        let mut changed = Vec::new();
        assert_eq!(path.drain(&mut changed).unwrap(), Progress::Drained);
        assert!(!wait_for(&path, 0), "a dead link must not keep the loop busy");
        ip("link set pollux up");
        Sender::open().unwrap().send(ifindex("castor"), &FRAME).unwrap();
        assert_eq!(drain(&mut path), [Slot(3)]);
    });
}
