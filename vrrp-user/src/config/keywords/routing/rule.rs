//! A line of `virtual_rules` or `static_rules`.

use std::ops::RangeInclusive;

use vrrp_common::wire::Family;

use super::{
    MARKED, apply_known_options, by_hand, by_name, called, expect_family, expect_no_ecn, interface,
    network_or_all, number_of, realms, refuse, service, table, untracked, works,
};
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::RoutingDraft,
    iproute::Names,
    keywords::{EntryOption, OptionClass},
    lexer::Word,
    model::{Action, Network, Range, Realms, Routing, Rule},
    source::Span,
    statement::Statement,
    values::{self, IN_RANGE, quote},
};

/// What may stand on a line.
pub(in crate::config::keywords) const RULE: &str = "[not] [inet6] [from NETWORK] [to NETWORK] [fwmark MARK[/MASK]] [iif IF] [oif IF] [tos N] [ipproto P] [sport N-M] \
     [dport N-M] [uidrange N-M] [priority N] lookup T|goto N|l3mdev|nop|blackhole|unreachable|prohibit \
     [realms [FROM/]TO] [suppress_prefixlength N] [suppress_ifgroup N]";

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
    works("table", 1, Draft::lookup),
    works("lookup", 1, Draft::lookup),
    works("inet", 0, |rule, _, _| rule.family = Some(Family::V4)),
    works("inet6", 0, |rule, _, _| rule.family = Some(Family::V6)),
    untracked("no_track", 0),
    untracked("track_group", 1),
    works("not", 0, |rule, _, _| rule.inverted = true),
    works("tos", 1, |rule, words, context| rule.tos = service(words, context)),
    works("dsfield", 1, |rule, words, context| rule.tos = service(words, context)),
    works("ipproto", 1, |rule, words, context| rule.protocol = protocol(words, context)),
    works("ip_proto", 1, |rule, words, context| rule.protocol = protocol(words, context)),
    works("sport", 1, |rule, words, context| rule.source_ports = ports("sport", words, context)),
    works("dport", 1, |rule, words, context| rule.destination_ports = ports("dport", words, context)),
    works("uidrange", 1, |rule, words, context| {
        rule.users = range("uidrange", 0..=u32::MAX - 1, words, context);
    }),
    works("realms", 1, |rule, words, context| rule.realms = realms(words, context)),
    works("suppress_prefixlength", 1, |rule, words, context| {
        rule.suppressed_length = limited("suppress_prefixlength", 128, words, context);
    }),
    works("suppress_ifgroup", 1, |rule, words, context| rule.suppressed_group = group(words, context)),
    works("goto", 1, |rule, words, context| {
        rule.actions.extend(number_of("goto", words, context).map(Action::Goto));
    }),
    works("l3mdev", 0, |rule, _, _| rule.actions.push(Action::VrfTable)),
    works("nop", 0, |rule, _, _| rule.actions.push(Action::Nop)),
    works("blackhole", 0, |rule, _, _| rule.actions.push(Action::Blackhole)),
    works("unreachable", 0, |rule, _, _| rule.actions.push(Action::Unreachable)),
    works("prohibit", 0, |rule, _, _| rule.actions.push(Action::Prohibit)),
    // Behind it, what is done is an option of the line as well.
    works("type", 0, |_, _, _| ()),
    EntryOption { name: "protocol", takes: 1, class: OptionClass::Accepted(MARKED) },
    by_hand("tun_id", 1),
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
    inverted: bool,
    tos: Option<u8>,
    protocol: Option<u8>,
    source_ports: Option<Range<u16>>,
    destination_ports: Option<Range<u16>>,
    users: Option<Range<u32>>,
    realms: Option<Realms>,
    suppressed_length: Option<u32>,
    suppressed_group: Option<u32>,
    /// All that is to be done; it must be one thing.
    actions: Vec<Action>,
    /// A table that is not known was reported.
    lost: bool,
}

impl Draft {
    fn lookup(&mut self, words: &[Word], context: &mut Context<'_>) {
        let table = table(words, context);
        self.lost |= table.is_none();
        self.actions.extend(table.map(Action::Table));
    }
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
    let action = action(&draft, span, context)?;
    check(&draft, family, action, span, context)?;
    let rule = Rule {
        family,
        priority: draft.priority.unwrap_or_default(),
        inverted: draft.inverted,
        from: draft.from,
        to: draft.to,
        input: draft.input,
        output: draft.output,
        mark: draft.mark,
        tos: draft.tos.unwrap_or_default(),
        protocol: draft.protocol,
        source_ports: draft.source_ports,
        destination_ports: draft.destination_ports,
        users: draft.users,
        action,
        realms: draft.realms,
        suppressed_length: draft.suppressed_length,
        suppressed_group: draft.suppressed_group,
    };
    let unnumbered = draft.priority.is_none().then_some(span);
    Some(RoutingDraft { routing: Routing::Rule(rule), unnumbered })
}

