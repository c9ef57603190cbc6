//! A line of `virtual_routes` or `static_routes`.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use vrrp_common::wire::Family;

use super::{
    EVERYTHING, MARKED, address, apply_known_options, by_hand, by_name, expect_family, expect_no_ecn,
    interface, metrics::take_locks, number_of, realms, refuse, scope, service, table, untracked, vrf_table,
    works,
};
use crate::config::{
    context::Context,
    diagnostics::{Diagnostic, error, warning},
    draft::RoutingDraft,
    keywords::{EntryOption, OptionClass},
    lexer::Word,
    model::{
        Amount, Hop, MAIN_TABLE, Metric, Network, Placement, Preference, Realms, Route, RouteKind, Routing,
    },
    source::Span,
    statement::Statement,
    values::{self, family_name, family_of, quote},
};

/// What may stand on a line.
pub(in crate::config::keywords) const ROUTE: &str = "[blackhole|unreachable|prohibit|throw] NETWORK|default [inet6] [via ADDRESS] [dev IF] [src ADDRESS] [metric N] \
     [table T|vrf VRF] [scope S] [onlink] [tos N] [realms [FROM/]TO] [pref low|medium|high] [append|add] [features ecn] \
     [mtu|advmss|hoplimit|window|rtt|rttvar|rto_min|cwnd|ssthresh|initcwnd|initrwnd|reordering|quickack|\
     fastopen_no_cookie [lock] N]... [nexthop [via ADDRESS] [dev IF] [weight N] [realms [FROM/]TO] [onlink]]...";

/// What may stand behind [`HOP`].
const NEXTHOP: &str = "nexthop [via ADDRESS] [dev IF] [weight N] [realms [FROM/]TO] [onlink]";

const OPTIONS: &[EntryOption<Draft>] = &[
    works("to", 1, |route, words, context| {
        words.iter().for_each(|word| set_destination(route, word, context));
    }),
    works("via", 1, |route, words, context| route.gateway = address(words, context)),
    works("gw", 1, |route, words, context| route.gateway = address(words, context)),
    works("dev", 1, |route, words, context| route.device = interface(words, context)),
    works("oif", 1, |route, words, context| route.device = interface(words, context)),
    works("src", 1, |route, words, context| route.source = address(words, context)),
    works("metric", 1, |route, words, context| route.metric = number_of("metric", words, context)),
    works("priority", 1, |route, words, context| route.metric = number_of("priority", words, context)),
    works("preference", 1, |route, words, context| route.metric = number_of("preference", words, context)),
    works("table", 1, |route, words, context| route.table = table(words, context)),
    works("scope", 1, |route, words, context| route.scope = scope(words, context)),
    works("onlink", 0, |route, _, _| route.onlink = true),
    works("unicast", 0, |route, _, _| route.kind = RouteKind::Unicast),
    works("blackhole", 0, |route, _, _| route.kind = RouteKind::Blackhole),
    works("unreachable", 0, |route, _, _| route.kind = RouteKind::Unreachable),
    works("prohibit", 0, |route, _, _| route.kind = RouteKind::Prohibit),
    EntryOption { name: "proto", takes: 1, class: OptionClass::Accepted(MARKED) },
    EntryOption { name: "protocol", takes: 1, class: OptionClass::Accepted(MARKED) },
    untracked("no_track", 0),
    untracked("track_group", 1),
    works("or", 1, |route, words, context| route.others.extend(address(words, context))),
    works("inet", 0, |route, _, _| route.family = Some(Family::V4)),
    works("inet6", 0, |route, _, _| route.family = Some(Family::V6)),
    works("throw", 0, |route, _, _| route.kind = RouteKind::Throw),
    works("tos", 1, |route, words, context| route.tos = service(words, context)),
    works("dsfield", 1, |route, words, context| route.tos = service(words, context)),
    works("realms", 1, |route, words, context| route.realms = realms(words, context)),
    works("pref", 1, |route, words, context| route.preference = preference(words, context)),
    works("append", 0, |route, _, _| route.placement = Placement::Last),
    works("add", 0, |route, _, _| route.placement = Placement::Alone),
    works("mtu", 1, |route, words, context| route.measure(Metric::Mtu, words, context)),
    works("advmss", 1, |route, words, context| route.measure(Metric::AdvMss, words, context)),
    works("hoplimit", 1, |route, words, context| route.measure(Metric::HopLimit, words, context)),
    works("window", 1, |route, words, context| route.measure(Metric::Window, words, context)),
    works("rtt", 1, |route, words, context| route.time(Metric::Rtt, 8, words, context)),
    works("rttvar", 1, |route, words, context| route.time(Metric::RttVar, 4, words, context)),
    works("rto_min", 1, |route, words, context| route.time(Metric::RtoMin, 1, words, context)),
    works("cwnd", 1, |route, words, context| route.measure(Metric::Cwnd, words, context)),
    works("ssthresh", 1, |route, words, context| route.measure(Metric::SsThresh, words, context)),
    works("initcwnd", 1, |route, words, context| route.measure(Metric::InitCwnd, words, context)),
    works("initrwnd", 1, |route, words, context| route.measure(Metric::InitRwnd, words, context)),
    works("reordering", 1, |route, words, context| route.measure(Metric::Reordering, words, context)),
    works("quickack", 1, |route, words, context| route.measure(Metric::QuickAck, words, context)),
    works("fastopen_no_cookie", 1, |route, words, context| {
        route.measure(Metric::FastopenNoCookie, words, context);
    }),
    works("features", 1, Draft::feature),
    works("vrf", 1, |route, words, context| route.table = vrf_table(words, context)),
    by_hand("from", 1),
    by_hand("as", 1),
    by_hand("congctl", 1),
    by_hand("encap", 1),
    by_hand("expires", 1),
    by_hand("ttl-propagate", 1),
    by_hand("local", 0),
    by_hand("broadcast", 0),
    by_hand("multicast", 0),
    by_hand("nat", 0),
];

