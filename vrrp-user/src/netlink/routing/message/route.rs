//! A route in netlink's words, and whether one that the kernel tells of is the same.

use std::net::IpAddr;

use rtnetlink::packet_route::{
    AddressFamily,
    route::{
        RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteNextHop, RouteNextHopFlags,
        RoutePreference, RouteType,
    },
};
use vrrp_common::wire::Family;

use super::{OURS, number_of, realm, short};
use crate::{
    config::model::{Hop, Metric, Network, Preference, Route, RouteKind},
    netlink::{LinkTable, Refusal},
};

/// The kernel's metric of an IPv6 route that was given none.
const DEFAULT_METRIC_V6: u32 = 1024;

pub(super) fn message(route: &Route, links: &LinkTable) -> Result<RouteMessage, Refusal> {
    let mut message = RouteMessage::default();
    let header = &mut message.header;
    header.address_family = number_of(route.destination.family());
    header.destination_prefix_length = route.destination.length;
    header.table = short(route.table);
    header.protocol = OURS;
    header.scope = route.scope.into();
    header.tos = route.tos;
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
    attributes.extend(metrics(route).map(RouteAttribute::Metrics));
    attributes.extend(route.realms.map(realm).map(RouteAttribute::Realm));
    if route.preference != Preference::default() {
        attributes.push(RouteAttribute::Preference(preference(route.preference)));
    }
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
    next.attributes.extend(hop.realms.map(realm).map(RouteAttribute::Realm));
    Ok(next)
}

/// The kernel counts from zero.
fn share(hop: &Hop) -> u8 {
    u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX)
}

pub(super) fn is_same(route: &Route, found: &RouteMessage, links: &LinkTable) -> bool {
    let read = Found::of(found);
    let v4 = route.destination.family() == Family::V4;
    let metric = match route.metric.unwrap_or(0) {
        0 if !v4 => DEFAULT_METRIC_V6,
        metric => metric,
    };
    found.header.address_family == number_of(route.destination.family())
        && found.header.kind == kind(route.kind)
        && found.header.tos == route.tos
        && read.destination == Some(route.destination)
        && read.table == route.table
        && read.metric == metric
        && read.gateway == route.gateway
        && read.metrics == metrics(route).unwrap_or_default()
        && read.preference == preference(route.preference)
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
    metrics: &'m [RouteMetric],
    preference: RoutePreference,
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
            metrics: &[],
            preference: RoutePreference::Medium,
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
                RouteAttribute::Metrics(metrics) => found.metrics = metrics,
                RouteAttribute::Preference(preference) => found.preference = *preference,
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
        RouteKind::Throw => RouteType::Throw,
    }
}

fn preference(preference: Preference) -> RoutePreference {
    match preference {
        Preference::Low => RoutePreference::Low,
        Preference::Medium => RoutePreference::Medium,
        Preference::High => RoutePreference::High,
    }
}

/// In the kernel's order, behind the mask of those that are locked; `None` if there are none.
fn metrics(route: &Route) -> Option<Vec<RouteMetric>> {
    let lock = route.metrics.iter().filter(|(_, amount)| amount.locked);
    let lock = lock.fold(0, |mask, (metric, _)| mask | 1_u32 << (*metric as u32));
    let values = route.metrics.iter().map(|(metric, amount)| kernels(*metric)(amount.value));
    let all: Vec<_> = (lock != 0).then_some(RouteMetric::Lock(lock)).into_iter().chain(values).collect();
    (!all.is_empty()).then_some(all)
}

fn kernels(metric: Metric) -> fn(u32) -> RouteMetric {
    match metric {
        Metric::Mtu => RouteMetric::Mtu,
        Metric::Window => RouteMetric::Window,
        Metric::Rtt => RouteMetric::Rtt,
        Metric::RttVar => RouteMetric::RttVar,
        Metric::SsThresh => RouteMetric::SsThresh,
        Metric::Cwnd => RouteMetric::Cwnd,
        Metric::AdvMss => RouteMetric::Advmss,
        Metric::Reordering => RouteMetric::Reordering,
        Metric::HopLimit => RouteMetric::Hoplimit,
        Metric::InitCwnd => RouteMetric::InitCwnd,
        Metric::Features => RouteMetric::Features,
        Metric::RtoMin => RouteMetric::RtoMin,
        Metric::InitRwnd => RouteMetric::InitRwnd,
        Metric::QuickAck => RouteMetric::QuickAck,
        Metric::FastopenNoCookie => RouteMetric::FastopenNoCookie,
    }
}
