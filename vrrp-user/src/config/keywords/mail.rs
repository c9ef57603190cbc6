//! Keywords of `global_defs` about mail.

use super::{
    Grammar::{Flag, Line, Seconds, Switch, Values, Word as OneWord},
    Keyword,
};
use crate::config::{
    context::Context,
    diagnostics::warning,
    draft::{Given, GlobalDraft},
    lexer::Word,
    statement::Statement,
    values,
};

pub(super) const MAIL: &[Keyword<GlobalDraft>] = &[
    Keyword::works(
        "smtp_server",
        "",
        Line("HOST [PORT]", set_server),
        "the mail server, by name or address; without it no mail is sent",
    ),
    Keyword::works(
        "smtp_helo_name",
        "the host name",
        OneWord("a name", |globals, word, context| {
            globals.mail.helo = plain("name", word, context).or_else(|| globals.mail.helo.take());
        }),
        "the name that the mail server is told",
    ),
    Keyword::works(
        "smtp_connect_timeout",
        "30",
        Seconds(1000..=3_600_000, |globals, limit| globals.mail.timeout = Some(limit.value)),
        "seconds that the mail server may take to be there, and for each answer",
    ),
    Keyword::works(
        "notification_email",
        "",
        Values("ADDRESS ...", add_receivers),
        "who is sent mail; without a receiver none is sent",
    ),
    Keyword::works(
        "notification_email_from",
        "root at the host name",
        OneWord("a mail address", |globals, word, context| {
            globals.mail.from = plain(ADDRESS, word, context).or_else(|| globals.mail.from.take());
        }),
        "the sender of mail",
    ),
    Keyword::works(
        "smtp_alert",
        "off",
        Switch(|globals, on| globals.mail.alert = Some(on)),
        "mail for the transitions of every instance and group that does not say otherwise",
    ),
    Keyword::works(
        "smtp_alert_vrrp",
        "smtp_alert",
        Switch(|globals, on| globals.mail.alert_vrrp = Some(on)),
        "like smtp_alert, which it outranks",
    ),
    Keyword::works(
        "no_email_faults",
        "off",
        Flag(|globals, on| globals.mail.no_faults = on.value),
        "no mail for faults",
    ),
];

const ADDRESS: &str = "mail address";

fn set_server(globals: &mut GlobalDraft, statement: &Statement, context: &mut Context<'_>) {
    const DEFAULT_PORT: u16 = 25;
    let [host, rest @ ..] = statement.arguments.as_slice() else {
        let keyword = &statement.keyword;
        let none = warning(keyword.span, "`smtp_server` needs a host; no mail is sent");
        return context.push(none.help("write its name or address, and a port if it is not 25"));
    };
    let port = match rest {
        [] => Ok(DEFAULT_PORT),
        // The range fits.
        [port, ..] => values::number("smtp_server", port, &(1..=65535)).map(|port| port as u16),
    };
    let Some(port) = context.ok(port, "HOST [PORT], as in `smtp_server mail.example.org 25`") else { return };
    globals.mail.server = Some((host.text().into_owned(), port));
}

fn add_receivers(globals: &mut GlobalDraft, entry: &Statement, context: &mut Context<'_>) {
    for word in std::iter::once(&entry.keyword).chain(&entry.arguments) {
        globals.mail.to.extend(plain(ADDRESS, word, context).map(|value| Given { value, span: word.span }));
    }
}

/// What the mail server may be told as a part of a line, such as an address without its angle brackets.
fn plain(what: &str, word: &Word, context: &mut Context<'_>) -> Option<String> {
    let text = word.text();
    let bare = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(&text);
    let odd = |character: char| !character.is_ascii_graphic() || "<>,;".contains(character);
    if bare.is_empty() || bare.contains(odd) {
        let none = warning(word.span, format!("{} is no {what}; it is left out", values::quote(&text)));
        context.push(none.help("no spaces, names or commas: write `user@example.org` alone"));
        return None;
    }
    Some(bare.to_owned())
}
