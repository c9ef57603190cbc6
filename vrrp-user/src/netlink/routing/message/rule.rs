//! A rule in netlink's words, and whether one that the kernel tells of is the same.

use rtnetlink::packet_route::rule::{
    RuleAction, RuleAttribute, RuleFlags, RuleHeader, RuleMessage, RulePortRange, RuleUidRange,
};

use super::{OURS, number_of, realm, short};
use crate::config::model::{Action, Network, Range, Rule};

/// How the kernel says that no prefix length is suppressed.
const NOTHING: u32 = u32::MAX;

pub(super) fn message(rule: &Rule) -> RuleMessage {
    let mut message = RuleMessage::default();
    message.header.family = number_of(rule.family);
    message.header.src_len = rule.from.map_or(0, |network| network.length);
    message.header.dst_len = rule.to.map_or(0, |network| network.length);
    message.header.tos = rule.tos;
    message.header.action = action(rule.action);
    if let Action::Table(table) = rule.action {
        message.header.table = short(table);
    }
    if rule.inverted {
        message.header.flags = RuleFlags::Invert;
    }
    message.attributes = attributes(rule);
    message
}

/// All but what the kernel adds by itself.
fn attributes(rule: &Rule) -> Vec<RuleAttribute> {
    let mut attributes = vec![RuleAttribute::Priority(rule.priority), RuleAttribute::Protocol(OURS)];
    attributes.extend(match rule.action {
        Action::Table(table) => Some(RuleAttribute::Table(table)),
        Action::VrfTable => Some(RuleAttribute::L3MDev(true)),
        Action::Goto(priority) => Some(RuleAttribute::Goto(priority)),
        Action::Nop | Action::Blackhole | Action::Unreachable | Action::Prohibit => None,
    });
    let long = |network: &Network| network.length > 0;
    attributes.extend(rule.from.filter(long).map(|network| RuleAttribute::Source(network.address)));
    attributes.extend(rule.to.filter(long).map(|network| RuleAttribute::Destination(network.address)));
    attributes.extend(rule.input.clone().map(RuleAttribute::Iifname));
    attributes.extend(rule.output.clone().map(RuleAttribute::Oifname));
    if let Some((value, mask)) = rule.mark {
        attributes.extend([RuleAttribute::FwMark(value), RuleAttribute::FwMask(mask)]);
    }
    let ports = |range: Range<u16>| RulePortRange { start: range.first, end: range.last };
    let users = |range: Range<u32>| RuleUidRange { start: range.first, end: range.last };
    attributes.extend(rule.protocol.map(|number| RuleAttribute::IpProtocol(number.into())));
    attributes.extend(rule.source_ports.map(ports).map(RuleAttribute::SourcePortRange));
    attributes.extend(rule.destination_ports.map(ports).map(RuleAttribute::DestinationPortRange));
    attributes.extend(rule.users.map(users).map(RuleAttribute::UidRange));
    attributes.extend(rule.realms.map(realm).map(RuleAttribute::Realm));
    attributes.extend(rule.suppressed_length.map(RuleAttribute::SuppressPrefixLen));
    attributes.extend(rule.suppressed_group.map(RuleAttribute::SuppressIfGroup));
    attributes
}

fn action(action: Action) -> RuleAction {
    match action {
        Action::Table(_) | Action::VrfTable => RuleAction::ToTable,
        Action::Goto(_) => RuleAction::Goto,
        Action::Nop => RuleAction::Nop,
        Action::Blackhole => RuleAction::Blackhole,
        Action::Unreachable => RuleAction::Unreachable,
        Action::Prohibit => RuleAction::Prohibit,
    }
}

pub(super) fn is_same(rule: &Rule, found: &RuleMessage) -> bool {
    let ours = message(rule);
    let telling = |attribute: &&RuleAttribute| {
        matches!(
            attribute,
            RuleAttribute::Source(_)
                | RuleAttribute::Destination(_)
                | RuleAttribute::Iifname(_)
                | RuleAttribute::Oifname(_)
                | RuleAttribute::FwMark(_)
                | RuleAttribute::L3MDev(true)
                | RuleAttribute::IpProtocol(_)
                | RuleAttribute::SourcePortRange(_)
                | RuleAttribute::DestinationPortRange(_)
                | RuleAttribute::UidRange(_)
                | RuleAttribute::Realm(_)
                | RuleAttribute::SuppressIfGroup(_)
        ) || matches!(attribute, RuleAttribute::SuppressPrefixLen(length) if *length != NOTHING)
    };
    let header = |message: &RuleMessage| {
        let RuleHeader { family, src_len, dst_len, tos, action, flags, .. } = &message.header;
        (*family, *src_len, *dst_len, *tos, *action, flags.contains(RuleFlags::Invert))
    };
    // The kernel leaves out a priority of zero.
    let told = |attribute: &RuleAttribute| {
        found.attributes.contains(attribute) || *attribute == RuleAttribute::Priority(0)
    };
    header(found) == header(&ours)
        && ours.attributes.iter().all(told)
        && found.attributes.iter().filter(telling).all(|attribute| ours.attributes.contains(attribute))
}
