//! Advertisements that arrive in another shape: with VLAN tags, or with all but the Ethernet header outside the linear
//! part of the kernel's packet.

use super::{
    lab_tests::{drain, heard_by, on_every_datapath},
    *,
};
use crate::{
    sys::{packet::Sender, ring},
    testing::network::{FRAME, Network, ifindex},
};

/// Of 802.1Q and 802.1ad.
const TAGS: [u16; 2] = [0x8100, 0x88a8];

/// The frame with a tag in it. The kernel takes it off and hands it to tc and sockets beside the packet; XDP sees it.
fn tagged(protocol: u16, vlan: u16, frame: &[u8]) -> Vec<u8> {
    [&frame[..12], &protocol.to_be_bytes(), &vlan.to_be_bytes(), &frame[12..]].concat()
}

#[test]
fn an_advertisement_of_a_vlan_is_not_the_parents() {
    on_every_datapath(|pollux, receive| {
        let mut path = AutoPath::new().unwrap();
        pollux.run(|| path.attach(heard_by(receive, &Network::v4()))).unwrap();
        let wire = Sender::open().unwrap();
        for protocol in TAGS {
            wire.send(ifindex("castor"), &tagged(protocol, 10, &FRAME)).unwrap();
            let inner = tagged(0x8100, 10, &FRAME);
            wire.send(ifindex("castor"), &tagged(protocol, 20, &inner)).unwrap();
        }
        // Heard behind all of them.
        wire.send(ifindex("castor"), &FRAME).unwrap();
        assert_eq!(drain(&mut path), [Slot(3)], "{receive:?}");
        assert_eq!(path.heard(Slot(3)).accepted.count, 1, "{receive:?}");
        assert_eq!(path.counters(Slot(3)).received, 1, "{receive:?}");
        let interface = pollux.run(|| ifindex("pollux"));
        assert_eq!(path.strangers(interface), Counters::default(), "{receive:?}");
    });
}

/// A tag that names no VLAN says how urgent a packet is.
#[test]
fn an_advertisement_with_a_priority_tag_is_heard() {
    on_every_datapath(|pollux, receive| {
        let mut path = AutoPath::new().unwrap();
        pollux.run(|| path.attach(heard_by(receive, &Network::v4()))).unwrap();
        let network_control = 7 << 13;
        let frame = tagged(0x8100, network_control, &FRAME);
        Sender::open().unwrap().send(ifindex("castor"), &frame).unwrap();
        assert_eq!(drain(&mut path), [Slot(3)], "{receive:?}");
        assert_eq!(path.heard(Slot(3)).accepted.count, 1, "{receive:?}");
    });
}

#[test]
fn an_advertisement_outside_the_linear_part_is_heard() {
    on_every_datapath(|pollux, receive| {
        let mut path = AutoPath::new().unwrap();
        pollux.run(|| path.attach(heard_by(receive, &Network::v4()))).unwrap();
        ring::send(ifindex("castor"), 0x0800, &FRAME).unwrap();
        assert_eq!(drain(&mut path), [Slot(3)], "{receive:?}");
        let accepted = path.heard(Slot(3)).accepted;
        assert_eq!((accepted.priority, accepted.count), (150, 1), "{receive:?}");
        assert_eq!(path.counters(Slot(3)).iter().map(|(_, count)| count).sum::<u64>(), 0, "{receive:?}");
    });
}
