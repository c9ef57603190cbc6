//! Packets that do not count, each made from a good one by one change, and the counter that tells of it.

use vrrp_common::{
    abi::{Address, RouterKey, RouterView},
    judge::{self, Envelope, Peers},
    wire::DropReason,
};

use crate::vectors::{IFINDEX, NONE, NONE_V2, NONE_V6, P1, P6, P8, PASS, VECTORS, Vector, hear, host};

const COUNTED: Result<(), &str> = Ok(());
/// Offsets in an untagged frame.
const IP: usize = 14;
const V4_MESSAGE: usize = 34;
const V6_MESSAGE: usize = 54;

fn check(name: &str, vector: &Vector, change: impl Fn(&mut Vec<u8>), expected: Result<(), &str>) {
    let mut frame = vector.bytes();
    change(&mut frame);
    let heard = hear(&frame, vector.vrid, &vector.receiver(), &()).map(|_| ());
    assert_eq!(heard, expected, "{}: {name}", vector.name);
    frame.resize(frame.len() + 14, 0xa5);
    let padded = hear(&frame, vector.vrid, &vector.receiver(), &()).map(|_| ());
    // Padding may complete a frame that was cut; everything else it must not change.
    if expected != Err("ip-header") && expected != Err("not-vrrp") {
        assert_eq!(padded, expected, "{}: {name}, padded", vector.name);
    }
}

fn set(offset: usize, bytes: &'static [u8]) -> impl Fn(&mut Vec<u8>) {
    move |frame| frame[offset..][..bytes.len()].copy_from_slice(bytes)
}

/// As [`set`], with the checksum over the message made good (the plainest form of RFC 1071).
fn set_valid(offset: usize, bytes: &'static [u8]) -> impl Fn(&mut Vec<u8>) {
    move |frame| {
        set(offset, bytes)(frame);
        let message = &mut frame[V4_MESSAGE..];
        message[6..8].fill(0);
        let sum: u32 = message.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum();
        let sum = (sum & 0xffff) + (sum >> 16);
        let sum = (sum & 0xffff) + (sum >> 16);
        message[6..8].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    }
}

/// `count` words of IPv4 options, each a NOP thrice and an end.
fn options(count: usize) -> impl Fn(&mut Vec<u8>) {
    move |frame| {
        frame[IP] = 0x45 + count as u8;
        frame[IP + 3] += 4 * count as u8;
        frame.splice(V4_MESSAGE..V4_MESSAGE, [1, 1, 1, 0].repeat(count));
    }
}

#[test]
fn ip_headers() {
    check("unchanged", &P1, |_| (), COUNTED);
    check("cut after the IP header", &P1, |frame| frame.truncate(V4_MESSAGE), Err("ip-header"));
    check("cut within the IP header", &P1, |frame| frame.truncate(V4_MESSAGE - 1), Err("ip-header"));
    check("last byte missing", &P1, |frame| frame.truncate(45), Err("ip-header"));
    check("cut before the protocol", &P1, |frame| frame.truncate(IP + 9), Err("not-vrrp"));
    check("IHL 4", &P1, set(IP, &[0x44]), Err("ip-header"));
    check("IP version 6 behind 0800", &P1, set(IP, &[0x65]), Err("ip-header"));
    check("shorter than its header", &P1, set(IP + 2, &[0, 19]), Err("ip-header"));
    check("one word of options", &P1, options(1), COUNTED);
    check("ten words of options", &P1, options(10), COUNTED);
    check("UDP", &P1, set(IP + 9, &[17]), Err("not-vrrp"));
    check("ARP", &P1, set(12, &[0x08, 0x06]), Err("not-vrrp"));
    check("don't fragment", &P1, set(IP + 6, &[0x40, 0]), COUNTED);
    check("more fragments", &P1, set(IP + 6, &[0x20, 0]), Err("fragment"));
    check("fragment offset", &P1, set(IP + 6, &[0, 1]), Err("fragment"));

    check("unchanged", &P6, |_| (), COUNTED);
    check("cut after the IP header", &P6, |frame| frame.truncate(V6_MESSAGE), Err("ip-header"));
    check("cut within the IP header", &P6, |frame| frame.truncate(V6_MESSAGE - 1), Err("ip-header"));
    check("IP version 4 behind 86dd", &P6, set(IP, &[0x4c]), Err("ip-header"));
    check("hop-by-hop options", &P6, set(IP + 6, &[0]), Err("not-vrrp"));
    check("a fragment", &P6, set(IP + 6, &[44]), Err("not-vrrp"));
    check("longer than a packet can be", &P6, set(IP + 4, &[0xff, 0xff]), Err("ip-header"));
}

