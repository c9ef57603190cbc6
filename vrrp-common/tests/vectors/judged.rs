//! Advertisements that count: as what, and what is noted about them.

use vrrp_common::{
    abi::{Address, RouterView, Standing},
    judge::{Peers, Verdict},
    wire::Family,
};

use crate::vectors::{NONE, NONE_V2, NONE_V6, P1, P4, P5, P6, P8, PASS, VECTORS, Vector, hear, host};

#[test]
fn every_vector_counts_for_its_receiver() {
    for vector in &VECTORS {
        let verdict = hear(&vector.bytes(), vector.vrid, &vector.receiver(), &()).unwrap();
        let resigned = vector.priority == 0;
        // The receiver has priority 100 and the higher address.
        let expected = Verdict {
            source: vector.source().into(),
            priority: vector.priority,
            interval: vector.interval,
            digest: vector.digest,
            checksum: (vector.frame[2].starts_with('3') && vector.family() == Family::V4)
                .then_some(vector.form),
            differing_list: false,
            first_not_link_local: false,
            second_owner: false,
            resigned,
            accepted: !resigned,
            better: vector.priority > 100,
            losing: vector.priority == 100,
        };
        assert_eq!(verdict, expected, "{}", vector.name);
    }
}

/// RFC 9568 §6.4.2 and §6.4.3, for P1 (priority 200 from 192.0.2.11) and receivers of every rank.
#[test]
fn the_receivers_rank_decides_what_an_advertisement_is() {
    for (priority, preempt, source, expected) in [
        (199, true, 12, "accepted better"),
        (200, true, 10, "accepted better"),
        (200, true, 12, "accepted losing"),
        (201, true, 10, "losing"),
        (201, false, 10, "accepted losing"),
        (199, false, 12, "accepted better"),
        (255, true, 10, "losing second-owner"),
    ] {
        let router = RouterView {
            standing: Standing::new(priority, false, preempt, false),
            source: host(source),
            ..P1.receiver()
        };
        let verdict = hear(&P1.bytes(), 51, &router, &()).unwrap();
        assert_eq!(kinds(&verdict), expected, "priority {priority}, preempt {preempt}, .{source}");
    }
}

#[test]
fn who_resigns_is_no_second_owner() {
    let router = RouterView { standing: Standing::new(255, true, true, false), ..P4.receiver() };
    let verdict = hear(&P4.bytes(), 51, &router, &()).unwrap();
    assert_eq!(kinds(&verdict), "resigned");
}

fn kinds(verdict: &Verdict) -> String {
    let names = [
        (verdict.accepted, "accepted"),
        (verdict.better, "better"),
        (verdict.losing, "losing"),
        (verdict.resigned, "resigned"),
        (verdict.second_owner, "second-owner"),
    ];
    names.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect::<Vec<_>>().join(" ")
}

/// Row R17 and R15: counted and accepted, refused under `vrrp_strict`; a VRRPv2 owner may list what it likes.
#[test]
fn lists_that_differ_are_flagged_or_strictly_refused() {
    // Another checksum is not needed: it is the receiver's list that is another.
    let check = |vector: &Vector, change: fn(&mut RouterView), expected, strictly| {
        let mut router = vector.receiver();
        change(&mut router);
        let mut hear = |flags| {
            router.flags = flags;
            let verdict = hear(&vector.bytes(), vector.vrid, &router, &());
            verdict.map(|v| (v.differing_list, v.first_not_link_local))
        };
        assert_eq!(hear(0), Ok(expected), "{}", vector.name);
        assert_eq!(hear(RouterView::STRICT), strictly, "{}, strict", vector.name);
    };
    check(&P1, |_| (), (false, false), Ok((false, false)));
    check(&P1, |router| router.digest ^= 1, (true, false), Err("address-list"));
    check(&P8, |router| router.digest ^= 1, (true, false), Err("address-list"));
    check(&P6, |router| router.digest ^= 1, (true, false), Err("address-list"));

    let owner = Vector { name: "P8 of the owner", frame: of(&P8, "2133ff0100011dc8"), ..P8 };
    check(&owner, |router| router.digest ^= 1, (true, false), Ok((true, false)));
    check(&P5, |router| router.digest ^= 1, (true, false), Err("address-list"));
    let unordered = Vector { name: "P6, global address first", frame: of(&P6, GLOBAL_FIRST), ..P6 };
    check(&unordered, |_| (), (true, true), Err("link-local-first"));
}

