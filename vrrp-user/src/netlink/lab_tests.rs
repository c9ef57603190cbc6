//! The address thread against a real kernel, in a network namespace that the test makes.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant as Wall},
};

use tokio::{
    runtime,
    sync::{mpsc, watch},
    time::timeout,
};

use super::*;
use crate::{
    config::model::VirtualAddress,
    datapath::Slot,
    testing::{in_namespace, ip, say},
    undo::Undo,
};

/// The thread under test, and the node's ends of its channels.
struct Node {
    desired: watch::Sender<Arc<Desired>>,
    events: mpsc::Receiver<Event>,
    handle: Handle,
    runtime: runtime::Runtime,
}

impl Node {
    fn start(router: DesiredRouter) -> Self {
        let desired = Arc::new(Desired { generation: 1, keep: false, routers: vec![router] });
        let (desired, receiver) = watch::channel(desired);
        let (sender, events) = mpsc::channel(16);
        let handle = spawn(receiver, sender, Arc::default(), Undo::default()).unwrap();
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { desired, events, handle, runtime }
    }

    fn set(&self, generation: u64, change: impl FnOnce(&mut DesiredRouter)) {
        self.desired.send_modify(|desired| {
            let mut next = Desired::clone(desired);
            next.generation = generation;
            change(&mut next.routers[0]);
            *desired = Arc::new(next);
        });
    }

    fn next(&mut self) -> Event {
        let next = async { timeout(Duration::from_secs(10), self.events.recv()).await };
        self.runtime.block_on(next).expect("no event for ten seconds").expect("the thread ended")
    }

    /// Collects events until all of the generation is done.
    fn settle(&mut self, generation: u64) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            match self.next() {
                Event::Settled { generation: settled } if settled == generation => return events,
                event => events.push(event),
            }
        }
    }

    fn wait_for(&mut self, what: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next();
            if what(&event) {
                return event;
            }
        }
    }

    fn stop(self) {
        drop(self.desired);
        self.handle.join().unwrap();
    }
}

fn virtual_address(text: &str) -> VirtualAddress {
    let (address, prefix) = text.split_once('/').unwrap();
    VirtualAddress {
        address: address.parse().unwrap(),
        prefix: prefix.parse().unwrap(),
        broadcast: None,
        device: None,
        scope: 0,
        label: None,
        detect_duplicates: false,
    }
}

fn router(held: bool, addresses: impl IntoIterator<Item = VirtualAddress>) -> DesiredRouter {
    DesiredRouter {
        slot: Slot(4),
        held,
        acquisitions: 0,
        owner: false,
        interface: "castor".to_owned(),
        virtual_mac: None,
        addresses: addresses.into_iter().collect(),
        routing: Arc::default(),
    }
}

fn confirmed(events: &[Event]) -> usize {
    events
        .iter()
        .map(|event| match event {
            Event::Confirmed { slot: Slot(4), addresses } => addresses.len(),
            _ => 0,
        })
        .sum()
}

fn on_castor(text: &str) -> bool {
    ip("-o address show dev castor").contains(text)
}

#[test]
fn a_node_that_vanishes_leaves_nothing_that_it_added() {
    in_namespace(|| {
        for owner in [false, true] {
            let mut node =
                Node::start(DesiredRouter { owner, ..router(true, [virtual_address("192.0.2.10/24")]) });
            node.settle(1);
            assert!(on_castor("192.0.2.10/24"));
            node.stop();
            assert!(!on_castor("192.0.2.10/24"), "owner: {owner}");
        }
    });
}