#[test]
fn delivery() {
    check("TTL 254", &P1, set(IP + 8, &[254]), Err("ttl"));
    check("TTL 0", &P1, set(IP + 8, &[0]), Err("ttl"));
    check("hop limit 254", &P6, set(IP + 7, &[254]), Err("ttl"));
    check("to all hosts", &P1, set(IP + 16, &[224, 0, 0, 1]), Err("mode"));
    check("to all nodes", &P6, set(IP + 39, &[1]), Err("mode"));
    check("DSCP 0", &P1, set(IP + 1, &[0]), COUNTED);
    check("from our own address", &P1, set(IP + 12, &[192, 0, 2, 12]), Err("self"));
    // The pseudo-header form does not survive another source.
    check("from our own address", &VECTORS[1], set(IP + 12, &[192, 0, 2, 12]), Err("checksum"));
}

#[test]
fn messages() {
    check("version 4", &P1, set(V4_MESSAGE, &[0x41]), Err("version"));
    check("version 1", &P1, set(V4_MESSAGE, &[0x11]), Err("version"));
    check("type 2", &P1, set(V4_MESSAGE, &[0x32]), Err("type"));
    check("version 2 over IPv6", &P6, set(V6_MESSAGE, &[0x21]), Err("version"));
    check("VRID 52", &P1, set(V4_MESSAGE + 1, &[52]), Err("vrid"));
    check("VRID 52, all else wrong too", &P1, set(V4_MESSAGE, &[0xff, 52, 0, 0]), Err("vrid"));
    check("checksum", &P1, set(V4_MESSAGE + 7, &[0xbe]), Err("checksum"));
    check("checksum", &P6, set(V6_MESSAGE + 7, &[0x45]), Err("checksum"));
    check("checksum", &P8, set(V4_MESSAGE + 7, &[0xc9]), Err("checksum"));
    check("pseudo-header in VRRPv2", &P8, set(V4_MESSAGE + 6, &[0x16, 0x26]), Err("checksum"));
    check("IPv6 without pseudo-header", &P6, set(V6_MESSAGE + 6, &[0xdb, 0xbb]), Err("checksum"));
    check("interval 0", &P1, set_valid(V4_MESSAGE + 4, &[0, 0]), Err("interval-zero"));
    check("interval 0 and reserved bits", &P1, set_valid(V4_MESSAGE + 4, &[0xf0, 0]), Err("interval-zero"));
    check("reserved bits", &P1, set_valid(V4_MESSAGE + 4, &[0xf0, 10]), COUNTED);
    check("another interval", &P1, set_valid(V4_MESSAGE + 5, &[11]), COUNTED);
}

#[test]
fn lengths() {
    check("count 0", &P1, set_valid(V4_MESSAGE + 3, &[0]), Err("count-zero"));
    check("count 2", &P1, set_valid(V4_MESSAGE + 3, &[2]), Err("length"));
    check("seven bytes", &P1, set(IP + 3, &[27]), Err("length"));
    check("one byte", &P1, set(IP + 3, &[21]), Err("length"));
    let padding_is_no_vrid = |frame: &mut Vec<u8>| {
        set(IP + 3, &[21])(frame);
        set(V4_MESSAGE + 1, &[52])(frame);
    };
    check("one byte, then padding", &P1, padding_is_no_vrid, Err("length"));
    check("no byte", &P1, set(IP + 3, &[20]), Err("length"));
    let longer = |by: u8| {
        move |frame: &mut Vec<u8>| {
            frame[IP + 3] += by;
            frame.resize(frame.len() + usize::from(by), 0);
        }
    };
    check("a trailer of eight zeros", &P1, longer(8), Err("length"));
    check("one zero more", &P1, longer(1), Err("length"));
    check("VRRPv2 with a trailer", &P8, longer(4), Err("length"));
    check("VRRPv2 without authentication data", &P8, set(IP + 3, &[32]), Err("length"));
    check("count 255 in 40 bytes", &P6, set(V6_MESSAGE + 3, &[255]), Err("length"));
    // CARP's header length field stands where the count does.
    check("CARP", &P8, set(V4_MESSAGE + 3, &[7]), Err("length"));
}

/// RFC 9568 §5.2.5: whatever else is right, and `vrrp_strict` or not.
#[test]
fn no_addresses_are_for_routers_without_addresses_alone() {
    for (none, vector) in [(NONE, P1), (NONE_V2, PASS), (NONE_V6, P6)] {
        for flags in [0, RouterView::STRICT, RouterView::ADMITS] {
            let router = RouterView { flags, ..vector.receiver() };
            let heard = hear(&none.bytes(), 51, &router, &Everybody).map(|_| ());
            assert_eq!(heard, Err("count-zero"), "{}, flags {flags}", none.name);
        }
    }
    // The length still has to be what the count says.
    let trailer = |frame: &mut Vec<u8>| {
        frame[IP + 3] += 4;
        frame.extend([0; 4]);
    };
    check("a trailer", &NONE, trailer, Err("length"));
    check("without authentication data", &NONE_V2, set(IP + 3, &[28]), Err("length"));
    check("count 1", &NONE, set(V4_MESSAGE + 3, &[1]), Err("length"));
    check("checksum", &NONE, set(V4_MESSAGE + 7, &[0xc3]), Err("checksum"));
    check("another password", &NONE_V2, set_valid(V4_MESSAGE + 8, b"S"), Err("auth-password"));
}

