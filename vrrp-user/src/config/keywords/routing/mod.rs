//! Entries of `virtual_routes`, `virtual_rules` and their static kin, as `ip route` and `ip rule` take them.

mod metrics;
mod route;
mod rule;

use std::net::IpAddr;

use vrrp_common::wire::Family;

pub(super) use route::{ROUTE, read_route};
pub(super) use rule::{RULE, read_rule};

use super::{
    EntryOption, OptionClass, apply_known_options, did_you_mean,
    entries::{called, scope},
};
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{RoutingDraft, RuleNumbers},
    iproute::Names,
    lexer::Word,
    model::{Network, Realms, Routing},
    source::Span,
    values::{self, IN_RANGE, LISTED, OF_ONE_HOST, quote},
};

type Set<T> = fn(&mut T, &[Word], &mut Context<'_>);

const fn works<T>(name: &'static str, takes: usize, set: Set<T>) -> EntryOption<T> {
    EntryOption { name, takes, class: OptionClass::Works(set) }
}

const fn untracked<T>(name: &'static str, takes: usize) -> EntryOption<T> {
    const REASON: &str = "a route or rule that somebody else removes is put back, always";
    EntryOption { name, takes, class: OptionClass::Accepted(REASON) }
}

const MARKED: &str = "routes and rules carry the mark of keepalived (protocol 18)";

const fn by_hand<T>(name: &'static str, takes: usize) -> EntryOption<T> {
    const REMEDY: &str = "set it up with the host's own network configuration, and remove the line here";
    EntryOption { name, takes, class: OptionClass::Refused(REMEDY) }
}

/// Without the word, the line would match more, or do something else, than what was written.
fn refuse<T>(
    options: &'static [EntryOption<T>],
    known: &str,
    word: &Word,
    context: &mut Context<'_>,
) -> Option<()> {
    let text = word.text();
    let unknown = error(word.span, format!("unknown option {}", quote(&text)));
    let near = did_you_mean(options, &text);
    let unknown = unknown.label("keepalived leaves out the whole line");
    context.push(unknown.help(format!("{near}one entry a line: {known}")));
    None
}

/// Gives rules without a priority the numbers that keepalived gives them: 16384, and downwards.
pub(super) fn number(numbers: &mut RuleNumbers, entries: &mut [RoutingDraft], context: &mut Context<'_>) {
    for entry in entries {
        let (Routing::Rule(rule), Some(span)) = (&mut entry.routing, entry.unnumbered.take()) else {
            continue;
        };
        rule.priority = numbers.next(rule.family);
        let message = format!("this rule has no priority; it gets {}, as in keepalived", rule.priority);
        context.push(warning(span, message).help("write `priority N`: the lowest is asked first"));
    }
}

/// How all networks may be called.
const EVERYTHING: [&[u8]; 3] = [b"default", b"any", b"all"];

/// What has this name in a table.
fn by_name<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    names.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// `None` for all there are.
fn network_or_all(words: &[Word], context: &mut Context<'_>) -> Option<Network> {
    let word = words.first()?;
    if EVERYTHING.contains(&word.bytes.as_slice()) {
        return None;
    }
    context.ok(values::network(word), "a network such as 192.0.2.0/24, or `all`").map(Network::masked)
}

fn interface(words: &[Word], context: &mut Context<'_>) -> Option<String> {
    let word = words.first()?;
    let name = context.ok(values::interface(word), LISTED)?;
    context.expect_interface(&name, word.span);
    Some(name)
}

fn address(words: &[Word], context: &mut Context<'_>) -> Option<IpAddr> {
    let word = words.first()?;
    // The prefix length that some write behind a next hop means nothing.
    let text = word.text();
    let text = text.split('/').next().unwrap_or_default();
    context.ok(values::host_address("the address of a router", word, text), OF_ONE_HOST)
}

fn number_of(name: &str, words: &[Word], context: &mut Context<'_>) -> Option<u32> {
    let word = words.first()?;
    let number = context.ok(values::number(name, word, &(0..=i64::from(u32::MAX))), IN_RANGE)?;
    u32::try_from(number).ok()
}

/// A routing table by its number, or by the name that the host knows.
fn table(words: &[Word], context: &mut Context<'_>) -> Option<u32> {
    let word = words.first()?;
    let text = word.text();
    let table = called(Names::Tables, &text, context).filter(|table| *table != 0);
    if table.is_none() {
        let unknown = error(word.span, format!("there is no routing table {}", quote(&text)));
        context
            .push(unknown.help(format!("write its number, or give it a name in {}", Names::Tables.file())));
    }
    table
}

/// The table of a VRF, which must be there.
fn vrf_table(words: &[Word], context: &mut Context<'_>) -> Option<u32> {
    let word = words.first()?;
    let name = word.text();
    let table = context.host.vrf_table(&name);
    if table.is_none() {
        let unknown = error(word.span, format!("there is no VRF {}", quote(&name)));
        let unknown = unknown.label("keepalived leaves out the whole line");
        context.push(unknown.help("write `table N` with the table of that VRF, or make the VRF first"));
    }
    table
}

/// A type of service.
fn service(words: &[Word], context: &mut Context<'_>) -> Option<u8> {
    let word = words.first()?;
    let text = word.text();
    let service = called(Names::Services, &text, context).and_then(|service| u8::try_from(service).ok());
    if service.is_none() {
        let wrong = error(word.span, format!("{} is not a type of service", quote(&text)));
        let remedy = "a multiple of 4 from 0 to 252, such as 16 or 0x10, or a name from";
        context.push(wrong.help(format!("{remedy} {}", Names::Services.file())));
    }
    service
}

/// The kernel wants the two bits of ECN to be 0, and keepalived goes on where it refuses them.
fn expect_no_ecn(service: Option<u8>, span: Span, context: &mut Context<'_>) -> Option<()> {
    const ECN: u8 = 0b11;
    let Some(service) = service.filter(|service| service & ECN != 0) else { return Some(()) };
    let never = warning(span, format!("no packet has `tos {service}`: its last two bits are those of ECN"));
    let never = never.label("the line is left out; keepalived fails to add it");
    context.push(never.help(format!("write `tos {}`", service & !ECN)));
    None
}

/// `TO` or `FROM/TO`.
fn realms(words: &[Word], context: &mut Context<'_>) -> Option<Realms> {
    let word = words.first()?;
    let text = word.text();
    let (source, destination) = text.split_once('/').unwrap_or(("0", &text));
    let number =
        |text: &str| called(Names::Realms, text, context).and_then(|realm| u16::try_from(realm).ok());
    let realms = number(source).zip(number(destination));
    if realms.is_none() {
        let wrong = error(word.span, format!("{} is not a realm", quote(&text)));
        let remedy = "[FROM/]TO, each a number from 0 to 65535 or a name from";
        context.push(wrong.help(format!("{remedy} {}", Names::Realms.file())));
    }
    realms.map(|(source, destination)| Realms { source, destination })
}

/// Refuses what only the other family has.
fn expect_family(
    family: Family,
    only: Family,
    name: &str,
    span: Span,
    context: &mut Context<'_>,
) -> Option<()> {
    if family == only {
        return Some(());
    }
    let message = format!("`{name}` is for {} only", values::family_name(only));
    context.push(
        error(span, message)
            .help(format!("remove `{name}`, or write it where the networks are of that family")),
    );
    None
}