/// What begins one of several ways; all that follows is of it, until the next one.
const HOP: &str = "nexthop";

/// The same as options.
const HOP_OPTIONS: &[EntryOption<Hop>] = &[
    works("via", 1, |hop, words, context| hop.gateway = address(words, context)),
    works("dev", 1, |hop, words, context| hop.device = interface(words, context)),
    works("oif", 1, |hop, words, context| hop.device = interface(words, context)),
    works("weight", 1, |hop, words, context| hop.weight = weight(words, context).unwrap_or(1)),
    works("onlink", 0, |hop, _, _| hop.onlink = true),
    by_hand("encap", 1),
    works("realms", 1, |hop, words, context| hop.realms = realms(words, context)),
];

fn weight(words: &[Word], context: &mut Context<'_>) -> Option<u16> {
    let weight =
        context.ok(values::number("weight", words.first()?, &(1..=256)), "a share of the packets")?;
    u16::try_from(weight).ok()
}

fn preference(words: &[Word], context: &mut Context<'_>) -> Option<Preference> {
    let word = words.first()?;
    let text = word.text();
    let known = by_name(&Preference::NAMED, &text);
    if known.is_none() {
        let unknown = error(word.span, format!("unknown preference {}", quote(&text)));
        context.push(unknown.help("low, medium or high"));
    }
    known
}

#[derive(Default)]
pub(super) struct Draft {
    family: Option<Family>,
    destination: Option<Destination>,
    /// What was written for it, right or not.
    named: bool,
    kind: RouteKind,
    gateway: Option<IpAddr>,
    device: Option<String>,
    source: Option<IpAddr>,
    metric: Option<u32>,
    table: Option<u32>,
    scope: Option<(u8, Span)>,
    onlink: bool,
    /// `via A or B`: an older way to write two hops.
    others: Vec<IpAddr>,
    tos: Option<u8>,
    realms: Option<Realms>,
    preference: Option<Preference>,
    placement: Placement,
    pub(super) metrics: BTreeMap<Metric, Amount>,
    pub(super) locked: BTreeSet<Metric>,
    hops: Vec<Hop>,
}

