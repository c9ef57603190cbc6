//! Both ends of a wire: what one side sends, the other receives, judges and records, by whatever datapath.

use vrrp_common::{judge::DropReason, time::Interval, wire::Version};

use super::*;
use crate::{
    config::model::{Receive, ReceivePath, TcHook},
    perform::transmit::Transmitter,
    sys::{clock, packet::Sender},
    testing::{
        Host, between_hosts, ip, is_readable,
        network::{FRAME, Network, address, ifindex},
        say, try_run,
    },
};

const SOCKET: Receive = Receive { path: ReceivePath::Socket, hook: None };
const XDP: Receive = Receive { path: ReceivePath::Xdp, hook: None };
const XDP_GENERIC: Receive = Receive { path: ReceivePath::XdpGeneric, hook: None };
const TCX: Receive = Receive { path: ReceivePath::Tc, hook: Some(TcHook::Tcx) };
const CLSACT: Receive = Receive { path: ReceivePath::Tc, hook: Some(TcHook::Clsact) };

/// Runs `test` once for each way to hear, between new hosts.
pub(super) fn on_every_datapath(test: fn(&Host, Receive)) {
    for receive in [SOCKET, XDP, XDP_GENERIC, TCX, CLSACT] {
        say(&format!("by {receive:?}"));
        between_hosts(move |pollux| test(pollux, receive));
    }
}

pub(super) fn heard_by(receive: Receive, network: &Network) -> Binding {
    Binding { receive, ..network.binding() }
}

/// A program that was just detached is still there while another test starts a process, which has a copy of every
/// descriptor until it runs its program.
fn attach_when_free(path: &mut AutoPath, binding: &Binding) {
    let begin = std::time::Instant::now();
    while let Err(error) = path.attach(binding.clone()) {
        let busy = error.to_string().contains("another XDP program is there");
        assert!(busy && begin.elapsed().as_secs() < 5, "{error}");
        std::thread::yield_now();
    }
}

/// Waits for something and reads all of it; returns the routers with news.
pub(super) fn drain(path: &mut impl Datapath) -> Vec<Slot> {
    assert!(is_readable(path.readiness(), 5_000), "nothing was received for five seconds");
    let mut changed = Vec::new();
    while path.drain(&mut changed).unwrap() == Progress::More {}
    changed
}

/// Reads until `counters` says that `count` packets were received; what does not count is no news.
fn drain_until<D: Datapath>(path: &mut D, count: u64, counters: impl Fn(&D) -> Counters) -> Vec<Slot> {
    let begin = std::time::Instant::now();
    let mut changed = Vec::new();
    while counters(path).received < count {
        assert!(begin.elapsed().as_secs() < 5, "{count} packets were not received in five seconds");
        is_readable(path.readiness(), 5);
        path.drain(&mut changed).unwrap();
    }
    changed
}

#[test]
fn an_advertisement_is_received_judged_and_stamped() {
    on_every_datapath(|pollux, receive| {
        let networks = [
            Network::v4(),
            Network { version: Version::V2, ..Network::v4() },
            Network::v6(),
            Network { unicast: true, ..Network::v4() },
            Network { unicast: true, ..Network::v6() },
        ];
        for network in networks {
            let mut path = AutoPath::new().unwrap();
            pollux.run(|| path.attach(heard_by(receive, &network))).unwrap();
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
            path.drain(&mut Vec::new()).unwrap();
            assert!(path.judged_until(Slot(3)) > at);

            network.advertise(&mut transmitter, 150);
            let news = drain_until(&mut path, 2, |path| path.counters(Slot(3)));
            assert_eq!(news, [], "a steady advertisement is no news");
            let asks = receive.path != ReceivePath::Socket && path.refused_anew(Slot(3));
            assert!(!asks, "{receive:?}: nothing was refused, and reading counters is a system call");
            assert_eq!(path.heard(Slot(3)).accepted.count, 2);
        }
    });
}

#[test]
fn time_stamps_are_those_of_arrival_and_not_of_reading() {
    between_hosts(|pollux| {
        let network = Network::v4();
        let mut path = SocketPath::new("test").unwrap();
        pollux.run(|| path.attach(network.binding())).unwrap();
        let mut transmitter = Transmitter::new().unwrap();
        // The kernel begins to stamp packets a moment after it was asked to; until then the stamp is that of
        // reading.
        let in_time = (0..20).any(|_| {
            let sent = network.advertise(&mut transmitter, 150);
            assert!(is_readable(path.readiness(), 5_000));
            let arrived = clock::now();
            std::thread::sleep(std::time::Duration::from_millis(20)); // a daemon that is not run
            drain(&mut path);
            let at = Instant::from_nanos(path.heard(Slot(3)).accepted.at);
            assert!(sent.before(Interval::from_millis(1)) <= at, "{sent:?} {at:?}");
            at <= arrived
        });
        assert!(in_time);
    });
}

