//! Routes and rules in netlink's words, and which of the kernel's entry is which of ours.

use std::net::IpAddr;

use rtnetlink::{
    packet_core::{NLM_F_CREATE, NLM_F_EXCL},
    packet_route::{
        AddressFamily, RouteNetlinkMessage,
        route::{
            RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteNextHop, RouteNextHopFlags,
            RouteProtocol, RouteType,
        },
        rule::{RuleAction, RuleAttribute, RuleMessage},
    },
};
use vrrp_common::wire::Family;

use crate::{
    config::model::{Hop, Network, Route, RouteKind, Routing, Rule},
    netlink::{LinkTable, Refusal},
};

/// What we set carries the mark that keepalived's has: the tools of a host know it by that.
const OURS: RouteProtocol = RouteProtocol::KeepAlived;

/// The kernel's metric of an IPv6 route that was given none.
const DEFAULT_METRIC_V6: u32 = 1024;

/// What to do with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::netlink) enum Verb {
    Add,
    Remove,
}

/// The request and its flags.
///
/// A route is added although another program may have one to the same network: it stands before that one, as
/// keepalived's does.
pub(super) fn request(
    entry: &Routing,
    verb: Verb,
    links: &LinkTable,
) -> Result<(RouteNetlinkMessage, u16), Refusal> {
    Ok(match (entry, verb) {
        (Routing::Route(route), Verb::Add) => {
            (RouteNetlinkMessage::NewRoute(route_message(route, links)?), NLM_F_CREATE)
        }
        (Routing::Route(route), Verb::Remove) => {
            (RouteNetlinkMessage::DelRoute(route_message(route, links)?), 0)
        }
        (Routing::Rule(rule), Verb::Add) => {
            (RouteNetlinkMessage::NewRule(rule_message(rule)), NLM_F_CREATE | NLM_F_EXCL)
        }
        (Routing::Rule(rule), Verb::Remove) => (RouteNetlinkMessage::DelRule(rule_message(rule)), 0),
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
        (Routing::Route(route), RouteNetlinkMessage::NewRoute(found)) => is_same_route(route, found, links),
        (Routing::Rule(rule), RouteNetlinkMessage::NewRule(found)) => is_same_rule(rule, found),
        _ => false,
    }
}

fn route_message(route: &Route, links: &LinkTable) -> Result<RouteMessage, Refusal> {
    let mut message = RouteMessage::default();
    let header = &mut message.header;
    header.address_family = number_of(route.destination.family());
    header.destination_prefix_length = route.destination.length;
    header.table = short(route.table);
    header.protocol = OURS;
    header.scope = route.scope.into();
    header.kind = kind(route.kind);
    if route.onlink {
        header.flags = RouteFlags::Onlink;
    }
    let attributes = &mut message.attributes;
    attributes.push(RouteAttribute::Table(route.table));
    if route.destination.length > 0 {
        attributes.push(RouteAttribute::Destination(route.destination.address.into()));
    }
    attributes.extend(route.gateway.map(|gateway| RouteAttribute::Gateway(gateway.into())));
    attributes.extend(route.source.map(|source| RouteAttribute::PrefSource(source.into())));
    attributes.extend(route.metric.map(RouteAttribute::Priority));
    if let Some(device) = &route.device {
        attributes.push(RouteAttribute::Oif(present(device, links)?));
    }
    if !route.hops.is_empty() {
        let hops = route.hops.iter().map(|hop| next_hop(hop, links));
        attributes.push(RouteAttribute::MultiPath(hops.collect::<Result<_, _>>()?));
    }
    Ok(message)
}

fn ifindex(name: &str, links: &LinkTable) -> Option<u32> {
    links.by_name(name).map(|link| link.ifindex)
}

fn present(name: &str, links: &LinkTable) -> Result<u32, Refusal> {
    ifindex(name, links).ok_or_else(|| Refusal::NoInterface(name.to_owned()))
}

fn next_hop(hop: &Hop, links: &LinkTable) -> Result<RouteNextHop, Refusal> {
    let mut next = RouteNextHop::default();
    if hop.onlink {
        next.flags = RouteNextHopFlags::Onlink;
    }
    next.hops = share(hop);
    if let Some(device) = &hop.device {
        next.interface_index = present(device, links)?;
    }
    next.attributes.extend(hop.gateway.map(|gateway| RouteAttribute::Gateway(gateway.into())));
    Ok(next)
}

/// The kernel counts from zero.
fn share(hop: &Hop) -> u8 {
    u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX)
}

fn is_same_route(route: &Route, found: &RouteMessage, links: &LinkTable) -> bool {
    let read = Found::of(found);
    let v4 = route.destination.family() == Family::V4;
    let metric = match route.metric.unwrap_or(0) {
        0 if !v4 => DEFAULT_METRIC_V6,
        metric => metric,
    };
    found.header.address_family == number_of(route.destination.family())
        && found.header.kind == kind(route.kind)
        && read.destination == Some(route.destination)
        && read.table == route.table
        && read.metric == metric
        && read.gateway == route.gateway
        && (!v4 || found.header.scope == route.scope.into())
        && route.source.is_none_or(|source| read.source == Some(source))
        && route.device.as_ref().is_none_or(|device| read.ifindex == ifindex(device, links))
        && route.hops.len() == read.hops.len()
        && route.hops.iter().zip(read.hops).all(|(hop, found)| is_same_hop(hop, found, links))
}