#[derive(Clone, Copy)]
enum Destination {
    /// Of the next hop's family.
    Default,
    Network(Network),
}

/// Reads a line. The network may stand anywhere, with or without `to`.
pub(in crate::config::keywords) fn read_route(
    entry: &Statement,
    context: &mut Context<'_>,
) -> Option<RoutingDraft> {
    let mut draft = Draft::default();
    let words = [std::slice::from_ref(&entry.keyword), &entry.arguments].concat();
    let mut parts = words.split(|word| word.bytes.as_slice() == HOP.as_bytes());
    let words = parts.next().unwrap_or_default();
    let hops: Option<_> = parts.map(|options| read_hop(options, context)).collect();
    draft.hops = hops?;
    let (words, locked) = take_locks(words);
    draft.locked = locked;
    apply_known_options(OPTIONS, &mut draft, &words, context, set_destination_or_refuse)?;
    let draft = settle_hops(draft, entry.keyword.span, context)?;
    let route = finish(draft, entry.keyword.span, context)?;
    Some(RoutingDraft { routing: Routing::Route(route), unnumbered: None })
}

fn read_hop(options: &[Word], context: &mut Context<'_>) -> Option<Hop> {
    let mut hop = Hop { gateway: None, device: None, weight: 1, onlink: false, realms: None };
    apply_known_options(HOP_OPTIONS, &mut hop, options, context, |_, word, context| {
        refuse(HOP_OPTIONS, NEXTHOP, word, context)
    })?;
    Some(hop)
}

/// Several ways are [`Draft::hops`], one is the route's own: the kernel does not tell one way among several from the
/// only one.
fn settle_hops(mut draft: Draft, span: Span, context: &mut Context<'_>) -> Option<Draft> {
    spell_out_others(&mut draft);
    if draft.hops.is_empty() && draft.others.is_empty() {
        return Some(draft);
    }
    if let Some(wrong) = against_hops(&draft, span) {
        context.push(wrong);
        return None;
    }
    if let [_] = draft.hops.as_slice() {
        let hop = draft.hops.pop()?;
        (draft.gateway, draft.device) = (hop.gateway, hop.device);
        draft.onlink |= hop.onlink;
        draft.realms = draft.realms.or(hop.realms);
    }
    Some(draft)
}

fn spell_out_others(draft: &mut Draft) {
    if draft.others.is_empty() || !draft.hops.is_empty() {
        return;
    }
    let Some(first) = draft.gateway.take() else { return };
    let (device, onlink) = (draft.device.take(), std::mem::take(&mut draft.onlink));
    let hop =
        |gateway| Hop { gateway: Some(gateway), device: device.clone(), weight: 1, onlink, realms: None };
    draft.hops = std::iter::once(first).chain(draft.others.drain(..)).map(hop).collect();
}

fn against_hops(draft: &Draft, span: Span) -> Option<Diagnostic> {
    let has_its_own = draft.gateway.is_some() || draft.device.is_some() || !draft.others.is_empty();
    if has_its_own || draft.kind != RouteKind::Unicast {
        let beside = error(span, "a route has either `nexthop`s or `via` and `dev` of its own");
        return Some(beside.help("write `nexthop via ADDRESS dev IF` for each way, behind all else"));
    }
    let leads_nowhere = draft.hops.iter().any(|hop| hop.gateway.is_none() && hop.device.is_none());
    leads_nowhere
        .then(|| error(span, "a `nexthop` has neither address nor interface").help("`nexthop via ADDRESS`"))
}

/// A word that is no option is the network, unless it looks like an option.
fn set_destination_or_refuse(draft: &mut Draft, word: &Word, context: &mut Context<'_>) -> Option<()> {
    let like_an_option = word.bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
        && word.bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && !EVERYTHING.contains(&word.bytes.as_slice());
    if like_an_option {
        return refuse(OPTIONS, ROUTE, word, context);
    }
    set_destination(draft, word, context);
    Some(())
}