#[test]
fn addresses_are_put_on_the_host_as_asked_and_taken_off_again() {
    in_namespace(|| {
        let plain = virtual_address("192.0.2.10/24");
        let addresses = [
            VirtualAddress {
                broadcast: Some("192.0.2.255".parse().unwrap()),
                label: Some("castor:vip".to_owned()),
                ..plain
            },
            VirtualAddress { scope: 253, ..virtual_address("198.51.100.10/32") },
            virtual_address("2001:db8::10/64"),
            virtual_address("2001:db8::11/128"),
            VirtualAddress { device: Some("pollux".to_owned()), ..virtual_address("203.0.113.10/32") },
        ];
        let mut node = Node::start(router(true, addresses));
        assert!(matches!(node.next(), Event::Links(links) if links.by_name("castor").is_some()));
        assert_eq!(confirmed(&node.settle(1)), 5);
        for (device, expected) in [
            ("castor", "inet 192.0.2.10/24 brd 192.0.2.255 scope global castor:vip"),
            ("castor", "inet 198.51.100.10/32 scope link castor"),
            ("castor", "inet6 2001:db8::10/64 scope global nodad"),
            ("castor", "inet6 2001:db8::11/128 scope global nodad deprecated"),
            ("pollux", "inet 203.0.113.10/32 scope global pollux"),
        ] {
            let shown = ip(&format!("-o address show dev {device}"));
            let words: Vec<&str> = shown.split_whitespace().collect();
            assert!(words.join(" ").contains(expected), "{expected} is not in\n{shown}");
        }
        node.set(2, |router| router.held = false);
        node.settle(2);
        let left = ip("-o address show dev castor") + &ip("-o address show dev pollux");
        for address in ["192.0.2.10", "198.51.100.10", "2001:db8", "203.0.113.10"] {
            assert!(!left.contains(address), "{left}");
        }
        node.stop();
    });
}

#[test]
fn five_hundred_addresses_come_and_go_in_batches() {
    in_namespace(|| {
        let many = (0..500).map(|n| virtual_address(&format!("198.51.{}.{}/32", 100 + n / 250, n % 250)));
        let mut node = Node::start(router(false, many));
        node.settle(1);
        let start = Wall::now();
        node.set(2, |router| router.held = true);
        assert_eq!(confirmed(&node.settle(2)), 500);
        let added = start.elapsed();
        assert_eq!(ip("-o -4 address show dev castor").lines().count(), 500);
        let start = Wall::now();
        node.set(3, |router| router.held = false);
        node.settle(3);
        let removed = start.elapsed();
        assert_eq!(ip("-o -4 address show dev castor").lines().count(), 0);
        say(&format!("500 addresses: added in {added:?}, removed in {removed:?}"));
        node.stop();
    });
}

#[test]
fn an_address_that_another_program_deletes_is_put_back() {
    in_namespace(|| {
        for address in ["192.0.2.10/32", "2001:db8::10/128"] {
            let mut node = Node::start(router(true, [virtual_address(address)]));
            node.settle(1);
            ip(&format!("address del {address} dev castor"));
            node.wait_for(|event| matches!(event, Event::Restored { slot: Slot(4), index: 0 }));
            node.wait_for(|event| matches!(event, Event::Confirmed { .. }));
            assert!(on_castor(address));
            node.stop();
        }
    });
}

#[test]
fn leftovers_go_and_an_owners_addresses_stay() {
    in_namespace(|| {
        for (owner, left) in [(true, true), (false, false)] {
            ip("address replace 192.0.2.10/24 dev castor");
            let mut node =
                Node::start(DesiredRouter { owner, ..router(false, [virtual_address("192.0.2.10/24")]) });
            node.settle(1);
            assert_eq!(on_castor("192.0.2.10/24"), left, "owner: {owner}");
            node.stop();
        }
    });
}

#[test]
fn removing_the_first_address_of_a_subnet_leaves_the_others() {
    in_namespace(|| {
        let mut node = Node::start(router(true, [virtual_address("192.0.2.10/24")]));
        node.settle(1);
        ip("address add 192.0.2.20/24 dev castor");
        node.wait_for(|event| match event {
            Event::Links(links) => {
                links.by_name("castor").unwrap().addresses.iter().any(LinkAddress::is_secondary)
            }
            _ => false,
        });
        node.set(2, |router| router.held = false);
        node.settle(2);
        assert!(!on_castor("192.0.2.10/24"));
        assert!(on_castor("192.0.2.20/24"), "the host's own address went with the virtual one");
        let switch = "/proc/sys/net/ipv4/conf/castor/promote_secondaries";
        assert_eq!(std::fs::read_to_string(switch).unwrap(), "0\n", "the switch is as it was");
        node.stop();
    });
}