#[test]
fn our_own_packets_are_not_heard() {
    on_every_datapath(|pollux, receive| {
        let network = Network::v4();
        let mut path = AutoPath::new().unwrap();
        let binding = pollux.run(|| heard_by(receive, &network));
        path.attach(Binding { slot: Slot(4), interface: ifindex("castor"), vrid: 51, ..binding }).unwrap();
        pollux.run(|| path.attach(heard_by(receive, &network))).unwrap();
        network.advertise(&mut Transmitter::new().unwrap(), 150);
        assert_eq!(drain(&mut path), [Slot(3)]);
        assert_eq!(path.counters(Slot(4)), Counters::default());
        assert_eq!(path.strangers(ifindex("castor")), Counters::default());
    });
}

/// RFC 9568 §5.2.5, with the exception that `no_virtual_ipaddress` asks for.
#[test]
fn no_addresses_count_for_routers_without_addresses_alone() {
    on_every_datapath(|pollux, receive| {
        for some in [Network::v4(), Network { version: Version::V2, ..Network::v4() }, Network::v6()] {
            let none = Network { addresses: Vec::new(), ..some.clone() };
            for (listens, counts) in [(&some, false), (&none, true)] {
                let mut path = AutoPath::new().unwrap();
                pollux.run(|| attach_when_free(&mut path, &heard_by(receive, listens)));
                none.advertise(&mut Transmitter::new().unwrap(), 150);
                drain_until(&mut path, 1, |path| path.counters(Slot(3)));
                let refused = path.counters(Slot(3)).refused(DropReason::CountZero);
                let heard = path.heard(Slot(3));
                assert_eq!((refused, heard.accepted.count), (u64::from(!counts), u64::from(counts)));
                assert_eq!(heard.differing_list, 0);
            }
            let mut path = AutoPath::new().unwrap();
            pollux.run(|| attach_when_free(&mut path, &heard_by(receive, &none)));
            some.advertise(&mut Transmitter::new().unwrap(), 150);
            assert_eq!(drain(&mut path), [Slot(3)]);
            let heard = path.heard(Slot(3));
            assert_eq!((heard.accepted.count, heard.differing_list), (1, 1));
            assert_eq!(path.list(Slot(3), &heard.accepted), Some(some.addresses.clone()));
        }
    });
}

#[test]
fn junk_is_counted_by_reason_and_moves_nothing() {
    on_every_datapath(|pollux, receive| {
        let mut path = AutoPath::new().unwrap();
        pollux.run(|| path.attach(heard_by(receive, &Network::v4()))).unwrap();
        let interface = pollux.run(|| ifindex("pollux"));
        let wire = Sender::open().unwrap();
        let start = clock::now();
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
            assert!(path.refused_anew(Slot(3)), "{reason:?}");
            let last = path.last_refused(Slot(3), reason).unwrap();
            assert_eq!(last.source, address("192.0.2.1"), "{reason:?}");
            assert!(
                last.at > start.before(Interval::from_millis(1))
                    && last.at <= clock::now().after(Interval::from_millis(1)),
                "{reason:?}"
            );
        }
        assert_eq!(path.heard(Slot(3)), Heard::default());
        assert_eq!(path.last_refused(Slot(3), DropReason::AuthType), None);
        for (offset, value, reason) in
            [(35, 52, DropReason::Vrid), (14, 0x44, DropReason::IpHeader), (20, 0x20, DropReason::Fragment)]
        {
            let mut frame = FRAME;
            frame[offset] = value;
            let before = path.strangers(interface);
            wire.send(ifindex("castor"), &frame).unwrap();
            drain_until(&mut path, before.received + 1, |path| path.strangers(interface));
            assert_eq!(path.strangers(interface).refused(reason), 1, "{reason:?}");
        }
        wire.send(ifindex("castor"), &FRAME).unwrap();
        assert_eq!(drain(&mut path), [Slot(3)]);
        assert_eq!(path.heard(Slot(3)).accepted.count, 1, "the frame itself is a good one");
    });
}

