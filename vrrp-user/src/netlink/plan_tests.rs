//! Tests of the reconciler: a table of links and a desired state in, requests and events out.

use std::{io, sync::Arc};

use rtnetlink::packet_route::{RouteNetlinkMessage, address::AddressFlags, link::LinkFlags};
use vrrp_common::time::{Instant, Interval};

use super::{
    LinkTable,
    desired::{Desired, DesiredRouter, Event},
    kernel::consequence,
    links::tests::{address, link, up},
    plan::{Action, Plan, Reconciler},
};
use crate::{config::model::VirtualAddress, datapath::Slot};

const START: Instant = Instant::from_nanos(1_000_000_000_000);

/// A host with one interface that does what the plan says, unless told to refuse.
struct Host {
    reconciler: Reconciler,
    links: LinkTable,
    desired: Desired,
    now: Instant,
    refuse: Option<i32>,
}

impl Host {
    /// eth0 is up with 192.0.2.1/24; router 0 does not hold `addresses`.
    fn new(addresses: &[&str]) -> Self {
        let mut links = LinkTable::default();
        links.apply(&link(2, "eth0", up()));
        let mut host = Self {
            reconciler: Reconciler::default(),
            links,
            desired: Desired { generation: 1, keep: false, routers: vec![router(0, addresses)] },
            now: START,
            refuse: None,
        };
        host.put("192.0.2.1", 24, AddressFlags::Permanent);
        host
    }

    fn hold(mut self, held: bool) -> Self {
        self.desired.routers[0].held = held;
        self
    }

    fn put(&mut self, text: &str, prefix: u8, flags: AddressFlags) {
        self.links.apply(&RouteNetlinkMessage::NewAddress(address(2, text, prefix, flags)));
    }

    fn take(&mut self, text: &str, prefix: u8) {
        let message = address(2, text, prefix, AddressFlags::Permanent);
        self.links.apply(&RouteNetlinkMessage::DelAddress(message));
    }

    fn plan(&mut self) -> Plan {
        self.reconciler.plan(&self.desired, &self.links, self.now)
    }

    /// One round; returns what was asked of the kernel and what was told.
    fn turn(&mut self) -> Vec<String> {
        let plan = self.plan();
        let mut said: Vec<String> = plan.operations.iter().map(describe_operation).collect();
        let mut events = plan.events;
        for operation in &plan.operations {
            let result = self.refuse.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(code)));
            if self.reconciler.outcome(operation, result, self.now, &mut events) {
                self.links.apply(&consequence(operation));
            }
        }
        said.extend(events.iter().map(describe_event));
        said
    }

    fn wait(&mut self, span: Interval) {
        self.now = self.now.after(span);
    }
}

