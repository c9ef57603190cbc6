//! Tests of the reconciler of routes and rules: a desired state and what stands in, requests and events out.

use std::{collections::BTreeMap, io, sync::Arc};

use rtnetlink::packet_route::{
    RouteNetlinkMessage,
    route::{RouteAttribute, RouteNextHopFlags},
};
use vrrp_common::time::{Instant, Interval};

use super::{
    message,
    plan::{Plan, Reconciler, Step},
};
use crate::{
    config::model::{Hop, MAIN_TABLE, Network, Placement, Preference, Route, RouteKind, Routing},
    datapath::Slot,
    netlink::{Desired, DesiredRouter, Event, LinkTable, RoutingNews},
};

const START: Instant = Instant::from_nanos(1_000_000_000_000);

/// A host that does what is asked, unless told to refuse; router 0 lists one route.
struct Host {
    reconciler: Reconciler,
    desired: Desired,
    present: Vec<RouteNetlinkMessage>,
    now: Instant,
    refuse: Option<i32>,
}

impl Host {
    fn new(held: bool) -> Self {
        let router = DesiredRouter {
            slot: Slot(0),
            held,
            acquisitions: 1,
            owner: false,
            interface: "eth0".to_owned(),
            virtual_mac: None,
            addresses: Arc::default(),
            routing: [Routing::Route(route())].into(),
        };
        let desired = Desired { generation: 1, keep: false, routers: vec![router] };
        Self { reconciler: Reconciler::default(), desired, present: Vec::new(), now: START, refuse: None }
    }

    fn turn(&mut self) -> Vec<&'static str> {
        let links = LinkTable::default();
        let Plan { removals, additions, mut events, .. } =
            self.reconciler.plan(&self.desired, &self.present, &links, self.now);
        let mut said = Vec::new();
        for (steps, word) in [(removals, "remove"), (additions, "add")] {
            for step in steps {
                said.push(word);
                events.extend(self.answer(&step, word));
            }
        }
        said.extend(events.iter().map(|event| match event {
            Event::Routing { news: RoutingNews::Placed, .. } => "placed",
            Event::Routing { news: RoutingNews::Restored, .. } => "restored",
            Event::Routing { news: RoutingNews::Refused(_), .. } => "refused",
            _ => "?",
        }));
        said
    }

    fn answer(&mut self, step: &Step, word: &str) -> Option<Event> {
        let result = match self.refuse {
            Some(code) => Err(step.refusal(io::Error::from_raw_os_error(code))),
            None if word == "add" => {
                self.present = vec![standing()];
                Ok(())
            }
            None => {
                self.present.clear();
                Ok(())
            }
        };
        self.reconciler.outcome(step, result, self.now)
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Interval::from_secs(seconds));
    }
}

fn route() -> Route {
    Route {
        destination: Network { address: "198.51.100.0".parse().unwrap(), length: 24 },
        kind: RouteKind::Unicast,
        gateway: Some("192.0.2.9".parse().unwrap()),
        device: None,
        source: None,
        metric: None,
        table: MAIN_TABLE,
        scope: 0,
        onlink: false,
        tos: 0,
        metrics: BTreeMap::new(),
        realms: None,
        preference: Preference::Medium,
        placement: Placement::First,
        hops: Vec::new(),
    }
}

/// The route as the kernel tells it.
fn standing() -> RouteNetlinkMessage {
    let request = message::request(&Routing::Route(route()), message::Verb::Add, &LinkTable::default());
    request.unwrap().0
}

#[test]
fn a_route_comes_and_goes_with_its_router() {
    let mut host = Host::new(true);
    assert_eq!(host.turn(), ["add", "placed"]);
    assert!(host.turn().is_empty());
    host.desired.routers[0].held = false;
    assert_eq!(host.turn(), ["remove"]);
    assert!(host.turn().is_empty());
}

#[test]
fn what_an_earlier_run_left_is_removed_or_adopted() {
    let mut host = Host::new(false);
    host.present = vec![standing()];
    assert_eq!(host.turn(), ["remove"]);
    let mut host = Host::new(true);
    host.present = vec![standing()];
    assert_eq!(host.turn(), ["placed"]);
}

#[test]
fn a_route_that_is_listed_no_more_is_removed() {
    let mut host = Host::new(true);
    host.turn();
    host.desired.routers[0].routing = Arc::default();
    assert_eq!(host.turn(), ["remove"]);
    assert_eq!(host.reconciler.entries().count(), 1, "until it is known to be gone");
    host.turn();
    assert_eq!(host.reconciler.entries().count(), 0);
}

/// Which way packets take is part of what a route is; what became of a way's link is not.
#[test]
fn several_ways_are_one_route() {
    let hop = |last: u8, weight| Hop {
        gateway: Some([192, 0, 2, last].into()),
        device: None,
        weight,
        onlink: false,
        realms: None,
    };
    let shared = |weight| Route { gateway: None, hops: vec![hop(8, 1), hop(9, weight)], ..route() };
    let links = LinkTable::default();
    let request = |route| message::request(&Routing::Route(route), message::Verb::Add, &links).unwrap().0;
    let mut found = request(shared(3));
    let RouteNetlinkMessage::NewRoute(message) = &mut found else { panic!("no route") };
    for attribute in &mut message.attributes {
        if let RouteAttribute::MultiPath(hops) = attribute {
            assert_eq!(hops.iter().map(|hop| hop.hops).collect::<Vec<_>>(), [0, 2], "counted from zero");
            hops[0].flags = RouteNextHopFlags::Linkdown;
        }
    }
    for (other, same) in [(shared(3), true), (shared(2), false), (route(), false)] {
        assert_eq!(message::is_same(&Routing::Route(other.clone()), &found, &links), same, "{other}");
    }
}

/// Ten times a minute, and again when the first of them is a minute old.
#[test]
fn somebody_who_removes_it_again_and_again_wins_for_a_while() {
    let mut host = Host::new(true);
    host.turn();
    for _ in 0..10 {
        host.present.clear();
        assert_eq!(host.turn(), ["add", "restored"]);
    }
    host.present.clear();
    assert_eq!(host.turn(), ["refused"]);
    assert!(host.turn().is_empty());
    host.wait(60);
    assert_eq!(host.turn(), ["add", "restored"]);
}

#[test]
fn a_refused_route_is_tried_again_and_told_once() {
    let mut host = Host::new(true);
    host.refuse = Some(libc::ENETUNREACH);
    assert_eq!(host.turn(), ["add", "refused"]);
    assert!(host.turn().is_empty());
    host.wait(1);
    assert_eq!(host.turn(), ["add"]);
    host.wait(1);
    host.refuse = None;
    assert_eq!(host.turn(), ["add", "placed"]);
}

/// The same entry of another program serves as well, and is its own to remove.
#[test]
fn anothers_route_is_not_ours() {
    let mut host = Host::new(true);
    host.refuse = Some(libc::EEXIST);
    assert_eq!(host.turn(), ["add", "placed"]);
    assert!(host.turn().is_empty());
    host.desired.routers[0].held = false;
    assert!(host.turn().is_empty());
}

/// It may have let go and taken everything again between two looks.
#[test]
fn a_router_that_took_over_again_is_told_again() {
    let mut host = Host::new(true);
    host.turn();
    host.desired.routers[0].acquisitions = 2;
    assert_eq!(host.turn(), ["placed"]);
}