struct Everybody;

impl Peers for Everybody {
    fn ttl_range(&self, _: &Address) -> Option<(u8, u8)> {
        None
    }

    fn admits(&self, _: &Address) -> bool {
        true
    }
}

#[test]
fn versions_must_be_the_routers() {
    for (vector, router) in [(&P1, P8.receiver()), (&P8, P1.receiver())] {
        let heard = hear(&vector.bytes(), 51, &router, &()).map(|_| ());
        assert_eq!(heard, Err("version"), "{}", vector.name);
    }
}

#[test]
fn vrrpv2_needs_the_routers_authentication_and_interval() {
    let check_router = |name, vector: &Vector, router: RouterView, expected| {
        assert_eq!(hear(&vector.bytes(), 51, &router, &()).map(|_| ()), expected, "{name}");
    };
    let password = |password: &[u8; 8]| RouterView { password: *password, ..PASS.receiver() };
    check_router("password to type 0", &PASS, P8.receiver(), Err("auth-type"));
    check_router("type 0 to password", &P8, PASS.receiver(), Err("auth-type"));
    check_router("last byte", &PASS, password(b"secret\0x"), Err("auth-password"));
    check_router("first byte", &PASS, password(b"Secret\0\0"), Err("auth-password"));
    check_router(
        "another interval",
        &P8,
        RouterView { interval: 2_000_000_000, ..P8.receiver() },
        Err("interval-differs"),
    );

    check("data with type 0", &P8, set_valid(V4_MESSAGE + 12, b"whatever"), COUNTED);
    check("type 2", &P8, set_valid(V4_MESSAGE + 4, &[2]), Err("auth-type"));
    check("interval 0", &P8, set_valid(V4_MESSAGE + 5, &[0]), Err("interval-zero"));
    check("interval 2", &P8, set_valid(V4_MESSAGE + 5, &[2]), Err("interval-differs"));
}

/// A tag stays with its packet: in the frame, or out of band where the kernel or the card took it off.
#[test]
fn vlan_tags_choose_the_router() {
    const Q: [u8; 2] = [0x81, 0x00];
    const AD: [u8; 2] = [0x88, 0xa8];
    let check = |name, tags: &[([u8; 2], u16)], out_of_band, vlan| {
        let mut frame = P1.bytes();
        let tags = tags.iter().flat_map(|(kind, tag)| [kind[0], kind[1], (tag >> 8) as u8, *tag as u8]);
        frame.splice(12..12, tags);
        let envelope = judge::locate(&frame[..]).unwrap().unwrap();
        let expected = RouterKey { ifindex: IFINDEX, vlan, family: 4, vrid: 51 };
        assert_eq!(envelope.key(IFINDEX, out_of_band), expected, "{name}");
        let verdict = judge::judge(&frame[..], &envelope, &P1.receiver(), &()).unwrap();
        assert_eq!(verdict.source, host(11), "{name}");
    };
    check("untagged", &[], 0, 0);
    check("tagged", &[(Q, 100)], 0, 100);
    check("tagged with priority", &[(Q, 0xe064)], 0, 100);
    check("priority only", &[(Q, 0xe000)], 0, 0);
    check("taken off", &[], 100, 100);
    check("taken off, with priority", &[], 0xe064, 100);
    check("a service tag", &[(AD, 100)], 0, 100);
    check("a service tag for priority only", &[(AD, 0), (Q, 100)], 0, 100);
    check("two tags", &[(AD, 100), (Q, 200)], 0, Envelope::NESTED);
    check("two tags of one kind", &[(Q, 100), (Q, 100)], 0, Envelope::NESTED);
    check("two tags, one taken off", &[(Q, 200)], 100, Envelope::NESTED);
    check("two tags, priority ones", &[(Q, 0), (Q, 0)], 0, 0);
    check("three, one taken off", &[(Q, 100), (Q, 200)], 100, Envelope::NESTED);
}

#[test]
fn three_tags_in_the_frame_are_not_vrrp() {
    let mut frame = P1.bytes();
    frame.splice(12..12, [0x81, 0x00, 0, 0].repeat(3));
    assert_eq!(judge::locate(&frame[..]), Ok(None));
}

#[test]
fn a_cut_frame_never_counts() {
    for vector in &VECTORS {
        let frame = vector.bytes();
        for length in 0..frame.len() {
            let heard = hear(&frame[..length], vector.vrid, &vector.receiver(), &());
            assert!(heard.is_err(), "{} cut to {length} bytes: {heard:?}", vector.name);
        }
    }
}

#[test]
fn every_reason_has_its_own_counter_name_and_sentence() {
    for (index, reason) in DropReason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, index);
        let others = || DropReason::ALL.into_iter().filter(|other| *other != reason);
        assert!(others().all(|other| other.name() != reason.name()), "{reason:?}");
        assert!(others().all(|other| other.to_string() != reason.to_string()), "{reason:?}");
        assert!(reason.name().chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{reason:?}");
    }
}