/// A router without addresses hears those that have some, as if they were another list.
#[test]
fn some_addresses_are_another_list_than_none() {
    for (vector, none) in [(P1, NONE), (PASS, NONE_V2), (P6, NONE_V6)] {
        let verdict = hear(&vector.bytes(), 51, &none.receiver(), &()).unwrap();
        assert!(verdict.differing_list && verdict.accepted, "{}: {verdict:?}", vector.name);
        let strict = RouterView { flags: RouterView::STRICT | RouterView::NO_ADDRESSES, ..none.receiver() };
        assert_eq!(hear(&vector.bytes(), 51, &strict, &()), Err("address-list"), "{}", vector.name);
        assert!(hear(&none.bytes(), 51, &strict, &()).is_ok(), "{}", none.name);
    }
}

/// The sum of the words does not know their order: P6's checksum stays.
const GLOBAL_FIRST: &str = "3133c802000adc4420010db8000000000000000000000001fe800000000000000000000000000001";

/// `vector`'s frame with the beginning of the message replaced.
fn of(vector: &Vector, start: &'static str) -> [&'static str; 3] {
    let [ethernet, ip, message] = vector.frame;
    [ethernet, ip, String::leak(format!("{start}{}", &message[start.len()..]))]
}

struct Lan;

/// 192.0.2.11 is a peer up to two routers away, and 192.0.2.0/28 is admitted.
impl Peers for Lan {
    fn ttl_range(&self, source: &Address) -> Option<(u8, u8)> {
        (*source == host(11)).then_some((253, 254))
    }

    fn admits(&self, source: &Address) -> bool {
        source.octets()[15] < 16
    }
}

#[test]
fn unicast_counts_from_peers_to_us_within_their_ttl() {
    let mut router = P1.receiver();
    router.flags = RouterView::UNICAST;
    let check = |name, from: u8, to: [u8; 4], ttl, expected: Result<(), &str>| {
        let mut frame = P1.bytes();
        frame[22] = ttl;
        frame[29] = from;
        frame[30..34].copy_from_slice(&to);
        assert_eq!(hear(&frame, 51, &router, &Lan).map(|_| ()), expected, "{name}");
    };
    check("lowest TTL", 11, [192, 0, 2, 12], 253, Ok(()));
    check("highest TTL", 11, [192, 0, 2, 12], 254, Ok(()));
    check("below the range", 11, [192, 0, 2, 12], 252, Err("ttl"));
    check("above the range", 11, [192, 0, 2, 12], 255, Err("ttl"));
    check("from a stranger", 13, [192, 0, 2, 12], 254, Err("unknown-peer"));
    check("to another host", 11, [192, 0, 2, 13], 254, Err("mode"));
    check("multicast", 11, [224, 0, 0, 18], 255, Err("mode"));
}

#[test]
fn multicast_counts_from_whom_accept_from_allows() {
    let check = |from: u8, to: [u8; 4], expected: Result<(), &'static str>| {
        let mut frame = P1.bytes();
        frame[29] = from;
        frame[30..34].copy_from_slice(&to);
        let mut router = P1.receiver();
        assert_eq!(hear(&frame, 51, &router, &()).map(|_| ()), open(expected), "without accept_from");
        router.flags = RouterView::ADMITS;
        assert_eq!(hear(&frame, 51, &router, &Lan).map(|_| ()), expected, ".{from} to {to:?}");
    };
    check(15, [224, 0, 0, 18], Ok(()));
    check(16, [224, 0, 0, 18], Err("not-admitted"));
    check(11, [192, 0, 2, 12], Err("mode"));
    check(11, [224, 0, 0, 1], Err("mode"));
}

/// What is expected where everybody is admitted.
fn open(expected: Result<(), &'static str>) -> Result<(), &'static str> {
    if expected == Err("not-admitted") { Ok(()) } else { expected }
}
