//! What the keywords of `vrrp_instance` do that is more than to keep a value.

use super::AUTHENTICATION;
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{Given, InstanceDraft, State},
    keywords::{PEER_OPTIONS, apply, apply_options},
    lexer::Word,
    model::UnicastPeer,
    statement::Statement,
    values::{self, quote},
};

pub(super) fn set_state(instance: &mut InstanceDraft, word: &Word, context: &mut Context<'_>) {
    let state = match word.bytes.as_slice() {
        b"MASTER" => State::Master,
        b"BACKUP" => State::Backup,
        _ => {
            let message = format!("unknown state {}; BACKUP is assumed", quote(&word.text()));
            context.push(warning(word.span, message).help("MASTER or BACKUP, in capital letters"));
            State::Backup
        }
    };
    if instance.state.is_some_and(|(first, _)| first == State::Master) && state == State::Backup {
        let useless = warning(word.span, "an earlier `state MASTER` counts");
        context.push(useless.help("keep one of the two: the first MASTER is what keepalived takes"));
        return;
    }
    instance.state = Some((state, word.span));
}

pub(super) fn authentication(instance: &mut InstanceDraft, statement: &Statement, context: &mut Context<'_>) {
    apply(&AUTHENTICATION, instance, &statement.body, context);
}

pub(super) fn set_auth_type(instance: &mut InstanceDraft, word: &Word, context: &mut Context<'_>) {
    let refused = match word.bytes.as_slice() {
        b"PASS" => return instance.auth_type = Some(word.span),
        b"AH" => error(word.span, "authentication by AH is not supported")
            .help("use `auth_type PASS` on all routers, or version 3 without authentication"),
        _ => error(word.span, format!("unknown authentication type {}", quote(&word.text())))
            .help("`auth_type PASS` is what there is; statements do not end in `;`"),
    };
    context.push(refused);
}

pub(super) fn set_password(instance: &mut InstanceDraft, word: &Word, context: &mut Context<'_>) {
    let bytes = &word.bytes;
    if bytes.len() > 8 {
        let cut = warning(word.span, "the password is cut to its first 8 bytes, as keepalived does");
        let help = "write these 8 bytes alone, the same on all routers: no more goes over the wire";
        context.push(cut.label(format!("{} bytes", bytes.len())).help(help));
    }
    if bytes.is_empty() {
        let empty = warning(word.span, "the password is empty");
        context.push(empty.help("write 1 to 8 bytes, the same on all routers"));
    }
    if bytes.starts_with(b"'") {
        let kept = warning(word.span, "the single quotes are part of the password, as for keepalived");
        context.push(kept.help("use double quotes to keep blanks, `#` and `!` in a password"));
    }
    if context.contains(word.span, b"\\#") || context.contains(word.span, b"\\!") {
        let escaped = warning(word.span, "`\\#` and `\\!` in a password are read in different ways");
        context
            .push(escaped.help("older keepalived takes them for the start of a comment; use double quotes"));
    }
    if context.contains(word.span, b"\\\"") {
        let escaped = error(word.span, "a double quote inside a quoted password is read in different ways");
        context.push(escaped.help("choose a password without double quotes"));
    }
    let mut password = [0; 8];
    password.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    instance.password = Some((password, word.span));
}

pub(super) fn set_source(instance: &mut InstanceDraft, word: &Word, context: &mut Context<'_>) {
    let source = values::host_address("a source address", word, &word.text());
    instance.source = context.ok(source, values::OF_ONE_HOST).map(|value| Given { value, span: word.span });
}

pub(super) fn set_unicast_source(instance: &mut InstanceDraft, word: &Word, context: &mut Context<'_>) {
    instance.unicast_keyword = Some(word.span);
    set_source(instance, word, context);
}

pub(super) fn set_group(instance: &mut InstanceDraft, word: &Word, context: &mut Context<'_>) {
    instance.group =
        context.ok(values::group(word), values::GROUPS).map(|value| Given { value, span: word.span });
}

pub(super) fn add_peer(instance: &mut InstanceDraft, entry: &Statement, context: &mut Context<'_>) {
    let word = &entry.keyword;
    let text = word.text();
    let (address, prefix) =
        text.split_once('/').map_or((&*text, None), |(address, prefix)| (address, Some(prefix)));
    if prefix.is_some() {
        let useless = warning(word.span, "the prefix length of a peer means nothing");
        context.push(useless.help("write the address alone"));
    }
    let Some(address) = context.ok(values::host_address("a peer", word, address), values::OF_ONE_HOST) else {
        return;
    };
    let mut peer = UnicastPeer { address, min_ttl: 0, max_ttl: 255 };
    apply_options(PEER_OPTIONS, &mut peer, &entry.arguments, context);
    if peer.min_ttl > peer.max_ttl {
        let none = error(word.span, format!("no TTL is accepted from {address}: min_ttl is above max_ttl"));
        context.push(none.help("swap the two, or remove one"));
    }
    instance.peers.push((peer, word.span));
}