/// The flags tell what has become of the link, not which way it is.
fn is_same_hop(hop: &Hop, found: &RouteNextHop, links: &LinkTable) -> bool {
    let gateway = found.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(address) => plain(address),
        _ => None,
    });
    gateway == hop.gateway
        && found.hops == share(hop)
        && hop.device.as_ref().is_none_or(|name| ifindex(name, links) == Some(found.interface_index))
}

/// A route as the kernel tells it.
struct Found<'m> {
    destination: Option<Network>,
    table: u32,
    metric: u32,
    gateway: Option<IpAddr>,
    source: Option<IpAddr>,
    ifindex: Option<u32>,
    hops: &'m [RouteNextHop],
}

impl<'m> Found<'m> {
    fn of(message: &'m RouteMessage) -> Self {
        let anywhere: IpAddr = match message.header.address_family {
            AddressFamily::Inet6 => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
            _ => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
        };
        let length = message.header.destination_prefix_length;
        let mut found = Self {
            destination: Some(Network { address: anywhere, length }),
            table: message.header.table.into(),
            metric: 0,
            gateway: None,
            source: None,
            ifindex: None,
            hops: &[],
        };
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Destination(address) => {
                    found.destination = plain(address).map(|address| Network { address, length });
                }
                RouteAttribute::Table(table) => found.table = *table,
                RouteAttribute::Priority(metric) => found.metric = *metric,
                RouteAttribute::Gateway(address) => found.gateway = plain(address),
                RouteAttribute::PrefSource(address) => found.source = plain(address),
                RouteAttribute::Oif(ifindex) => found.ifindex = Some(*ifindex),
                RouteAttribute::MultiPath(hops) => found.hops = hops,
                _ => {}
            }
        }
        found
    }
}

fn plain(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some(IpAddr::V4(*v4)),
        RouteAddress::Inet6(v6) => Some(IpAddr::V6(*v6)),
        _ => None,
    }
}

fn kind(kind: RouteKind) -> RouteType {
    match kind {
        RouteKind::Unicast => RouteType::Unicast,
        RouteKind::Blackhole => RouteType::BlackHole,
        RouteKind::Unreachable => RouteType::Unreachable,
        RouteKind::Prohibit => RouteType::Prohibit,
    }
}

fn rule_message(rule: &Rule) -> RuleMessage {
    let mut message = RuleMessage::default();
    message.header.family = number_of(rule.family);
    message.header.src_len = rule.from.map_or(0, |network| network.length);
    message.header.dst_len = rule.to.map_or(0, |network| network.length);
    message.header.table = short(rule.table);
    message.header.action = RuleAction::ToTable;
    message.attributes = rule_attributes(rule);
    message
}

/// All but what the kernel adds by itself.
fn rule_attributes(rule: &Rule) -> Vec<RuleAttribute> {
    let mut attributes = vec![
        RuleAttribute::Priority(rule.priority),
        RuleAttribute::Table(rule.table),
        RuleAttribute::Protocol(OURS),
    ];
    let long = |network: &Network| network.length > 0;
    attributes.extend(rule.from.filter(long).map(|network| RuleAttribute::Source(network.address)));
    attributes.extend(rule.to.filter(long).map(|network| RuleAttribute::Destination(network.address)));
    attributes.extend(rule.input.clone().map(RuleAttribute::Iifname));
    attributes.extend(rule.output.clone().map(RuleAttribute::Oifname));
    if let Some((value, mask)) = rule.mark {
        attributes.extend([RuleAttribute::FwMark(value), RuleAttribute::FwMask(mask)]);
    }
    attributes
}

fn is_same_rule(rule: &Rule, found: &RuleMessage) -> bool {
    let ours = rule_message(rule);
    let telling = |attribute: &&RuleAttribute| {
        matches!(
            attribute,
            RuleAttribute::Source(_)
                | RuleAttribute::Destination(_)
                | RuleAttribute::Iifname(_)
                | RuleAttribute::Oifname(_)
                | RuleAttribute::FwMark(_)
        )
    };
    let header = |message: &RuleMessage| {
        (message.header.family, message.header.src_len, message.header.dst_len, message.header.action)
    };
    // The kernel leaves out a priority of zero.
    let told = |attribute: &RuleAttribute| {
        found.attributes.contains(attribute) || *attribute == RuleAttribute::Priority(0)
    };
    header(found) == header(&ours)
        && ours.attributes.iter().all(told)
        && found.attributes.iter().filter(telling).all(|attribute| ours.attributes.contains(attribute))
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