fn router(slot: u32, addresses: &[&str]) -> DesiredRouter {
    let addresses: Vec<VirtualAddress> = addresses.iter().map(|text| virtual_address(text)).collect();
    DesiredRouter {
        slot: Slot(slot),
        held: false,
        acquisitions: 0,
        owner: false,
        interface: "eth0".to_owned(),
        virtual_mac: None,
        addresses: addresses.into(),
        routing: Arc::default(),
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

fn describe_operation(operation: &super::plan::Operation) -> String {
    let place = &operation.place;
    let address = format!("{}/{} dev {}", place.address, place.prefix, operation.ifindex);
    match operation.action {
        Action::Add { restore: false, .. } => format!("add {address}"),
        Action::Add { restore: true, .. } => format!("add back {address}"),
        Action::Remove { promote: false, .. } => format!("remove {address}"),
        Action::Remove { promote: true, .. } => format!("promote others, remove {address}"),
    }
}

fn describe_event(event: &Event) -> String {
    match event {
        Event::Links(_) => "links".to_owned(),
        Event::Confirmed { slot, addresses } => format!("confirmed {}: {addresses:?}", slot.0),
        Event::Refused { slot, index, error } => format!("refused {}.{index}: {error}", slot.0),
        Event::Restored { slot, index } => format!("restored {}.{index}", slot.0),
        Event::Routing { .. } => "routing".to_owned(),
        Event::Settled { generation } => format!("settled {generation}"),
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn held_addresses_are_added_once_and_confirmed() {
    let mut host = Host::new(&["192.0.2.10/32", "2001:db8::10/128"]).hold(true);
    assert_eq!(
        host.turn(),
        ["add 192.0.2.10/32 dev 2", "add 2001:db8::10/128 dev 2", "confirmed 0: [(0, 2), (1, 2)]"]
    );
    assert_eq!(host.turn(), NOTHING);
}

#[test]
fn released_addresses_are_removed_once() {
    let mut host = Host::new(&["192.0.2.10/32"]).hold(true);
    host.turn();
    let mut host = host.hold(false);
    assert_eq!(host.turn(), ["remove 192.0.2.10/32 dev 2"]);
    assert_eq!(host.turn(), NOTHING);
}

#[test]
fn leftovers_are_removed_at_first_sight_and_what_others_add_later_is_not() {
    let mut host = Host::new(&["192.0.2.10/32"]);
    host.put("192.0.2.10", 32, AddressFlags::Permanent);
    assert_eq!(host.turn(), ["remove 192.0.2.10/32 dev 2"]);
    host.put("192.0.2.10", 32, AddressFlags::Permanent);
    assert_eq!(host.turn(), NOTHING);
}

#[test]
fn the_same_address_with_another_prefix_is_the_hosts_own() {
    let mut host = Host::new(&["192.0.2.1/32"]);
    assert_eq!(host.turn(), NOTHING);
    let mut host = host.hold(true);
    assert_eq!(host.turn(), ["add 192.0.2.1/32 dev 2", "confirmed 0: [(0, 2)]"]);
}

#[test]
fn an_owners_addresses_stay() {
    let mut host = Host::new(&["192.0.2.1/24"]);
    host.desired.routers[0].owner = true;
    assert_eq!(host.turn(), NOTHING);
    let mut host = host.hold(true);
    assert_eq!(host.turn(), ["confirmed 0: [(0, 2)]"]);
    let mut host = host.hold(false);
    assert_eq!(host.turn(), NOTHING);
    host.desired.routers.clear();
    assert_eq!(host.turn(), NOTHING);
    assert!(host.links.by_index(2).unwrap().find("192.0.2.1".parse().unwrap(), 24).is_some());
}

/// Priority 255 is often written where "highest" is meant: what we added must go when the peer takes over.
#[test]
fn what_was_added_for_an_owner_is_removed() {
    let mut host = Host::new(&["192.0.2.10/24"]).hold(true);
    host.desired.routers[0].owner = true;
    assert_eq!(host.turn(), ["add 192.0.2.10/24 dev 2", "confirmed 0: [(0, 2)]"]);
    let mut host = host.hold(false);
    assert_eq!(host.turn(), ["remove 192.0.2.10/24 dev 2"]);
    assert_eq!(host.turn(), NOTHING);
}

#[test]
fn an_owners_own_address_stays_even_if_it_had_to_be_put_back() {
    let mut host = Host::new(&["192.0.2.1/24"]).hold(true);
    host.desired.routers[0].owner = true;
    host.turn();
    host.take("192.0.2.1", 24);
    assert_eq!(host.turn(), ["add back 192.0.2.1/24 dev 2", "restored 0.0", "confirmed 0: [(0, 2)]"]);
    let mut host = host.hold(false);
    assert_eq!(host.turn(), NOTHING);
}

#[test]
fn an_owners_address_stays_when_another_router_lists_it_too() {
    let mut host = Host::new(&["192.0.2.1/24"]);
    host.desired.routers.push(DesiredRouter { owner: true, ..router(1, &["192.0.2.1/24"]) });
    assert_eq!(host.turn(), NOTHING);
}

#[test]
fn a_held_address_that_disappears_is_put_back_at_most_ten_times_a_minute() {
    let mut host = Host::new(&["192.0.2.10/32"]).hold(true);
    host.turn();
    for _ in 0..10 {
        host.take("192.0.2.10", 32);
        assert_eq!(host.turn(), ["add back 192.0.2.10/32 dev 2", "restored 0.0", "confirmed 0: [(0, 2)]"]);
        host.wait(Interval::from_secs(1));
    }
    host.take("192.0.2.10", 32);
    assert_eq!(
        host.turn(),
        [
            "refused 0.0: another program removed 192.0.2.10/32 from eth0 more than 10 times in a minute; it is \
          put back when the minute is over: find that program and let it leave the address alone"
        ]
    );
    let plan = host.plan();
    assert_eq!(plan.wake, Some(START.after(Interval::from_secs(60))));
    assert!(plan.operations.is_empty() && plan.events.is_empty(), "told once");
    host.wait(Interval::from_secs(50));
    assert_eq!(host.turn(), ["add back 192.0.2.10/32 dev 2", "restored 0.0", "confirmed 0: [(0, 2)]"]);
}

#[test]
fn what_a_disabled_interface_loses_nobody_took() {
    let mut host = Host::new(&["2001:db8::10/128"]).hold(true);
    host.turn();
    host.take("2001:db8::10", 128);
    host.links.apply(&link(2, "eth0", LinkFlags::empty()));
    assert_eq!(host.turn(), ["add 2001:db8::10/128 dev 2", "confirmed 0: [(0, 2)]"]);
}

#[test]
fn a_refusal_is_told_once_and_tried_again_after_a_second() {
    let mut host = Host::new(&["2001:db8::10/64"]).hold(true);
    host.refuse = Some(libc::EACCES);
    let told = "refused 0.0: the kernel refused adding 2001:db8::10/64 on eth0: Permission denied (os error 13); \
                IPv6 may be disabled there (net.ipv6.conf.*.disable_ipv6)";
    assert_eq!(host.turn(), ["add 2001:db8::10/64 dev 2", told]);
    assert_eq!(host.turn(), NOTHING);
    assert_eq!(host.plan().wake, Some(START.after(Interval::from_secs(1))));
    host.wait(Interval::from_secs(1));
    assert_eq!(host.turn(), ["add 2001:db8::10/64 dev 2"]);
    host.wait(Interval::from_secs(1));
    host.refuse = None;
    assert_eq!(host.turn(), ["add 2001:db8::10/64 dev 2", "confirmed 0: [(0, 2)]"]);
}

#[test]
fn a_refusal_is_told_again_when_the_addresses_are_to_be_held_again() {
    let mut host = Host::new(&["192.0.2.10/32"]).hold(true);
    host.refuse = Some(libc::EPERM);
    let told = "refused 0.0: the kernel refused adding 192.0.2.10/32 on eth0: Operation not permitted (os error \
                1); run as root or with CAP_NET_ADMIN";
    assert_eq!(host.turn(), ["add 192.0.2.10/32 dev 2", told]);
    let mut host = host.hold(false);
    assert_eq!(host.turn(), NOTHING);
    let mut host = host.hold(true);
    assert_eq!(host.turn(), ["add 192.0.2.10/32 dev 2", told], "and tried at once");
}

#[test]
fn a_removal_that_is_refused_is_told_once_and_tried_until_it_is_done() {
    let mut host = Host::new(&["192.0.2.10/32"]).hold(true);
    host.turn();
    let mut host = host.hold(false);
    host.refuse = Some(libc::EPERM);
    let told = "refused 0.0: the kernel refused removing 192.0.2.10/32 on eth0: Operation not permitted (os error \
                1); run as root or with CAP_NET_ADMIN";
    assert_eq!(host.turn(), ["remove 192.0.2.10/32 dev 2", told]);
    assert_eq!(host.turn(), NOTHING);
    host.wait(Interval::from_secs(1));
    assert_eq!(host.turn(), ["remove 192.0.2.10/32 dev 2"]);
    host.wait(Interval::from_secs(1));
    host.refuse = None;
    assert_eq!(host.turn(), ["remove 192.0.2.10/32 dev 2"]);
    assert_eq!(host.turn(), NOTHING);
}

#[test]
fn what_the_kernel_calls_done_already_is_done() {
    let mut host = Host::new(&["192.0.2.10/32"]).hold(true);
    host.refuse = Some(libc::EEXIST);
    assert_eq!(host.turn(), ["add 192.0.2.10/32 dev 2", "confirmed 0: [(0, 2)]"]);
    let mut host = host.hold(false);
    for gone in [libc::EADDRNOTAVAIL, libc::ENODEV] {
        host.refuse = Some(gone);
        assert_eq!(host.turn(), ["remove 192.0.2.10/32 dev 2"]);
        assert_eq!(host.turn(), NOTHING);
        host.desired.routers[0].held = true;
        host.refuse = None;
        host.turn();
        host.desired.routers[0].held = false;
    }
}

#[test]
fn an_interface_that_appears_later_is_used_and_cleaned() {
    let mut host = Host::new(&["192.0.2.10/32"]).hold(true);
    host.links = LinkTable::default();
    let told = "refused 0.0: there is no interface eth0; it will be used when it appears";
    assert_eq!(host.turn(), [told]);
    assert_eq!(host.turn(), NOTHING);
    host.links.apply(&link(7, "eth0", up()));
    assert_eq!(host.turn(), ["add 192.0.2.10/32 dev 7", "confirmed 0: [(0, 7)]"]);

    let mut host = host.hold(false);
    host.turn();
    let mut links = LinkTable::default();
    links.apply(&link(8, "eth0", up()));
    links.apply(&RouteNetlinkMessage::NewAddress(address(8, "192.0.2.10", 32, AddressFlags::Permanent)));
    host.links = links;
    assert_eq!(host.turn(), ["remove 192.0.2.10/32 dev 8"]);
}

#[test]
fn an_interface_that_is_renamed_does_not_take_the_address_along() {
    for held in [true, false] {
        let mut host = Host::new(&["192.0.2.10/32"]).hold(true);
        host.turn();
        host.links.apply(&link(2, "eth9", up()));
        let mut host = host.hold(held);
        assert_eq!(host.turn(), ["remove 192.0.2.10/32 dev 2"], "held: {held}");
    }
}

#[test]
fn addresses_of_a_router_that_is_gone_are_removed() {
    let mut host = Host::new(&["192.0.2.10/32"]).hold(true);
    host.turn();
    host.desired.routers.clear();
    assert_eq!(host.turn(), ["remove 192.0.2.10/32 dev 2"]);
    assert_eq!(host.turn(), NOTHING);
}

#[test]
fn an_address_that_moves_between_routers_is_not_touched() {
    let mut host = Host::new(&["192.0.2.10/32"]).hold(true);
    host.turn();
    host.desired.routers =
        vec![DesiredRouter { held: true, ..router(1, &["192.0.2.10/32"]) }, router(0, &["192.0.2.10/32"])];
    assert_eq!(host.turn(), ["confirmed 1: [(0, 2)]"]);
    assert_eq!(host.turn(), NOTHING);
}

/// The thread may be busy while a router lets go and takes over again, and see the second state only.
#[test]
fn a_router_that_took_its_addresses_again_is_told_again() {
    let mut host = Host::new(&["192.0.2.100/24"]).hold(true);
    host.turn();
    host.desired.routers[0].acquisitions += 1;
    assert_eq!(host.turn(), ["confirmed 0: [(0, 2)]"]);
    assert_eq!(host.turn(), NOTHING);
}

#[test]
fn every_router_that_holds_an_address_is_told() {
    let mut host = Host::new(&["192.0.2.100/24"]).hold(true);
    host.desired.routers.push(DesiredRouter { held: true, ..router(1, &["192.0.2.100/24"]) });
    let told = |turn: Vec<String>| turn.join("; ");
    assert_eq!(told(host.turn()), "add 192.0.2.100/24 dev 2; confirmed 0: [(0, 2)]");
    assert_eq!(told(host.turn()), "confirmed 1: [(0, 2)]");
    assert_eq!(told(host.turn()), "");
    host.desired.routers[0].held = false;
    assert_eq!(told(host.turn()), "");
    host.desired.routers[0].held = true;
    assert_eq!(told(host.turn()), "confirmed 0: [(0, 2)]");
}

#[test]
fn others_of_the_subnet_are_kept_when_the_first_address_goes() {
    let secondary = AddressFlags::Permanent | AddressFlags::Secondary;
    for (prefix, other_prefix, expected) in [
        (25, 25, "promote others, remove 192.0.2.10/25 dev 2"),
        (25, 24, "remove 192.0.2.10/25 dev 2"),
        (32, 32, "remove 192.0.2.10/32 dev 2"),
    ] {
        let mut host = Host::new(&[&format!("192.0.2.10/{prefix}")]).hold(true);
        host.turn();
        host.put("192.0.2.20", other_prefix, secondary);
        let mut host = host.hold(false);
        assert_eq!(host.turn(), [expected]);
    }
}

#[test]
fn a_round_is_bounded_and_lets_go_first() {
    let many: Vec<String> = (0..300).map(|n| format!("198.51.{}.{}/32", 100 + n / 250, n % 250)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut host = Host::new(&["192.0.2.10/32"]).hold(true);
    host.turn();
    let held = DesiredRouter { held: true, ..router(1, &many) };
    host.desired.routers.push(held);
    host.turn();
    host.desired.routers[0].held = false;
    let plan = host.plan();
    assert_eq!(plan.operations.len(), 128);
    assert_eq!(describe_operation(&plan.operations[0]), "remove 192.0.2.10/32 dev 2");
    assert_eq!(describe_operation(&plan.operations[1]), "add 198.51.100.128/32 dev 2");
}

#[test]
fn an_address_goes_to_the_device_that_it_names() {
    let mut host = Host::new(&["192.0.2.10/32"]).hold(true);
    host.links.apply(&link(5, "dummy0", up()));
    let spec = VirtualAddress { device: Some("dummy0".to_owned()), ..virtual_address("192.0.2.10/32") };
    host.desired.routers[0].addresses = Arc::new([spec]);
    assert_eq!(host.turn(), ["add 192.0.2.10/32 dev 5", "confirmed 0: [(0, 5)]"]);
}