fn action(draft: &Draft, span: Span, context: &mut Context<'_>) -> Option<Action> {
    match draft.actions.as_slice() {
        [action] => return Some(*action),
        [] if draft.lost => {}
        [] => {
            let nothing =
                warning(span, "this rule says nothing to do").label("it is left out, as in keepalived");
            context.push(nothing.help("add `lookup TABLE`"));
        }
        _ => {
            let several = error(span, "a rule does one thing, and this one would do several");
            context.push(several.help("`lookup TABLE`, `goto N` or another, each in a rule of its own"));
        }
    }
    None
}

/// What the kernel or keepalived would refuse of things that are right each for itself.
fn check(draft: &Draft, family: Family, action: Action, span: Span, context: &mut Context<'_>) -> Option<()> {
    expect_no_ecn(draft.tos, span, context)?;
    if let Action::Goto(target) = action
        && draft.priority.is_none_or(|priority| priority >= target)
    {
        let back = error(span, format!("`goto {target}` leads only to rules that are asked later"));
        context.push(back.help(format!("write `priority N` with N less than {target}")));
        return None;
    }
    let about_routes =
        draft.realms.is_some() || draft.suppressed_length.is_some() || draft.suppressed_group.is_some();
    if about_routes && !matches!(action, Action::Table(_) | Action::VrfTable) {
        let idle =
            error(span, "`realms` and `suppress_...` are about what a table says, and this rule asks none");
        context.push(idle.help("remove them, or write `lookup TABLE`"));
        return None;
    }
    draft.realms.map_or(Some(()), |_| expect_family(family, Family::V4, "realms", span, context))
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

/// The protocols that rules are written for, by the names of /etc/protocols.
const PROTOCOLS: &[(&str, u8)] = &[
    ("icmp", 1),
    ("igmp", 2),
    ("ipencap", 4),
    ("ipip", 4),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("ipv6", 41),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmpv6", 58),
    ("ipv6-icmp", 58),
    ("ospf", 89),
    ("pim", 103),
    ("vrrp", 112),
    ("l2tp", 115),
    ("sctp", 132),
    ("udplite", 136),
];

fn protocol(words: &[Word], context: &mut Context<'_>) -> Option<u8> {
    let word = words.first()?;
    let text = word.text().to_ascii_lowercase();
    let named = by_name(PROTOCOLS, &text);
    let number = named.or_else(|| text.parse().ok().filter(|number| *number != 0));
    if number.is_none() {
        let unknown = error(word.span, format!("unknown protocol {}", quote(&word.text())));
        context.push(unknown.help("its number from 1 to 255, or a name such as tcp, udp, icmp"));
    }
    number
}

fn limited(name: &str, most: i64, words: &[Word], context: &mut Context<'_>) -> Option<u32> {
    let number = context.ok(values::number(name, words.first()?, &(0..=most)), IN_RANGE)?;
    u32::try_from(number).ok()
}

/// A group of interfaces. All bits of the number are taken but the first, which tells that there is none.
fn group(words: &[Word], context: &mut Context<'_>) -> Option<u32> {
    let word = words.first()?;
    let text = word.text();
    let group = called(Names::Groups, &text, context).filter(|group| *group <= u32::MAX / 2);
    if group.is_none() {
        let unknown = error(word.span, format!("{} is not a group of interfaces", quote(&text)));
        let remedy = "a number from 0 to 2147483647, or a name from";
        context.push(unknown.help(format!("{remedy} {}", Names::Groups.file())));
    }
    group
}

/// The kernel takes neither the first nor the last of all.
fn ports(name: &str, words: &[Word], context: &mut Context<'_>) -> Option<Range<u16>> {
    let Range { first, last } = range(name, 1..=u32::from(u16::MAX) - 1, words, context)?;
    Some(Range { first: u16::try_from(first).ok()?, last: u16::try_from(last).ok()? })
}

/// `N-M`, or `N` for one.
fn range(
    name: &str,
    limits: RangeInclusive<u32>,
    words: &[Word],
    context: &mut Context<'_>,
) -> Option<Range<u32>> {
    let word = words.first()?;
    let text = word.text();
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    let ends = first.parse().ok().zip(last.parse().ok());
    let range = ends.filter(|(first, last)| first <= last && limits.contains(first) && limits.contains(last));
    if range.is_none() {
        let wrong = error(word.span, format!("{} is not a range for `{name}`", quote(&text)));
        context.push(wrong.help(format!("FIRST-LAST, from {} to {}", limits.start(), limits.end())));
    }
    range.map(|(first, last)| Range { first, last })
}
