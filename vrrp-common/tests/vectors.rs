//! Byte vectors of whole frames: what we emit is identical, what we receive is read and judged as named.

mod common;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use common::hex;
use vrrp_common::{
    time::Interval,
    wire::{ChecksumForm, Family, Message, Version, frame},
};

struct Vector {
    name: &'static str,
    frame: &'static str,
    version: Version,
    vrid: u8,
    priority: u8,
    interval: Interval,
    form: ChecksumForm,
    addresses: &'static [IpAddr],
}

const fn v4(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

const FE80_1: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1));
const DB8_1: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const CENTISECOND: Interval = Interval::from_millis(10);

const VECTORS: [Vector; 9] = [
    Vector {
        name: "P1",
        frame: "01005e00001200005e0001330800 45c0002000000000ff701890c000020be0000012 3133c801000a44bfc0000201",
        version: Version::V3,
        vrid: 51,
        priority: 200,
        interval: Interval::from_millis(100),
        form: ChecksumForm::Message,
        addresses: &[v4(1)],
    },
    Vector {
        name: "P2",
        frame: "01005e00001200005e0001330800 45c0002000000000ff701890c000020be0000012 3133c801000aa224c0000201",
        version: Version::V3,
        vrid: 51,
        priority: 200,
        interval: Interval::from_millis(100),
        form: ChecksumForm::Pseudo,
        addresses: &[v4(1)],
    },
    Vector {
        name: "P3",
        frame: "01005e00001200005e0001330800 45c0002000000000ff701890c000020be0000012 3133fe0100010ec8c0000201",
        version: Version::V3,
        vrid: 51,
        priority: 254,
        interval: CENTISECOND,
        form: ChecksumForm::Message,
        addresses: &[v4(1)],
    },
    Vector {
        name: "P4",
        frame: "01005e00001200005e0001330800 45c0002000000000ff701890c000020be0000012 31330001000a0cc0c0000201",
        version: Version::V3,
        vrid: 51,
        priority: 0,
        interval: Interval::from_millis(100),
        form: ChecksumForm::Message,
        addresses: &[v4(1)],
    },
    Vector {
        name: "P5",
        frame: "01005e00001200005e0001ff0800 45c0002400000000ff70188cc000020be0000012 31ffff020fff3afac0000201c0000202",
        version: Version::V3,
        vrid: 255,
        priority: 255,
        interval: Interval::from_millis(40_950),
        form: ChecksumForm::Message,
        addresses: &[v4(1), v4(2)],
    },
    Vector {
        name: "P6",
        frame: "33330000001200005e00023386dd 6c000000002870fffe800000000000000000000000000011ff020000000000000000000000000012 3133c802000adc44fe80000000000000000000000000000120010db8000000000000000000000001",
        version: Version::V3,
        vrid: 51,
        priority: 200,
        interval: Interval::from_millis(100),
        form: ChecksumForm::Pseudo,
        addresses: &[FE80_1, IpAddr::V6(DB8_1)],
    },
    Vector {
        name: "P7",
        frame: "33330000001200005e00023386dd 6c000000002870fffe800000000000000000000000000011ff020000000000000000000000000012 31330002000aa445fe80000000000000000000000000000120010db8000000000000000000000001",
        version: Version::V3,
        vrid: 51,
        priority: 0,
        interval: Interval::from_millis(100),
        form: ChecksumForm::Pseudo,
        addresses: &[FE80_1, IpAddr::V6(DB8_1)],
    },
    Vector {
        name: "P8",
        frame: "01005e00001200005e0001330800 45c0002800000000ff701888c000020be0000012 213364010001b8c8c00002010000000000000000",
        version: Version::V2,
        vrid: 51,
        priority: 100,
        interval: Interval::from_secs(1),
        form: ChecksumForm::Message,
        addresses: &[v4(1)],
    },
    Vector {
        name: "P9",
        frame: "01005e00001200005e0001330800 45c0002800000000ff701888c000020be0000012 2133000100011cc9c00002010000000000000000",
        version: Version::V2,
        vrid: 51,
        priority: 0,
        interval: Interval::from_secs(1),
        form: ChecksumForm::Message,
        addresses: &[v4(1)],
    },
];

impl Vector {
    fn family(&self) -> Family {
        Family::of(self.addresses[0])
    }

    fn source(&self) -> IpAddr {
        match self.family() {
            Family::V4 => v4(11),
            Family::V6 => IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x11)),
        }
    }

    fn group(&self) -> IpAddr {
        match self.family() {
            Family::V4 => IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18)),
            Family::V6 => IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12)),
        }
    }

    fn mac(&self) -> [u8; 6] {
        let kind = if self.family() == Family::V4 { 1 } else { 2 };
        [0x00, 0x00, 0x5e, 0x00, kind, self.vrid]
    }

    fn message(&self) -> Message<'static> {
        Message {
            version: self.version,
            family: self.family(),
            vrid: self.vrid,
            priority: self.priority,
            interval: self.interval,
            password: None,
            addresses: self.addresses,
        }
    }
}

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
        let expected = hex(vector.frame);
        assert_eq!(length, Some(expected.len()), "{}", vector.name);
        assert_eq!(buffer[..expected.len()], expected, "{}", vector.name);
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
    let na = |router| frame::unsolicited_na([0x00, 0x00, 0x5e, 0x00, 0x02, 51], DB8_1, router).to_vec();
    assert_eq!(
        na(true),
        hex(
            "33330000000100005e00023386dd 6000000000203aff20010db8000000000000000000000001ff020000000000000000000000000001 88001af8a000000020010db8000000000000000000000001020100005e000233"
        ),
        "N1"
    );
    // The Router flag is 0x8000 of one checksummed word: without it the checksum grows by as much.
    assert_eq!(
        na(false),
        hex(
            "33330000000100005e00023386dd 6000000000203aff20010db8000000000000000000000001ff020000000000000000000000000001 88009af82000000020010db8000000000000000000000001020100005e000233"
        ),
        "N1 of a host that does not forward"
    );
}
