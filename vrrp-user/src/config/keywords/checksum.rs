//! `checksum`, our own keyword, and keepalived's `v3_checksum_as_v2`, which mean the same in `global_defs` and in
//! `vrrp_instance`.

use crate::config::{
    context::Context,
    draft::{ChecksumDraft, Given},
    lexer::Word,
    model::Checksum,
    values,
};

pub(super) const DOC: &str =
    "what the checksum of version 3 over IPv4 covers: auto (as the peer heard last), message or pseudo";
pub(super) const CHOICES: &str = "auto|message|pseudo";
pub(super) const AS_V2_DOC: &str =
    "version 3 over IPv4 without pseudo-header in the checksum, as `checksum message`";

pub(super) fn set(draft: &mut ChecksumDraft, word: &Word, context: &mut Context<'_>) {
    let choices = [("auto", Checksum::Auto), ("message", Checksum::Message), ("pseudo", Checksum::Pseudo)];
    let chosen = context.ok(values::choice("checksum", word, &choices), DOC);
    draft.choice = chosen.map(|value| Given { value, span: word.span }).or(draft.choice);
}

/// `off` is the default in keepalived too, where it means the pseudo-header always.
pub(super) fn set_as_v2(draft: &mut ChecksumDraft, on: Given<bool>) {
    draft.as_v2 = Some(if on.value { Checksum::Message } else { Checksum::Auto });
}
