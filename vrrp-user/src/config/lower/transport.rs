//! From where and to whom advertisements go.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use vrrp_common::wire::Family;

use super::count;
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{GlobalDraft, InstanceDraft},
    model::{Network, UnicastPeer},
    source::Span,
    values::{family_name, family_of},
};

fn of_family(address: IpAddr, family: Family, span: Span, context: &mut Context<'_>) {
    if family_of(address) != family {
        let (ours, theirs) = (family_name(family), family_name(family_of(address)));
        let wrong = error(span, format!("{address} is {theirs}, but this virtual router is {ours}"));
        context.push(wrong.help("the virtual addresses say which family is used; without any, `native_ipv6`, the source or the first peer does"));
    }
}

pub(super) fn source(draft: &InstanceDraft, family: Family, context: &mut Context<'_>) -> Option<IpAddr> {
    let given = draft.source?;
    of_family(given.value, family, given.span, context);
    Some(given.value)
}

pub(super) fn group(
    draft: &InstanceDraft,
    globals: &GlobalDraft,
    family: Family,
    context: &mut Context<'_>,
) -> IpAddr {
    if let Some(given) = draft.group {
        of_family(given.value, family, given.span, context);
        return given.value;
    }
    match family {
        Family::V4 => globals.group4.unwrap_or(IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18))),
        Family::V6 => globals.group6.unwrap_or(IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12))),
    }
}

pub(super) fn peers(draft: &InstanceDraft, family: Family, context: &mut Context<'_>) -> Vec<UnicastPeer> {
    let mut peers: Vec<UnicastPeer> = Vec::new();
    let mut seen = HashSet::new();
    for (peer, span) in &draft.peers {
        of_family(peer.address, family, *span, context);
        if !seen.insert(peer.address) {
            let twice = warning(*span, format!("{} is given twice; the first entry counts", peer.address));
            context.push(twice.help("remove one of the two"));
        } else {
            peers.push(*peer);
        }
    }
    match (draft.peers_required, draft.unicast_keyword) {
        (Some(span), _) if peers.is_empty() => {
            let none = error(span, "there are no unicast peers");
            context.push(none.help("unicast_peer { ADDRESS }"));
        }
        (_, Some(span)) if peers.is_empty() => {
            let none = warning(span, "there are no unicast peers; advertisements are multicast");
            context.push(none.help("name the peers in unicast_peer, or use mcast_src_ip"));
        }
        _ => {}
    }
    peers
}

/// Multicast never leaves the link, and receivers insist on 255.
pub(super) fn ttl(draft: &InstanceDraft, context: &mut Context<'_>) -> u8 {
    let Some(given) = draft.ttl else { return u8::MAX };
    if draft.peers.is_empty() && given.value != i64::from(u8::MAX) {
        let unused = warning(given.span, "there are no unicast peers; the TTL of multicast is always 255");
        context.push(unused.help("remove it, or name the peers in unicast_peer"));
    }
    count(Some(given.value), u8::MAX)
}

pub(super) fn tracks_source(draft: &InstanceDraft, context: &mut Context<'_>) -> bool {
    if let (Some(span), None) = (draft.tracks_source, draft.source) {
        let help =
            "the interface's own address is always tracked; name one with unicast_src_ip or mcast_src_ip";
        context.push(warning(span, "`track_src_ip` does nothing without a source address").help(help));
    }
    draft.tracks_source.is_some()
}

/// A list that admits nobody would make two routers Active, so it is none.
pub(super) fn accept_from(
    draft: &InstanceDraft,
    family: Family,
    context: &mut Context<'_>,
) -> Option<Vec<Network>> {
    if !draft.given.contains(&"accept_from") {
        return None;
    }
    let admitted = || draft.admitted.iter().filter(|network| family_of(network.address) == family);
    if admitted().next().is_none() && !draft.admission_refused {
        let message = format!("`accept_from` admits no {} router", family_name(family));
        context.push(error(draft.span, message).help("list the networks of the other routers, or remove it"));
    }
    for (peer, span) in &draft.peers {
        if !admitted().any(|network| network.contains(peer.address)) && !draft.admission_refused {
            let message = format!("`accept_from` does not admit the unicast peer {}", peer.address);
            context.push(warning(*span, message).help("nothing that it sends will count"));
        }
    }
    Some(admitted().copied().collect())
}