#[test]
fn accept_from_is_for_multicast_and_unicast_in_both_families() {
    on_every_datapath(|pollux, receive| {
        for (network, near, far) in [
            (Network::v4(), "192.0.2.0/29", "192.0.2.2/32"),
            (Network { unicast: true, ..Network::v4() }, "192.0.2.1/32", "198.51.100.0/24"),
            (Network::v6(), "fe80::/64", "2001:db8::/32"),
            (Network { unicast: true, ..Network::v6() }, "fe80::1/128", "fe80::2/128"),
        ] {
            for (listed, admitted) in [(near, true), (far, false)] {
                let mut path = AutoPath::new().unwrap();
                let mut binding = pollux.run(|| heard_by(receive, &network));
                binding.view.flags |= RouterView::ADMITS;
                binding.accept_from = vec![prefix(listed)];
                pollux.run(|| path.attach(binding)).unwrap();
                network.advertise(&mut Transmitter::new().unwrap(), 150);
                drain_until(&mut path, 1, |path| path.counters(Slot(3)));
                assert_eq!(path.heard(Slot(3)).accepted.count, u64::from(admitted), "{listed}");
                let refused = path.last_refused(Slot(3), DropReason::NotAdmitted);
                let expected = (!admitted).then_some(network.castor);
                assert_eq!(refused.map(|last| last.source), expected, "{listed}");
            }
        }
    });
}

fn prefix(text: &str) -> crate::config::model::Network {
    let (network, length) = text.split_once('/').unwrap();
    crate::config::model::Network { address: address(network), length: length.parse().unwrap() }
}

/// FRAME with an 802.1Q tag: priority in the upper three bits, VLAN identifier in the lower twelve.
fn tagged(tag: u16) -> Vec<u8> {
    let [high, low] = tag.to_be_bytes();
    let mut frame = FRAME.to_vec();
    frame.splice(12..12, [0x81, 0x00, high, low]);
    frame
}

/// FRAME, but for this hardware address.
fn addressed_to(mac: [u8; 6]) -> Vec<u8> {
    let mut frame = FRAME.to_vec();
    frame[..6].copy_from_slice(&mac);
    frame
}

#[test]
fn what_is_for_somebody_else_is_not_heard() {
    on_every_datapath(|pollux, receive| {
        let wire = Sender::open().unwrap();
        let binding = pollux.run(|| heard_by(receive, &Network::v4()));
        for foreign in [tagged(10), addressed_to([2, 0, 0, 0, 0, 9])] {
            let mut path = AutoPath::new().unwrap();
            pollux.run(|| path.attach(binding.clone())).unwrap();
            pollux.run(|| ip("link set pollux promisc on"));
            wire.send(ifindex("castor"), &foreign).unwrap();
            wire.send(ifindex("castor"), &FRAME).unwrap();
            // The wire keeps the order: when the second was heard the first has passed.
            drain(&mut path);
            assert_eq!(path.heard(Slot(3)).accepted.count, 1);
            assert_eq!(path.strangers(binding.interface), Counters::default());
        }
    });
}

#[test]
fn a_tag_for_priority_only_is_no_vlan() {
    on_every_datapath(|pollux, receive| {
        let mut path = AutoPath::new().unwrap();
        pollux.run(|| path.attach(heard_by(receive, &Network::v4()))).unwrap();
        Sender::open().unwrap().send(ifindex("castor"), &tagged(0xe000)).unwrap();
        assert_eq!(drain(&mut path), [Slot(3)]);
    });
}

#[test]
fn missing_rights_are_told_with_their_remedy() {
    between_hosts(|pollux| {
        let binding = pollux.run(|| Network::v4().binding());
        let binding = Binding { interface: ifindex("castor"), ..binding };
        caps::drop(None, caps::CapSet::Effective, caps::Capability::CAP_NET_RAW).unwrap();
        let error = SocketPath::new("test").unwrap().attach(binding).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot listen for IPv4 advertisements on castor: Operation not permitted (os error 1); run as root \
             or with CAP_NET_RAW"
        );
    });
}

#[test]
fn what_is_for_a_device_stacked_on_the_interface_is_heard_there_only() {
    between_hosts(|pollux| {
        let wire = Sender::open().unwrap();
        let binding = pollux.run(|| Network::v4().binding());
        let mac = [2, 0, 0, 0, 0, 0x10];
        for (device, frame) in [
            ("address 02:00:00:00:00:10 type macvlan mode private", addressed_to(mac)),
            ("type vlan id 10", tagged(10)),
        ] {
            let add = format!("link add link pollux name upper {device}");
            if let Err(missing) = pollux.run(|| try_run("ip", &add)) {
                say(&format!("SKIPPED, this kernel has no such device: {}", missing.trim()));
                continue;
            }
            let mut path = SocketPath::new("test").unwrap();
            pollux.run(|| {
                ip("link set upper up");
                path.attach(binding.clone()).unwrap();
                let interface = ifindex("upper");
                path.attach(Binding { slot: Slot(10), interface, ..binding.clone() }).unwrap();
            });
            wire.send(ifindex("castor"), &frame).unwrap();
            drain_until(&mut path, 1, |path| path.counters(Slot(10)));
            assert_eq!(path.counters(Slot(3)), Counters::default(), "{device}");
            assert_eq!(path.strangers(binding.interface), Counters::default(), "{device}");
            pollux.run(|| ip("link del upper"));
        }
    });
}

