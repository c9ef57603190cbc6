//! Requests for routes and rules, and which of the kernel's entries is which of ours. What each of them says is in
//! `route` and `rule`.

mod route;
mod rule;

use rtnetlink::{
    packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL},
    packet_route::{
        AddressFamily, RouteNetlinkMessage,
        route::{RouteMessage, RouteProtocol, RouteRealm},
        rule::{RuleAttribute, RuleMessage},
    },
};
use vrrp_common::wire::Family;

use crate::{
    config::model::{Placement, Realms, Routing},
    netlink::{LinkTable, Refusal},
};

/// What we set carries the mark that keepalived's has: the tools of a host know it by that.
const OURS: RouteProtocol = RouteProtocol::KeepAlived;

/// What to do with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::netlink) enum Verb {
    Add,
    Remove,
}

/// The request and its flags.
///
/// A route is added although another program may have one to the same network: it stands before that one unless it
/// says otherwise, as keepalived's does.
pub(super) fn request(
    entry: &Routing,
    verb: Verb,
    links: &LinkTable,
) -> Result<(RouteNetlinkMessage, u16), Refusal> {
    Ok(match (entry, verb) {
        (Routing::Route(route), Verb::Add) => {
            (RouteNetlinkMessage::NewRoute(route::message(route, links)?), placement(route.placement))
        }
        (Routing::Route(route), Verb::Remove) => {
            (RouteNetlinkMessage::DelRoute(route::message(route, links)?), 0)
        }
        (Routing::Rule(rule), Verb::Add) => {
            (RouteNetlinkMessage::NewRule(rule::message(rule)), NLM_F_CREATE | NLM_F_EXCL)
        }
        (Routing::Rule(rule), Verb::Remove) => (RouteNetlinkMessage::DelRule(rule::message(rule)), 0),
    })
}

/// The questions for all that carries our mark in a family; the kernel may answer with more.
pub(super) fn questions(family: Family) -> [RouteNetlinkMessage; 2] {
    let mut routes = RouteMessage::default();
    routes.header.address_family = number_of(family);
    routes.header.protocol = OURS;
    let mut rules = RuleMessage::default();
    rules.header.family = number_of(family);
    [RouteNetlinkMessage::GetRoute(routes), RouteNetlinkMessage::GetRule(rules)]
}

/// Whether a message is about something that carries our mark.
pub(super) fn is_ours(message: &RouteNetlinkMessage) -> bool {
    match message {
        RouteNetlinkMessage::NewRoute(route) | RouteNetlinkMessage::DelRoute(route) => {
            route.header.protocol == OURS
        }
        RouteNetlinkMessage::NewRule(rule) | RouteNetlinkMessage::DelRule(rule) => {
            rule.attributes.contains(&RuleAttribute::Protocol(OURS))
        }
        _ => false,
    }
}

/// Whether `message` is this entry as the kernel has it.
pub(super) fn is_same(entry: &Routing, message: &RouteNetlinkMessage, links: &LinkTable) -> bool {
    match (entry, message) {
        (Routing::Route(route), RouteNetlinkMessage::NewRoute(found)) => route::is_same(route, found, links),
        (Routing::Rule(rule), RouteNetlinkMessage::NewRule(found)) => rule::is_same(rule, found),
        _ => false,
    }
}

fn placement(placement: Placement) -> u16 {
    match placement {
        Placement::First => NLM_F_CREATE,
        Placement::Last => NLM_F_CREATE | NLM_F_APPEND,
        Placement::Alone => NLM_F_CREATE | NLM_F_EXCL,
    }
}

fn realm(Realms { source, destination }: Realms) -> RouteRealm {
    RouteRealm { source, destination }
}

/// Tables above 255 are told by an attribute only.
fn short(table: u32) -> u8 {
    u8::try_from(table).unwrap_or(0)
}

fn number_of(family: Family) -> AddressFamily {
    match family {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    }
}
