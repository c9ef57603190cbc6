//! Keywords of `global_defs` about the table of nft that drops packets to addresses which do not accept.

use super::{
    Grammar::{Flag, Line, Number},
    Keyword,
};
use crate::config::{
    context::Context, diagnostics::error, draft::GlobalDraft, statement::Statement, values::quote,
};

/// keepalived's, where the keyword stands alone.
const NAME: &str = "keepalived";
/// The kernel's limit.
const LONGEST: usize = 255;

pub(super) const NFTABLES: &[Keyword<GlobalDraft>] = &[
    Keyword::works(
        "nftables",
        "xvrrp_ and the name of the node",
        Line("[NAME]", set_table),
        "the table inet NAME of nft with the rules for no_accept, keepalived without a NAME; nobody else may have it",
    ),
    Keyword::works(
        "nftables_priority",
        "-1",
        Number(-2_147_483_648..=2_147_483_647, |globals, priority| {
            // The range fits.
            globals.nftables.priority = priority.value as i32;
        }),
        "priority of the chains of that table",
    ),
    Keyword::works(
        "nftables_counters",
        "off",
        Flag(|globals, on| globals.nftables.counters = on.value),
        "count what these rules drop, from the last reload on",
    ),
    Keyword::works(
        "nftables_ifindex",
        "off",
        Flag(|globals, on| globals.nftables.by_index = on.value),
        "the rules for link-local addresses name interfaces by index, if they are there at start or reload and not \
         of use_vmac",
    ),
];

fn set_table(globals: &mut GlobalDraft, statement: &Statement, context: &mut Context<'_>) {
    let Some(word) = statement.arguments.first() else {
        globals.nftables.table = Some(NAME.to_owned());
        return;
    };
    let name = word.text();
    if is_name(&name) {
        globals.nftables.table = Some(name.into_owned());
    } else {
        let wrong = error(word.span, format!("{} cannot be the name of a table of nft", quote(&name)));
        let help = format!("a letter or `_`, then letters, digits, `_`, `-` and `.`, {LONGEST} at most");
        context.push(wrong.help(help));
    }
}

fn is_name(name: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let other = |byte: u8| first(byte) || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    name.len() <= LONGEST && name.bytes().next().is_some_and(first) && name.bytes().all(other)
}