fn set_destination(draft: &mut Draft, word: &Word, context: &mut Context<'_>) {
    if std::mem::replace(&mut draft.named, true) {
        let second = error(word.span, format!("a second network, {}", quote(&word.text())));
        context.push(second.help("write a line for each route"));
        return;
    }
    draft.destination = if EVERYTHING.contains(&word.bytes.as_slice()) {
        Some(Destination::Default)
    } else {
        let network = context.ok(values::network(word), "such as 198.51.100.0/24, or `default`");
        network.map(|network| Destination::Network(network.masked()))
    };
}

fn finish(mut draft: Draft, span: Span, context: &mut Context<'_>) -> Option<Route> {
    if !draft.named {
        context.push(
            error(span, "a route needs a network").help("`NETWORK via ADDRESS`, or `default`, on one line"),
        );
    }
    let destination = destination(&draft)?;
    check_family(&draft, destination.family(), span, context)?;
    check_service(&mut draft, destination.family(), span, context)?;
    let leads = draft.gateway.is_some() || draft.device.is_some() || !draft.hops.is_empty();
    if draft.kind == RouteKind::Unicast && !leads {
        let message =
            format!("the route to {} has neither next hop nor interface", quote(&destination.to_string()));
        let nowhere = warning(span, message).label("it is left out; keepalived fails to add it");
        context.push(nowhere.help("add `via ADDRESS` or `dev IF`"));
        return None;
    }
    Some(Route {
        destination,
        kind: draft.kind,
        gateway: draft.gateway,
        device: draft.device,
        source: draft.source,
        metric: draft.metric,
        table: draft.table.unwrap_or(MAIN_TABLE),
        scope: draft.scope.map_or(0, |(scope, _)| scope),
        onlink: draft.onlink,
        tos: draft.tos.unwrap_or_default(),
        metrics: draft.metrics,
        realms: draft.realms,
        preference: draft.preference.unwrap_or_default(),
        placement: draft.placement,
        hops: draft.hops,
    })
}

fn destination(draft: &Draft) -> Option<Network> {
    if let Destination::Network(network) = draft.destination? {
        return Some(network);
    }
    let hops = || draft.hops.iter().find_map(|hop| hop.gateway);
    let any = draft.gateway.or(draft.source).or_else(hops).map(family_of);
    let address = match draft.family.or(any).unwrap_or(Family::V4) {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    Some(Network { address, length: 0 })
}

/// Kernels know it for IPv4: for IPv6, older ones do not look at it and newer ones refuse the route.
fn check_service(draft: &mut Draft, family: Family, span: Span, context: &mut Context<'_>) -> Option<()> {
    if family == Family::V6 && draft.tos.take().is_some_and(|tos| tos != 0) {
        let idle = warning(span, "`tos` has no effect on IPv6 routes").label("the route is for all packets");
        context.push(idle.help("remove it, or write a rule with `tos` for a table of its own"));
    }
    expect_no_ecn(draft.tos, span, context)
}

/// Everything in a route is of the family of its network.
fn check_family(draft: &Draft, family: Family, span: Span, context: &mut Context<'_>) -> Option<()> {
    if draft.family.is_some_and(|said| said != family) {
        let other = error(
            span,
            format!("the route is {}, but `inet` or `inet6` says otherwise", family_name(family)),
        );
        context.push(other.help("remove that word: the network says it"));
        return None;
    }
    let hops = draft.hops.iter().map(|hop| hop.gateway);
    for other in [draft.gateway, draft.source].into_iter().chain(hops).flatten() {
        if family_of(other) != family {
            let (ours, theirs) = (family_name(family), family_name(family_of(other)));
            let mixed = error(span, format!("{other} is {theirs}, but the route is {ours}"));
            context.push(mixed.help("next hop, source and network of a route are of one family"));
            return None;
        }
    }
    let realms = draft.realms.is_some() || draft.hops.iter().any(|hop| hop.realms.is_some());
    for (given, name, only) in
        [(realms, "realms", Family::V4), (draft.preference.is_some(), "pref", Family::V6)]
    {
        if given {
            expect_family(family, only, name, span, context)?;
        }
    }
    Some(())
}
