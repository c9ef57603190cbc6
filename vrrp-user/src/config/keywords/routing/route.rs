//! A line of `virtual_routes` or `static_routes`.

use std::net::{IpAddr, Ipv4Addr};

use super::{address, apply_options, by_hand, interface, number_of, scope, table, untracked, works};
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::RoutingDraft,
    keywords::{EntryOption, OptionClass},
    lexer::Word,
    model::{MAIN_TABLE, Network, Route, RouteKind, Routing},
    source::Span,
    statement::Statement,
    values::{self, family_name, family_of, quote},
};

/// What may stand on a line.
pub(in crate::config::keywords) const ROUTE: &str = "[blackhole|unreachable|prohibit] NETWORK|default [via ADDRESS] [dev IF] [src ADDRESS] [metric N] \
     [table T] [scope S] [onlink]";

const MARKED: &str = "routes carry the mark of keepalived (protocol 18)";

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
    by_hand("from", 1),
    by_hand("or", 1),
    by_hand("nexthop", 0),
    by_hand("tos", 1),
    by_hand("dsfield", 1),
    by_hand("mtu", 1),
    by_hand("advmss", 1),
    by_hand("encap", 1),
    by_hand("local", 0),
    by_hand("broadcast", 0),
    by_hand("multicast", 0),
    by_hand("throw", 0),
    by_hand("nat", 0),
];

#[derive(Default)]
struct Draft {
    destination: Option<Destination>,
    kind: RouteKind,
    gateway: Option<IpAddr>,
    device: Option<String>,
    source: Option<IpAddr>,
    metric: Option<u32>,
    table: Option<u32>,
    scope: Option<(u8, Span)>,
    onlink: bool,
}

enum Destination {
    /// Of the next hop's family.
    Default,
    Network(Network),
}

/// Reads a line. The network may stand first without `to`, behind the kind of route.
pub(in crate::config::keywords) fn read_route(
    entry: &Statement,
    context: &mut Context<'_>,
) -> Option<RoutingDraft> {
    let mut draft = Draft::default();
    let words = [std::slice::from_ref(&entry.keyword), &entry.arguments].concat();
    let is_option = |word: &Word| OPTIONS.iter().any(|option| option.name == word.text());
    let kinds = words.iter().take_while(|word| takes_nothing(word)).count();
    let (kind, mut rest) = words.split_at(kinds);
    if let Some((first, behind)) = rest.split_first().filter(|(first, _)| !is_option(first)) {
        set_destination(&mut draft, first, context);
        rest = behind;
    }
    apply_options(OPTIONS, &mut draft, kind, context);
    apply_options(OPTIONS, &mut draft, rest, context);
    let route = finish(draft, entry.keyword.span, context)?;
    Some(RoutingDraft { routing: Routing::Route(route), unnumbered: None })
}

fn takes_nothing(word: &Word) -> bool {
    OPTIONS.iter().any(|option| option.takes == 0 && option.name == word.text())
}

fn set_destination(draft: &mut Draft, word: &Word, context: &mut Context<'_>) {
    draft.destination = match word.bytes.as_slice() {
        b"default" | b"any" | b"all" => Some(Destination::Default),
        _ => {
            let network = context.ok(values::network(word), "such as 198.51.100.0/24, or `default`");
            network.map(|network| Destination::Network(network.masked()))
        }
    };
}

fn finish(draft: Draft, span: Span, context: &mut Context<'_>) -> Option<Route> {
    let destination = match draft.destination? {
        Destination::Network(network) => network,
        Destination::Default => {
            let any = draft.gateway.or(draft.source);
            let address = any.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            Network { address, length: 0 }.masked()
        }
    };
    for other in [draft.gateway, draft.source].into_iter().flatten() {
        if family_of(other) != destination.family() {
            let (ours, theirs) = (family_name(destination.family()), family_name(family_of(other)));
            let mixed = error(span, format!("{other} is {theirs}, but the route is {ours}"));
            context.push(mixed.help("next hop, source and network of a route are of one family"));
            return None;
        }
    }
    if draft.kind == RouteKind::Unicast && draft.gateway.is_none() && draft.device.is_none() {
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
    })
}
