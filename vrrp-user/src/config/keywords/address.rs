//! Entries of `virtual_ipaddress`, `virtual_ipaddress_excluded` and `static_ipaddress`.

use std::net::{IpAddr, Ipv4Addr};

use super::{ADDRESS_OPTIONS, apply_options};
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{AddressDraft, Broadcast, InstanceDraft},
    lexer::Word,
    model::VirtualAddress,
    source::Span,
    statement::Statement,
    values::{self, family_name, family_of},
};

/// What may stand on a line.
pub(super) const ENTRY: &str = "ADDRESS[/LENGTH] [dev IF] [brd ADDRESS|+|-] [scope S] [label L] [-nodad]";

/// Reads an entry of `virtual_ipaddress`: one family, or the router could not advertise them.
pub(super) fn add_address(instance: &mut InstanceDraft, entry: &Statement, context: &mut Context<'_>) {
    let span = entry.keyword.span;
    let Some(read) = read(entry, context) else {
        instance.address_refused = true;
        return;
    };
    let address = read.address;
    if let Some((first, other)) = instance.addresses.first()
        && family_of(first.address) != family_of(address)
    {
        let (ours, theirs) = (family_name(family_of(address)), family_name(family_of(first.address)));
        let mixed = error(span, format!("{address} is {ours}, but this virtual router is {theirs}"));
        context.push(mixed.related(*other, "the first address").help("make a vrrp_instance for each family"));
        return;
    }
    if is_new(instance, address, span, context) {
        instance.addresses.push((read, span));
    }
}

/// Reads an entry of `virtual_ipaddress_excluded`.
pub(super) fn add_excluded(instance: &mut InstanceDraft, entry: &Statement, context: &mut Context<'_>) {
    if let Some(read) = read(entry, context)
        && is_new(instance, read.address, entry.keyword.span, context)
    {
        instance.excluded.push(read);
    }
}

/// One entry, whoever holds it.
pub(super) fn read(entry: &Statement, context: &mut Context<'_>) -> Option<VirtualAddress> {
    let (address, prefix) = address_and_prefix(&entry.keyword, context)?;
    let mut options = AddressDraft::default();
    apply_options(ADDRESS_OPTIONS, &mut options, &entry.arguments, context);
    Some(finish(address, prefix, options, context))
}

fn is_new(instance: &mut InstanceDraft, address: IpAddr, span: Span, context: &mut Context<'_>) -> bool {
    if let Some(first) = instance.places.get(&address) {
        let twice = warning(span, format!("{address} is given twice; the first entry counts"));
        context.push(twice.related(*first, "given here first").help("remove one of the two"));
        return false;
    }
    instance.places.insert(address, span);
    true
}

fn address_and_prefix(word: &Word, context: &mut Context<'_>) -> Option<(IpAddr, u8)> {
    let text = word.text();
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (&*text, None),
    };
    let address = context.ok(values::host_address("a virtual address", word, address), ADDRESS_HELP)?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let Some(length) = length else { return Some((address, longest)) };
    let prefix = length.parse().ok().filter(|prefix| *prefix <= longest);
    if prefix.is_none() {
        let message = format!("the prefix length of {address} must be a whole number from 0 to {longest}");
        let wrong = error(word.span, format!("{message}, not {}", values::quote(length)));
        context.push(wrong.help(ADDRESS_HELP));
    }
    Some((address, prefix?))
}

const ADDRESS_HELP: &str = "one address a line, such as 192.0.2.10/24";

fn finish(address: IpAddr, prefix: u8, options: AddressDraft, context: &mut Context<'_>) -> VirtualAddress {
    let mut address = VirtualAddress {
        address,
        prefix,
        broadcast: None,
        device: options.device,
        scope: 0,
        label: None,
        detect_duplicates: options.detect_duplicates,
    };
    match address.address {
        IpAddr::V4(v4) => {
            let broadcast = options.broadcast;
            address.broadcast =
                broadcast.and_then(|(how, span)| broadcast_of(v4, prefix, how, span, context));
            address.scope = options.scope.map_or(0, |(scope, _)| scope);
            address.label = options.label.map(|(label, _)| label);
        }
        IpAddr::V6(_) => {
            let scope = options.scope.filter(|(scope, _)| *scope != 0).map(|(_, span)| ("scope", span));
            let given = [
                scope,
                options.label.map(|(_, span)| ("label", span)),
                options.broadcast.map(|(_, span)| ("brd", span)),
            ];
            for (option, span) in given.into_iter().flatten() {
                let useless = warning(span, format!("an IPv6 address has no `{option}`; it is ignored"));
                context.push(useless.help("remove it"));
            }
        }
    }
    address
}

fn broadcast_of(
    address: Ipv4Addr,
    prefix: u8,
    how: Broadcast,
    span: Span,
    context: &mut Context<'_>,
) -> Option<Ipv4Addr> {
    let host_bits = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
    let computed = match how {
        Broadcast::Address(address) => return Some(address),
        Broadcast::Ones => u32::from(address) | host_bits,
        Broadcast::Zeros => u32::from(address) & !host_bits,
    };
    if prefix > 30 {
        let message =
            format!("a network of prefix length {prefix} has no broadcast address; `brd` is ignored");
        context.push(warning(span, message).help("write the prefix length behind the address"));
        return None;
    }
    Some(Ipv4Addr::from(computed))
}
