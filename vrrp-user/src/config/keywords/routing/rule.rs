//! A line of `virtual_rules` or `static_rules`.

use vrrp_common::wire::Family;

use super::{
    apply_known_options, by_hand, interface, network_or_all, number_of, refuse, table, untracked, works,
};
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::RoutingDraft,
    keywords::EntryOption,
    lexer::Word,
    model::{Network, Routing, Rule},
    source::Span,
    statement::Statement,
    values::quote,
};

/// What may stand on a line.
pub(in crate::config::keywords) const RULE: &str =
    "[from NETWORK] [to NETWORK] [fwmark MARK[/MASK]] [iif IF] [oif IF] [priority N] lookup T";

const OPTIONS: &[EntryOption<Draft>] = &[
    works("from", 1, |rule, words, context| rule.from = network_or_all(words, context)),
    works("to", 1, |rule, words, context| rule.to = network_or_all(words, context)),
    works("fwmark", 1, |rule, words, context| rule.mark = words.iter().find_map(|word| mark(word, context))),
    works("iif", 1, |rule, words, context| rule.input = interface(words, context)),
    works("dev", 1, |rule, words, context| rule.input = interface(words, context)),
    works("oif", 1, |rule, words, context| rule.output = interface(words, context)),
    works("priority", 1, |rule, words, context| rule.priority = number_of("priority", words, context)),
    works("preference", 1, |rule, words, context| rule.priority = number_of("preference", words, context)),
    works("pref", 1, |rule, words, context| rule.priority = number_of("pref", words, context)),
    works("order", 1, |rule, words, context| rule.priority = number_of("order", words, context)),
    works("table", 1, |rule, words, context| rule.table = table(words, context)),
    works("lookup", 1, |rule, words, context| rule.table = table(words, context)),
    works("inet", 0, |rule, _, _| rule.family = Some(Family::V4)),
    works("inet6", 0, |rule, _, _| rule.family = Some(Family::V6)),
    untracked("no_track", 0),
    untracked("track_group", 1),
    by_hand("not", 0),
    by_hand("tos", 1),
    by_hand("dsfield", 1),
    by_hand("realms", 1),
    by_hand("suppress_prefixlength", 1),
    by_hand("suppress_ifgroup", 1),
    by_hand("tun_id", 1),
    by_hand("uidrange", 1),
    by_hand("l3mdev", 0),
    by_hand("ipproto", 1),
    by_hand("sport", 1),
    by_hand("dport", 1),
    by_hand("goto", 1),
    by_hand("nop", 0),
    by_hand("blackhole", 0),
    by_hand("unreachable", 0),
    by_hand("prohibit", 0),
];

#[derive(Default)]
struct Draft {
    family: Option<Family>,
    priority: Option<u32>,
    from: Option<Network>,
    to: Option<Network>,
    input: Option<String>,
    output: Option<String>,
    mark: Option<(u32, u32)>,
    table: Option<u32>,
}

/// Reads a line.
pub(in crate::config::keywords) fn read_rule(
    entry: &Statement,
    context: &mut Context<'_>,
) -> Option<RoutingDraft> {
    let span = entry.keyword.span;
    let mut draft = Draft::default();
    let words = [std::slice::from_ref(&entry.keyword), &entry.arguments].concat();
    apply_known_options(OPTIONS, &mut draft, &words, context, |_, word, context| {
        refuse(OPTIONS, RULE, word, context)
    })?;
    let family = family(&draft, span, context)?;
    let Some(table) = draft.table else {
        let nothing = warning(span, "this rule says nothing to do").label("it is left out, as in keepalived");
        context.push(nothing.help("add `lookup TABLE`"));
        return None;
    };
    let Draft { from, to, input, output, mark, .. } = draft;
    let priority = draft.priority.unwrap_or_default();
    let rule = Rule { family, priority, from, to, input, output, mark, table };
    let unnumbered = draft.priority.is_none().then_some(span);
    Some(RoutingDraft { routing: Routing::Rule(rule), unnumbered })
}

/// What the networks and the keyword say, which must be the same; IPv4 if they say nothing.
fn family(draft: &Draft, span: Span, context: &mut Context<'_>) -> Option<Family> {
    let networks = [draft.from, draft.to].map(|network| network.map(|network| network.family()));
    let mut said = [draft.family, networks[0], networks[1]].into_iter().flatten();
    let Some(first) = said.next() else { return Some(Family::V4) };
    if said.any(|other| other != first) {
        let both = error(span, "a rule is for IPv4 or for IPv6, not for both");
        context.push(both.help("write a rule for each, and the networks of a rule in one family"));
        return None;
    }
    Some(first)
}

/// `MARK[/MASK]`, in decimal or hexadecimal.
fn mark(word: &Word, context: &mut Context<'_>) -> Option<(u32, u32)> {
    let text = word.text();
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    let mark = match text.split_once('/') {
        Some((value, mask)) => number(value).zip(number(mask)),
        None => number(&text).map(|value| (value, u32::MAX)),
    };
    if mark.is_none() {
        let wrong = error(word.span, format!("{} is not a mark", quote(&text)));
        context.push(wrong.help("a number such as 5 or 0x5, with a mask behind it if need be: 0x5/0xff"));
    }
    mark
}
