//! Whatever the frame, nothing panics, and what counts also parses and means the same to the full decoder.
//! Input: a byte of choices, then the frame.
#![no_main]

use std::net::{IpAddr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use vrrp_common::{
    abi::{Address, Heard, RouterView, Standing},
    judge::{self, DropReason, Envelope, Peers, Verdict},
    time::Instant,
    wire::{Advertisement, Family, PROTOCOL, Sum},
};

const UNICAST: u8 = 1;
const STRICT: u8 = 2;
const VERSION_2: u8 = 4;
const PASSWORD: u8 = 8;
const ACTIVE: u8 = 16;
const PREEMPT: u8 = 32;
const WATCH_LOSING: u8 = 64;
/// Makes the checksum good, which a fuzzer does not find by itself.
const MEND: u8 = 128;

fuzz_target!(|data: &[u8]| {
    let Some((choices, frame)) = data.split_first() else { return };
    let mut frame = frame.to_vec();
    let Ok(Some(envelope)) = judge::locate(&frame[..]) else { return };
    let message = envelope.message(&frame).expect("located messages lie in their frame");
    assert_eq!(message.len(), envelope.length());
    assert_eq!(message[1], envelope.vrid);
    if choices & MEND != 0 {
        mend(&mut frame, &envelope);
    }
    let some = router(*choices, envelope.family);
    let none = RouterView {
        digest: judge::digest([].into_iter()),
        flags: some.flags | RouterView::NO_ADDRESSES,
        ..some
    };
    for router in [some, none] {
        let outcome = judge::judge(&frame[..], &envelope, &router, &Lan);
        padding_changes_nothing(&frame, &router, outcome);
        if let Ok(verdict) = outcome {
            decoders_agree(&frame, &envelope, &verdict);
            kinds_are_sound(&router, &verdict);
            only_news_wake(&router, &verdict);
        }
    }
});

struct Lan;

impl Peers for Lan {
    fn ttl_range(&self, source: &Address) -> Option<(u8, u8)> {
        (source.octets()[15] != 13).then_some((254, 255))
    }

    fn admits(&self, source: &Address) -> bool {
        source.octets()[15] != 14
    }
}

fn router(choices: u8, family: Family) -> RouterView {
    let is = |choice| choices & choice != 0;
    let (source, group) = match family {
        Family::V4 => (IpAddr::from([192, 0, 2, 12]), IpAddr::from([224, 0, 0, 18])),
        Family::V6 => (
            Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x12).into(),
            Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12).into(),
        ),
    };
    let unicast = if is(UNICAST) { RouterView::UNICAST } else { 0 };
    let strict = if is(STRICT) { RouterView::STRICT } else { 0 };
    RouterView {
        standing: Standing::new(100, is(ACTIVE), is(PREEMPT), is(WATCH_LOSING)),
        source: source.into(),
        group: group.into(),
        digest: judge::digest([IpAddr::from([192, 0, 2, 1]).into()].into_iter()),
        password: *b"secret\0\0",
        interval: 1_000_000_000,
        version: if is(VERSION_2) { 2 } else { 3 },
        auth_type: u8::from(is(PASSWORD)),
        serial: 0,
        flags: unicast | strict | RouterView::ADMITS,
    }
}

fn mend(frame: &mut [u8], envelope: &Envelope) {
    let message = &mut frame[envelope.offset()..][..envelope.length()];
    let Some(field) = message.get_mut(6..8) else { return };
    field.fill(0);
    let pseudo = if envelope.family == Family::V6 {
        let length = u16::try_from(message.len()).expect("lengths of IP packets have 16 bits");
        Sum::ZERO.pseudo_header(envelope.source, envelope.destination, PROTOCOL, length)
    } else {
        Sum::ZERO
    };
    let checksum = pseudo.bytes(message).checksum();
    message[6..8].copy_from_slice(&checksum);
}

fn padding_changes_nothing(frame: &[u8], router: &RouterView, outcome: Result<Verdict, DropReason>) {
    let padded = [frame, &[0xa5; 18]].concat();
    let envelope = judge::locate(&padded[..]).expect("still readable").expect("still VRRP");
    assert_eq!(judge::judge(&padded[..], &envelope, router, &Lan), outcome);
}

fn decoders_agree(frame: &[u8], envelope: &Envelope, verdict: &Verdict) {
    let message = envelope.message(frame).expect("located messages lie in their frame");
    let parsed = match Advertisement::parse(message, envelope.family) {
        Ok(parsed) => parsed,
        // No router has VRID 0: the caller's look-up refuses it.
        Err(reason) => return assert_eq!((reason, envelope.vrid), (DropReason::Vrid, 0)),
    };
    assert_eq!((parsed.priority, parsed.interval), (verdict.priority, verdict.interval));
    let form = parsed.verify(envelope.source.into(), envelope.destination.into());
    assert!(verdict.checksum.map_or(form.is_ok(), |heard| form == Ok(heard)));
    assert_eq!(verdict.digest, judge::digest(parsed.addresses().map(Into::into)));
}

fn kinds_are_sound(router: &RouterView, verdict: &Verdict) {
    assert_eq!(verdict.resigned, verdict.priority == 0);
    let kinds = [verdict.resigned, verdict.better, verdict.losing].map(u8::from);
    assert_eq!(kinds.iter().sum::<u8>(), 1, "exactly one of these: {verdict:?}");
    assert!(!verdict.better || verdict.accepted, "what an Active yields to, a Backup accepts: {verdict:?}");
    assert!(verdict.source != router.source);
}

fn only_news_wake(router: &RouterView, verdict: &Verdict) {
    let mut heard = Heard::default();
    let notice = judge::Notice::new(verdict, 7);
    let mut hear = |at| judge::record(&mut heard, router.standing, &notice, Instant::from_nanos(at));
    assert!(hear(1), "the first is news");
    let standing = router.standing;
    let expected = verdict.resigned || standing.active() || (verdict.losing && standing.watch_losing());
    assert_eq!(hear(2), expected);
    let again = judge::come_again(&mut heard, router.standing, &verdict.source, 7, Instant::from_nanos(3));
    assert_eq!(again, (!verdict.resigned).then_some(expected));
    let at = if verdict.resigned { 2 } else { 3 };
    let heard = judge::settled(heard);
    let stamps = [heard.accepted, heard.better, heard.losing, heard.resigned];
    assert!(stamps.iter().all(|stamp| (stamp.at, stamp.count) == (at, at) || *stamp == Default::default()));
}
