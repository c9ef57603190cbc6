//! The table: frames built by hand from the RFCs, accepted by tshark and tcpdump, and what they mean;
//! and three without addresses, which only routers without addresses hear.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vrrp_common::{
    abi::{Address, RouterKey, RouterView, Standing},
    judge::{self, DropReason, Peers, Verdict},
    time::Interval,
    wire::{ChecksumForm, Family, Message, Version},
};

/// A frame and what it says. The sender is 192.0.2.11 or `fe80::11`.
pub(crate) struct Vector {
    pub(crate) name: &'static str,
    /// Ethernet header, IP header, VRRP message; hexadecimal.
    pub(crate) frame: [&'static str; 3],
    pub(crate) version: Version,
    pub(crate) vrid: u8,
    pub(crate) priority: u8,
    pub(crate) interval: Interval,
    pub(crate) form: ChecksumForm,
    pub(crate) password: Option<[u8; 8]>,
    pub(crate) addresses: &'static [IpAddr],
    /// FNV-1a of the list, computed by another program.
    pub(crate) digest: u64,
}

const ETHERNET_V4: &str = "01005e00001200005e0001330800";
const IPV4: &str = "45c0002000000000ff701890c000020be0000012";
const IPV4_V2: &str = "45c0002800000000ff701888c000020be0000012";
const ETHERNET_V6: &str = "33330000001200005e00023386dd";
const IPV6: &str = "6c000000002870fffe800000000000000000000000000011ff020000000000000000000000000012";

pub(crate) const P1: Vector = Vector {
    name: "P1",
    frame: [ETHERNET_V4, IPV4, "3133c801000a44bfc0000201"],
    version: Version::V3,
    vrid: 51,
    priority: 200,
    interval: Interval::from_millis(100),
    form: ChecksumForm::Message,
    password: None,
    addresses: &[v4(1)],
    digest: 0x0760_349f_f4e8_083a,
};

const P2: Vector = Vector {
    name: "P2",
    frame: [ETHERNET_V4, IPV4, "3133c801000aa224c0000201"],
    form: ChecksumForm::Pseudo,
    ..P1
};

const P3: Vector = Vector {
    name: "P3",
    frame: [ETHERNET_V4, IPV4, "3133fe0100010ec8c0000201"],
    priority: 254,
    interval: Interval::from_millis(10),
    ..P1
};

pub(crate) const P4: Vector =
    Vector { name: "P4: resigns", frame: [ETHERNET_V4, IPV4, "31330001000a0cc0c0000201"], priority: 0, ..P1 };

pub(crate) const P5: Vector = Vector {
    name: "P5: every field at its limit",
    frame: [
        "01005e00001200005e0001ff0800",
        "45c0002400000000ff70188cc000020be0000012",
        "31ffff020fff3afac0000201c0000202",
    ],
    vrid: 255,
    priority: 255,
    interval: Interval::from_millis(40_950),
    addresses: &[v4(1), v4(2)],
    digest: 0x71c4_d07d_48e5_55e4,
    ..P1
};

pub(crate) const P6: Vector = Vector {
    name: "P6",
    frame: [
        ETHERNET_V6,
        IPV6,
        "3133c802000adc44fe80000000000000000000000000000120010db8000000000000000000000001",
    ],
    form: ChecksumForm::Pseudo,
    addresses: &[
        IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    ],
    digest: 0xd3e1_bcf7_98e6_16fd,
    ..P1
};

const P7: Vector = Vector {
    name: "P7: resigns",
    frame: [
        ETHERNET_V6,
        IPV6,
        "31330002000aa445fe80000000000000000000000000000120010db8000000000000000000000001",
    ],
    priority: 0,
    ..P6
};

pub(crate) const P8: Vector = Vector {
    name: "P8",
    frame: [ETHERNET_V4, IPV4_V2, "213364010001b8c8c00002010000000000000000"],
    version: Version::V2,
    priority: 100,
    interval: Interval::from_secs(1),
    ..P1
};

const P9: Vector = Vector {
    name: "P9: resigns",
    frame: [ETHERNET_V4, IPV4_V2, "2133000100011cc9c00002010000000000000000"],
    priority: 0,
    ..P8
};

/// Not of the reference; its checksum was computed by another program.
pub(crate) const PASS: Vector = Vector {
    name: "simple text password",
    frame: [ETHERNET_V4, IPV4_V2, "2133640101017b7cc00002017365637265740000"],
    password: Some(*b"secret\0\0"),
    ..P8
};

/// Not of the reference: routers without addresses (`no_virtual_ipaddress`) among themselves. RFC 9568 §5.2.5 has
/// everybody else ignore these; their checksums were computed by another program.
pub(crate) const NONE: Vector = Vector {
    name: "no address",
    frame: [ETHERNET_V4, "45c0001c00000000ff701894c000020be0000012", "3133c800000a06c2"],
    addresses: &[],
    digest: 0xcbf2_9ce4_8422_2325,
    ..P1
};

pub(crate) const NONE_V2: Vector = Vector {
    name: "no address, VRRPv2 with a password",
    frame: [ETHERNET_V4, "45c0002400000000ff70188cc000020be0000012", "2133640001013d7f7365637265740000"],
    addresses: NONE.addresses,
    digest: NONE.digest,
    ..PASS
};

pub(crate) const NONE_V6: Vector = Vector {
    name: "no address, IPv6",
    frame: [
        ETHERNET_V6,
        "6c000000000870fffe800000000000000000000000000011ff020000000000000000000000000012",
        "3133c800000a08a3",
    ],
    addresses: NONE.addresses,
    digest: NONE.digest,
    ..P6
};

pub(crate) const VECTORS: [Vector; 13] = [P1, P2, P3, P4, P5, P6, P7, P8, P9, PASS, NONE, NONE_V2, NONE_V6];

impl Vector {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        hex(&self.frame.concat())
    }

