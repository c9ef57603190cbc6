//! Emitting and reading: byte for byte and field for field.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vrrp_common::{
    judge,
    time::Interval,
    wire::{Advertisement, ChecksumForm, Family, Message, Version, frame},
};

use crate::vectors::{P1, P6, P8, PASS, VECTORS, hex, sender};

#[test]
fn emitted_frames_are_byte_identical() {
    for vector in &VECTORS {
        let mut buffer = [0xaa; 200];
        let length = frame::advertisement(
            vector.mac(),
            vector.source(),
            vector.group(),
            &vector.message(),
            vector.form,
            &mut buffer,
        );
        let expected = vector.bytes();
        assert_eq!(length, Some(expected.len()), "{}", vector.name);
        assert_eq!(buffer[..expected.len()], expected, "{}", vector.name);
        assert_eq!(buffer[expected.len()..], [0xaa; 200][expected.len()..], "{}", vector.name);
    }
}

/// RFC 1112 §6.4: the MAC address has 23 bits of the group.
#[test]
fn a_groups_mac_has_its_low_bits() {
    let group = Ipv4Addr::new(239, 255, 128, 18).into();
    let mut buffer = [0; 46];
    frame::advertisement(P1.mac(), P1.source(), group, &P1.message(), P1.form, &mut buffer).unwrap();
    assert_eq!(buffer[..6], [0x01, 0x00, 0x5e, 0x7f, 0x80, 0x12]);
}

#[test]
fn parsed_messages_have_every_field() {
    for vector in &VECTORS {
        let bytes = hex(vector.frame[2]);
        let parsed = Advertisement::parse(&bytes, vector.family()).unwrap();
        let Message { version, family, vrid, priority, interval, .. } = vector.message();
        assert_eq!(
            (parsed.version, parsed.family, parsed.vrid, parsed.priority, parsed.interval),
            (version, family, vrid, priority, interval),
            "{}",
            vector.name
        );
        let auth = match (version, vector.password) {
            (Version::V2, Some(password)) => Some((1, password)),
            (Version::V2, None) => Some((0, [0; 8])),
            (Version::V3, _) => None,
        };
        assert_eq!(parsed.auth, auth, "{}", vector.name);
        assert_eq!(parsed.addresses().collect::<Vec<_>>(), vector.addresses, "{}", vector.name);
        assert_eq!(parsed.verify(vector.source(), vector.group()), Ok(vector.form), "{}", vector.name);
    }
}

/// Ethernet pads to 60 bytes (64 with its own checksum): the message ends where the IP header says.
#[test]
fn padding_is_not_part_of_the_message() {
    for vector in &VECTORS {
        let mut frame = vector.bytes();
        frame.resize(frame.len().max(60), 0);
        let envelope = judge::locate(&frame[..]).unwrap().unwrap();
        assert_eq!(envelope.message(&frame), Some(&hex(vector.frame[2])[..]), "{}", vector.name);
    }
}

#[test]
fn announcements_are_byte_identical() {
    let arp = frame::gratuitous_arp([0x00, 0x00, 0x5e, 0x00, 0x01, 51], Ipv4Addr::new(192, 0, 2, 1));
    assert_eq!(
        arp.to_vec(),
        hex("ffffffffffff00005e0001330806 000108000604000100005e000133c000020100005e000133c0000201"),
        "A2"
    );
    let target = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    let na = |router| frame::unsolicited_na([0x00, 0x00, 0x5e, 0x00, 0x02, 51], target, router).to_vec();
    let headers = "33330000000100005e00023386dd 6000000000203aff \
                   20010db8000000000000000000000001 ff020000000000000000000000000001";
    let icmp = "88001af8a000000020010db8000000000000000000000001020100005e000233";
    assert_eq!(na(true), hex(&[headers, icmp].concat()), "N1");
    // The Router flag is 0x8000 of one word: without it the checksum grows by as much.
    let icmp = "88009af82000000020010db8000000000000000000000001020100005e000233";
    assert_eq!(na(false), hex(&[headers, icmp].concat()), "N1 of a host that does not forward");
}

#[test]
fn what_cannot_be_said_on_the_wire_is_not_emitted() {
    const MANY: [IpAddr; 256] = [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)); 256];
    const MIXED: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let check = |name: &str, message: Message<'_>, expected: Option<usize>| {
        let [source, destination] = [11, 12].map(|last| sender(message.family, last));
        let emitted = message.emit(source, destination, ChecksumForm::Pseudo, &mut [0; 2048]);
        assert_eq!(emitted, expected, "{name}");
    };
    let (v3, v6, v2) = (P1.message(), P6.message(), P8.message());

    check("255 addresses", Message { addresses: &MANY[1..], ..v3 }, Some(1028));
    check("255 addresses, VRRPv2", Message { addresses: &MANY[1..], ..v2 }, Some(1036));
    check("256 addresses", Message { addresses: &MANY, ..v3 }, None);
    check("an address of the other family", Message { addresses: &MIXED, ..v3 }, None);
    check("VRRPv2 over IPv6", Message { version: Version::V2, interval: Interval::from_secs(1), ..v6 }, None);
    check("VRID 0", Message { vrid: 0, ..v3 }, None);
    check("4095 cs", Message { interval: Interval::from_centiseconds(4095), ..v3 }, Some(12));
    check("4096 cs", Message { interval: Interval::from_centiseconds(4096), ..v3 }, None);
    check("less than a centisecond", Message { interval: Interval::from_millis(9), ..v3 }, None);
    check("255 s", Message { interval: Interval::from_secs(255), ..v2 }, Some(20));
    check("256 s", Message { interval: Interval::from_secs(256), ..v2 }, None);
    check("less than a second", Message { interval: Interval::from_millis(999), ..v2 }, None);
}

#[test]
fn a_message_needs_its_whole_length_and_its_own_family() {
    for vector in [&P1, &P6, &P8, &PASS] {
        let message = vector.message();
        let emit =
            |source, destination, room| message.emit(source, destination, vector.form, &mut [0; 200][..room]);
        let length = hex(vector.frame[2]).len();
        assert_eq!(message.len(), length, "{}", vector.name);
        assert_eq!(emit(vector.source(), vector.group(), length), Some(length), "{}", vector.name);
        assert_eq!(emit(vector.source(), vector.group(), length - 1), None, "{}", vector.name);
        let other = if vector.family() == Family::V4 { Family::V6 } else { Family::V4 };
        assert_eq!(emit(sender(other, 11), vector.group(), 200), None, "{}", vector.name);
        assert_eq!(emit(vector.source(), sender(other, 12), 200), None, "{}", vector.name);

        let frame = |group, room| {
            let buffer = &mut [0; 200][..room];
            frame::advertisement(vector.mac(), vector.source(), group, &message, vector.form, buffer)
        };
        let length = vector.bytes().len();
        assert_eq!(frame(vector.group(), length - 1), None, "{}", vector.name);
        assert_eq!(frame(sender(vector.family(), 12), length), None, "{}: not a group", vector.name);
    }
}
