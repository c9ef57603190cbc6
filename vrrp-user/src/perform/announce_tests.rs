//! Announcements on a wire, as the kernel on the other end understands them.

use std::{net::IpAddr, time::Instant as Wall};

use tokio::sync::{mpsc, watch};
use vrrp_common::{
    election::Announcement,
    time::{Instant, Interval},
};

use super::announce::{AnnounceCounts, Announcer};
use crate::{
    config::model::Announce,
    datapath::Slot,
    netlink::{self, Event, LinkTable},
    sys::clock,
    testing::{between_hosts, ip, try_run},
};

const ONCE: Announce = Announce {
    delay: Interval::ZERO,
    repeat: 1,
    refresh: Interval::ZERO,
    refresh_repeat: 1,
    lower_priority_delay: Interval::ZERO,
    lower_priority_repeat: 1,
    arp_gap: Interval::ZERO,
    na_gap: Interval::ZERO,
};

/// The links of this namespace.
fn link_table() -> LinkTable {
    let (desired, receiver) = watch::channel(std::sync::Arc::default());
    let (sender, mut events) = mpsc::channel(16);
    let handle = netlink::spawn(receiver, sender, Default::default(), Default::default()).unwrap();
    let Some(Event::Links(links)) = events.blocking_recv() else { panic!("the table is the first event") };
    drop((desired, events));
    handle.join().unwrap();
    LinkTable::clone(&links)
}

/// An announcer for which router 0 has just become Active, with these addresses on castor.
fn taken_over(settings: Announce, addresses: &[&str]) -> Announcer {
    let links = link_table();
    let interface = links.by_name("castor").unwrap().ifindex;
    let addresses = addresses.iter().map(|text| (text.parse::<IpAddr>().unwrap(), interface));
    let mut announcer = Announcer::new().unwrap();
    announcer.start(Slot(0), settings, clock::now());
    announcer.again(Slot(0), Announcement::Takeover, clock::now());
    announcer.confirmed(Slot(0), addresses, &links, clock::now());
    announcer
}

fn turn_until_done(announcer: &mut Announcer) {
    while announcer.deadline().is_some_and(|at| at <= clock::now()) {
        announcer.turn(clock::now(), 64).unwrap();
    }
}

#[test]
fn neighbours_learn_the_new_hardware_address() {
    between_hosts(|pollux| {
        pollux.run(|| {
            for address in ["192.0.2.10", "2001:db8::10"] {
                ip(&format!("neighbour add {address} lladdr 02:00:00:00:00:99 dev pollux nud stale"));
            }
        });
        turn_until_done(&mut taken_over(ONCE, &["192.0.2.10", "2001:db8::10"]));
        let begin = Wall::now();
        for address in ["192.0.2.10", "2001:db8::10"] {
            let known = || pollux.run(|| ip(&format!("neighbour show {address} dev pollux")));
            while !known().contains("02:00:00:00:00:01") {
                assert!(begin.elapsed().as_secs() < 5, "{}", known());
            }
            let forwards = pollux.run(|| ip("-6 neighbour show dev pollux")).contains(" router");
            assert!(!forwards, "castor does not forward");
        }
    });
}

#[test]
fn a_host_that_forwards_says_that_it_is_a_router() {
    between_hosts(|pollux| {
        pollux.run(|| ip("neighbour add 2001:db8::10 lladdr 02:00:00:00:00:99 dev pollux nud stale"));
        std::fs::write("/proc/sys/net/ipv6/conf/castor/forwarding", "1").unwrap();
        turn_until_done(&mut taken_over(ONCE, &["2001:db8::10"]));
        let begin = Wall::now();
        let known = || pollux.run(|| ip("neighbour show 2001:db8::10 dev pollux"));
        while !known().contains("router") {
            assert!(begin.elapsed().as_secs() < 5, "{}", known());
        }
    });
}

#[test]
fn a_turn_sends_no_more_than_its_budget() {
    between_hosts(|_| {
        let many: Vec<String> = (0..200).map(|n| format!("198.51.100.{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let mut announcer = taken_over(ONCE, &many);
        for (budget, sent) in [(10, 10), (64, 74), (1_000, 138)] {
            announcer.turn(clock::now(), budget).unwrap();
            assert_eq!(announcer.counts().sent, sent);
        }
        assert!(announcer.deadline().is_some_and(|at| at <= clock::now()), "the rest is due");
        announcer.stop(Slot(0));
        assert_eq!(announcer.deadline(), None);
    });
}

#[test]
fn a_full_queue_is_waited_for_and_then_given_up() {
    between_hosts(|_| {
        let mut announcer = taken_over(ONCE, &["192.0.2.10", "192.0.2.11"]);
        try_run("tc", "qdisc add dev castor root tbf rate 8bit burst 10 limit 10").unwrap();
        let start = clock::now();
        announcer.turn(start, 64).unwrap();
        let again = start.after(Interval::from_millis(5));
        assert_eq!(announcer.deadline(), Some(again));
        announcer.turn(again.before(Interval::from_nanos(1)), 64).unwrap();
        assert_eq!(announcer.counts(), AnnounceCounts::default());
        try_run("tc", "qdisc del dev castor root").unwrap();
        announcer.turn(again, 64).unwrap();
        assert_eq!(announcer.counts(), AnnounceCounts { sent: 2, failed: 0 });

        announcer.again(Slot(0), Announcement::LosingActive, again);
        try_run("tc", "qdisc add dev castor root tbf rate 8bit burst 10 limit 10").unwrap();
        let mut now = again;
        let mut errors = 0;
        while let Some(at) = announcer.deadline() {
            now = now.max(at);
            errors += u32::from(announcer.turn(now, 64).is_err());
        }
        assert_eq!(announcer.counts(), AnnounceCounts { sent: 2, failed: 2 });
        assert_eq!(errors, 2);
        assert_eq!(now, again.after(Interval::from_millis(2 * 20 * 5)));
    });
}

#[test]
fn a_refused_frame_is_told_and_skipped() {
    between_hosts(|_| {
        let mut announcer = taken_over(ONCE, &["192.0.2.10", "192.0.2.11"]);
        ip("link set castor down");
        let error = announcer.turn(clock::now(), 64).unwrap_err();
        assert_eq!(error.address, IpAddr::from([192, 0, 2, 10]));
        assert_eq!(announcer.counts(), AnnounceCounts { sent: 0, failed: 2 });
        assert_eq!(announcer.deadline(), None::<Instant>);
    });
}
