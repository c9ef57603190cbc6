//! Options of the entries in `virtual_ipaddress`, `unicast_peer` and `track_script`.

use super::{
    EntryOption,
    OptionClass::{Accepted, Refused, Works},
};
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{AddressDraft, Broadcast, TrackDraft},
    iproute::{Names, plain},
    lexer::Word,
    model::UnicastPeer,
    source::Span,
    values::{self, IN_RANGE, LISTED, quote},
};

/// `ADDRESS[/LENGTH] OPTION ...`
pub(in crate::config) const ADDRESS_OPTIONS: &[EntryOption<AddressDraft>] = &[
    EntryOption { name: "dev", takes: 1, class: Works(set_device) },
    EntryOption { name: "brd", takes: 1, class: Works(set_broadcast) },
    EntryOption { name: "broadcast", takes: 1, class: Works(set_broadcast) },
    EntryOption { name: "scope", takes: 1, class: Works(set_scope) },
    EntryOption { name: "label", takes: 1, class: Works(set_label) },
    EntryOption { name: "-nodad", takes: 0, class: Works(|address, _, _| address.detect_duplicates = true) },
    EntryOption { name: "home", takes: 0, class: Accepted("the address is set without this flag") },
    EntryOption { name: "mngtmpaddr", takes: 0, class: Accepted("the address is set without this flag") },
    EntryOption { name: "noprefixroute", takes: 0, class: Accepted("the address is set without this flag") },
    EntryOption { name: "autojoin", takes: 0, class: Accepted("the address is set without this flag") },
    EntryOption { name: "preferred_lft", takes: 1, class: Accepted("the address is set without a lifetime") },
    EntryOption {
        name: "no_track",
        takes: 0,
        class: Accepted("an address that somebody else removes is put back, always"),
    },
    EntryOption { name: "peer", takes: 1, class: Refused("remove it, or set this address yourself") },
    EntryOption {
        name: "use_vmac",
        takes: 0,
        class: Refused("make a vrrp_instance with `use_vmac` for the interface of this address"),
    },
];

/// `ADDRESS [min_ttl N] [max_ttl N]`
pub(in crate::config) const PEER_OPTIONS: &[EntryOption<UnicastPeer>] = &[
    EntryOption { name: "min_ttl", takes: 1, class: Works(set_min_ttl) },
    EntryOption { name: "max_ttl", takes: 1, class: Works(set_max_ttl) },
];

/// `NAME [weight WEIGHT] [reverse]`
pub(in crate::config) const TRACK_OPTIONS: &[EntryOption<TrackDraft>] = &[
    EntryOption { name: "weight", takes: 1, class: Works(set_track_weight) },
    EntryOption { name: "reverse", takes: 0, class: Works(|track, _, _| track.reverse = Some(true)) },
    EntryOption { name: "noreverse", takes: 0, class: Works(|track, _, _| track.reverse = Some(false)) },
    EntryOption { name: "no_reverse", takes: 0, class: Works(|track, _, _| track.reverse = Some(false)) },
];

fn set_device(address: &mut AddressDraft, words: &[Word], context: &mut Context<'_>) {
    for word in words {
        address.device = context.ok(values::interface(word), LISTED);
        if let Some(device) = &address.device {
            context.expect_interface(device, word.span);
        }
    }
}

fn set_broadcast(address: &mut AddressDraft, words: &[Word], context: &mut Context<'_>) {
    for word in words {
        let broadcast = match word.bytes.as_slice() {
            b"+" => Some(Broadcast::Ones),
            b"-" => Some(Broadcast::Zeros),
            _ => broadcast_address(word, context),
        };
        address.broadcast = broadcast.map(|broadcast| (broadcast, word.span));
    }
}

fn broadcast_address(word: &Word, context: &mut Context<'_>) -> Option<Broadcast> {
    let address = word.text().parse().ok().map(Broadcast::Address);
    if address.is_none() {
        let message = format!("{} is not an IPv4 broadcast address", quote(&word.text()));
        context.push(error(word.span, message).help("`brd +` computes it from the prefix length"));
    }
    address
}

fn set_scope(address: &mut AddressDraft, words: &[Word], context: &mut Context<'_>) {
    address.scope = scope(words, context);
}

/// A number, or what the host has that name for.
pub(super) fn called(names: Names, text: &str, context: &Context<'_>) -> Option<u32> {
    plain(text).or_else(|| context.host.number(names, text))
}

/// A scope by its name or number, and where it stands.
pub(super) fn scope(words: &[Word], context: &mut Context<'_>) -> Option<(u8, Span)> {
    let word = words.first()?;
    let text = word.text();
    let number = called(Names::Scopes, &text, context);
    let scope = number.and_then(|scope| u8::try_from(scope).ok());
    if scope.is_none() {
        let unknown = error(word.span, format!("unknown scope {}", quote(&text)));
        let remedy = "global, site, link, host, nowhere, a number from 0 to 255, or a name from";
        context.push(unknown.help(format!("{remedy} {}", Names::Scopes.file())));
    }
    scope.map(|scope| (scope, word.span))
}

fn set_label(address: &mut AddressDraft, words: &[Word], context: &mut Context<'_>) {
    const LONGEST: usize = 15;
    for word in words {
        let text = word.text().into_owned();
        if values::is_placeholder(&text) && !text.contains(':') {
            let left = warning(word.span, format!("{} looks like a placeholder", quote(&text)));
            context.push(left.help("write the label that is meant, such as `eth0:1`"));
        }
        if text.is_empty() || text.len() > LONGEST {
            let wrong = error(word.span, format!("a label has 1 to {LONGEST} bytes: {}", quote(&text)));
            context.push(wrong.help("shorten it, such as to `eth0:1`"));
        }
        address.label = Some((text, word.span));
    }
}

fn set_min_ttl(peer: &mut UnicastPeer, words: &[Word], context: &mut Context<'_>) {
    set_ttl("min_ttl", &mut peer.min_ttl, words, context);
}

fn set_max_ttl(peer: &mut UnicastPeer, words: &[Word], context: &mut Context<'_>) {
    set_ttl("max_ttl", &mut peer.max_ttl, words, context);
}

fn set_ttl(name: &str, ttl: &mut u8, words: &[Word], context: &mut Context<'_>) {
    for word in words {
        if let Some(value) = context.ok(values::number(name, word, &(0..=255)), IN_RANGE) {
            // The range fits.
            *ttl = value as u8;
        }
    }
}

fn set_track_weight(track: &mut TrackDraft, words: &[Word], context: &mut Context<'_>) {
    for word in words {
        let help = "0 means that failure is a fault";
        if let Some(weight) = context.ok(values::number("weight", word, &(-253..=253)), help) {
            // The range fits.
            track.weight = Some(weight as i32);
        }
    }
}