#[test]
fn a_flood_is_read_a_batch_at_a_time_and_deadlines_wait_for_it() {
    between_hosts(|pollux| {
        let (mut path, mut witness) = (SocketPath::new("test").unwrap(), SocketPath::new("test").unwrap());
        let interface = pollux.run(|| ifindex("pollux"));
        for path in [&mut path, &mut witness] {
            pollux.run(|| path.attach(Network::v4().binding())).unwrap();
        }
        let wire = Sender::open().unwrap();
        let mut foreign = FRAME;
        foreign[35] = 52;
        for _ in 0..150 {
            wire.send(ifindex("castor"), &foreign).unwrap();
        }
        wire.send(ifindex("castor"), &FRAME).unwrap();
        // A busy machine stamps them later than they were sent.
        drain_until(&mut witness, 1, |path| path.counters(Slot(3)));
        let all_sent = clock::now();
        wire.send(ifindex("castor"), &foreign).unwrap();
        // Packets reach both sockets one after the other: when the last is here, those before it are there.
        drain_until(&mut witness, 151, |path| path.strangers(interface));
        let mut changed = Vec::new();
        for _ in 0..2 {
            assert_eq!(path.drain(&mut changed).unwrap(), Progress::More);
            assert_eq!(changed, [], "at most 64 packets in one call");
            assert!(path.judged_until(Slot(3)) < all_sent);
        }
        assert_eq!(path.drain(&mut changed).unwrap(), Progress::Drained);
        assert_eq!(changed, [Slot(3)]);
        assert!(path.judged_until(Slot(3)) > all_sent);
    });
}

#[test]
fn groups_are_joined_while_somebody_listens() {
    on_every_datapath(|pollux, receive| {
        let joined = |group: &str| pollux.run(|| ip("maddress show dev pollux")).contains(group);
        let mut path = AutoPath::new().unwrap();
        for network in [Network::v4(), Network::v6()] {
            let group = network.group.to_string();
            assert!(!joined(&group));
            pollux.run(|| {
                attach_when_free(&mut path, &heard_by(receive, &network));
                path.attach(Binding { slot: Slot(4), vrid: 52, ..heard_by(receive, &network) }).unwrap();
            });
            path.detach(Slot(3));
            assert!(joined(&group), "{group}: one router is left");
            path.detach(Slot(4));
            assert!(!joined(&group), "{group}");
        }
    });
}

#[test]
fn what_cannot_be_listened_on_is_refused_and_leaves_nothing() {
    between_hosts(|pollux| {
        let binding = pollux.run(|| Network::v4().binding());
        let mut path = SocketPath::new("test").unwrap();
        pollux.run(|| path.attach(binding.clone())).unwrap();
        for (change, message) in [
            (
                Binding { slot: Slot(4), ..binding.clone() },
                "VRID 51 is used twice for IPv4 on pollux; give one of the routers another VRID",
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
            assert_eq!(pollux.run(|| path.attach(change)).unwrap_err().to_string(), message);
            assert_eq!(path.heard(Slot(4)), Heard::default());
        }
    });
}

#[test]
fn a_link_that_goes_down_and_up_again_is_heard_again() {
    on_every_datapath(|pollux, receive| {
        let mut path = AutoPath::new().unwrap();
        pollux.run(|| path.attach(heard_by(receive, &Network::v4()))).unwrap();
        pollux.run(|| ip("link set pollux down"));
        let mut changed = Vec::new();
        assert_eq!(path.drain(&mut changed).unwrap(), Progress::Drained);
        assert!(!is_readable(path.readiness(), 0), "a dead link must not keep the loop busy");
        pollux.run(|| ip("link set pollux up"));
        let wire = Sender::open().unwrap();
        // A link that has just got its carrier takes frames and drops them for a moment.
        let begin = std::time::Instant::now();
        while !is_readable(path.readiness(), 20) {
            assert!(begin.elapsed().as_secs() < 5, "nothing was received for five seconds");
            wire.send(ifindex("castor"), &FRAME).unwrap();
        }
        assert_eq!(drain(&mut path), [Slot(3)]);
    });
}