#[test]
fn links_are_told_as_they_change() {
    in_namespace(|| {
        let mut node = Node::start(router(
            true,
            [VirtualAddress { device: Some("late".to_owned()), ..virtual_address("192.0.2.10/32") }],
        ));
        let events = node.settle(1);
        assert!(events.iter().any(|event| matches!(
            event,
            Event::Refused { slot: Slot(4), index: 0, error: Refusal::NoInterface(name) } if name == "late"
        )));
        ip("link add late type veth peer name later");
        node.wait_for(|event| matches!(event, Event::Confirmed { slot: Slot(4), .. }));
        let is_up = |event: &Event, up: bool| match event {
            Event::Links(links) => links.by_name("castor").is_some_and(|link| link.up == up),
            _ => false,
        };
        ip("link set pollux down");
        node.wait_for(|event| is_up(event, false));
        ip("link set pollux up");
        node.wait_for(|event| is_up(event, true));
        ip("link del late");
        node.wait_for(|event| matches!(event, Event::Refused { error: Refusal::NoInterface(_), .. }));
        node.stop();
    });
}

/// Whether a netlink socket of this namespace with multicast groups has lost messages (the last but one column
/// of /proc/net/netlink).
fn lost_notifications() -> bool {
    let table = std::fs::read_to_string("/proc/thread-self/net/netlink").unwrap();
    table.lines().skip(1).any(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns[3] != "00000000" && columns[8] != "0"
    })
}

#[test]
fn lost_notifications_are_made_up_for() {
    in_namespace(|| {
        let desired = Desired {
            generation: 1,
            keep: false,
            routers: vec![router(true, [virtual_address("192.0.2.10/32")])],
        };
        let (_keep, receiver) = watch::channel(Arc::new(desired));
        let (sender, mut events) = mpsc::channel(16);
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let kernel = runtime.block_on(async { kernel::Kernel::connect(4096).unwrap() });
        let mut thread =
            pin!(thread::Thread::new(kernel, receiver, sender, Arc::default(), Undo::default()).run());
        // The thread runs only in here.
        let mut run_until = |found: fn(&Event) -> bool| {
            let run = async {
                loop {
                    tokio::select! {
                        ended = &mut thread => panic!("{ended:?}"),
                        event = events.recv() => if event.is_some_and(|event| found(&event)) { return },
                    }
                }
            };
            runtime.block_on(async { timeout(Duration::from_secs(10), run).await }).unwrap();
        };
        run_until(|event| matches!(event, Event::Settled { .. }));
        let script = tempfile::NamedTempFile::new().unwrap();
        let flood = "link set pollux alias one\nlink set pollux alias two\n".repeat(20);
        std::fs::write(&script, flood + "address del 192.0.2.10/32 dev castor\n").unwrap();
        ip(&format!("-batch {}", script.path().display()));
        assert!(lost_notifications(), "the flood was too small to lose a notification");
        run_until(|event| matches!(event, Event::Restored { .. }));
        assert!(on_castor("192.0.2.10/32"));
    });
}

#[test]
fn missing_rights_are_told_at_the_start() {
    in_namespace(|| {
        caps::drop(None, caps::CapSet::Effective, caps::Capability::CAP_NET_ADMIN).unwrap();
        let (_desired, receiver) = watch::channel(Arc::default());
        let error = spawn(receiver, mpsc::channel(1).0, Arc::default(), Undo::default()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("needs CAP_NET_ADMIN; run as root or grant it"), "{error}");
    });
}

#[test]
fn the_thread_ends_with_the_node() {
    in_namespace(|| {
        let mut node = Node::start(router(false, []));
        node.settle(1);
        drop(node.events);
        node.desired.send_modify(|_| ());
        drop(node.desired);
        node.handle.join().unwrap();
    });
}
