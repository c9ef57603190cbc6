//! What family a virtual router is of: what its addresses say, or what else there is if it has none.

use std::net::IpAddr;

use vrrp_common::wire::Family;

use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::InstanceDraft,
    model::Instance,
    source::Span,
    values::{family_name, family_of, quote},
};

/// The family that the addresses decide; reports what is odd about them.
pub(super) fn family(draft: &InstanceDraft, context: &mut Context<'_>) -> Option<Family> {
    let Some((first, span)) = draft.addresses.first() else { return without_addresses(draft, context) };
    if let IpAddr::V6(address) = first.address
        && !address.is_unicast_link_local()
    {
        let first = warning(*span, "the first IPv6 address is not link-local");
        context.push(first.help("RFC 9568 wants it so, and strict routers insist; keepalived does not"));
    }
    let family = family_of(first.address);
    if let Some((_, span)) = draft.addresses.get(Instance::capacity(family)) {
        warn_of_many(*span, family, context);
    }
    warn_of_useless(draft, family, context);
    Some(family)
}

/// As in keepalived: what else has a family decides, and IPv4 if nothing has.
fn without_addresses(draft: &InstanceDraft, context: &mut Context<'_>) -> Option<Family> {
    if draft.address_refused {
        return None;
    }
    if draft.no_addresses.is_none() {
        let none = error(draft.span, format!("{} has no virtual address", quote(&draft.name)));
        let help = "virtual_ipaddress { 192.0.2.10/24 }; or `no_virtual_ipaddress` on all routers, if a program of \
                    `notify` moves the address";
        context.missing(none.help(help));
        return None;
    }
    if draft.native_ipv6.is_some() {
        return Some(Family::V6);
    }
    let given = [draft.source, draft.group].into_iter().flatten().map(|given| given.value);
    let first = given.chain(draft.peers.iter().map(|(peer, _)| peer.address)).next();
    Some(first.map_or(Family::V4, family_of))
}

fn warn_of_many(span: Span, family: Family, context: &mut Context<'_>) {
    let carried = Instance::capacity(family);
    let message = format!("an advertisement carries {carried} {} addresses", family_name(family));
    let help = "this one and those behind it move with the others, but are not advertised, as in keepalived";
    context.push(warning(span, message).help(help));
}

fn warn_of_useless(draft: &InstanceDraft, family: Family, context: &mut Context<'_>) {
    if let Some(span) = draft.no_addresses {
        let useless = warning(span, "`no_virtual_ipaddress` does nothing beside virtual addresses");
        context.push(
            useless.help("they are advertised, as in keepalived; keep the one or the other, on all routers"),
        );
    }
    if let Some(span) = draft.native_ipv6.filter(|_| family == Family::V4) {
        let useless = warning(span, "`native_ipv6` does nothing: the virtual addresses are IPv4");
        context.push(useless.help("remove it"));
    }
}