    pub(crate) fn family(&self) -> Family {
        if self.frame[0].ends_with("86dd") { Family::V6 } else { Family::V4 }
    }

    pub(crate) fn source(&self) -> IpAddr {
        sender(self.family(), 11)
    }

    pub(crate) fn group(&self) -> IpAddr {
        match self.family() {
            Family::V4 => IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18)),
            Family::V6 => IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12)),
        }
    }

    /// The virtual router's MAC address.
    pub(crate) fn mac(&self) -> [u8; 6] {
        let kind = if self.family() == Family::V4 { 1 } else { 2 };
        [0x00, 0x00, 0x5e, 0x00, kind, self.vrid]
    }

    pub(crate) fn message(&self) -> Message<'static> {
        Message {
            version: self.version,
            family: self.family(),
            vrid: self.vrid,
            priority: self.priority,
            interval: self.interval,
            password: self.password,
            addresses: self.addresses,
        }
    }

    /// A Backup of priority 100 at 192.0.2.12 or `fe80::12` for which the vector is meant.
    pub(crate) fn receiver(&self) -> RouterView {
        let v2 = self.version == Version::V2;
        RouterView {
            standing: Standing::new(100, false, true, false),
            source: sender(self.family(), 12).into(),
            group: self.group().into(),
            digest: self.digest,
            password: self.password.unwrap_or_default(),
            interval: if v2 { self.interval.as_nanos() } else { 0 },
            version: self.version as u8,
            auth_type: u8::from(self.password.is_some()),
            serial: 0,
            flags: if self.addresses.is_empty() { RouterView::NO_ADDRESSES } else { 0 },
        }
    }
}

/// The interface that the frames of these tests arrive on.
pub(crate) const IFINDEX: u32 = 2;

/// What a receive path does with `frame` for a `router` of `vrid` on [`IFINDEX`]: the verdict, or the name of
/// the counter, or "not-vrrp".
pub(crate) fn hear(
    frame: &[u8],
    vrid: u8,
    router: &RouterView,
    peers: &impl Peers,
) -> Result<Verdict, &'static str> {
    let envelope = judge::locate(frame).map_err(DropReason::name)?.ok_or("not-vrrp")?;
    let family = if IpAddr::from(router.source).is_ipv4() { 4 } else { 6 };
    if envelope.key(IFINDEX, 0) != (RouterKey { ifindex: IFINDEX, vlan: 0, family, vrid }) {
        return Err("vrid");
    }
    judge::judge(frame, &envelope, router, peers).map_err(DropReason::name)
}

/// `192.0.2.last` or `fe80::last`, both with the same digits.
pub(crate) fn sender(family: Family, last: u8) -> IpAddr {
    match family {
        Family::V4 => v4(last),
        Family::V6 => {
            IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, (last / 10 * 16 + last % 10).into()))
        }
    }
}

/// `192.0.2.last` as the records hold it.
pub(crate) fn host(last: u8) -> Address {
    v4(last).into()
}

const fn v4(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

/// The bytes of a string of hexadecimal digits.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
