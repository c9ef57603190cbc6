//! Keywords of `vrrp_script`.

use std::ops::RangeInclusive;

use super::{
    Grammar::{Flag, Line, Number, Seconds},
    Keyword, Table,
};
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{ScriptDraft, UserName},
    lexer::Word,
    statement::Statement,
    values::{self, quote},
};

/// All of `vrrp_script`.
pub(in crate::config) static SCRIPT: Table<ScriptDraft> = Table { block: "vrrp_script", sections: &[ROWS] };

type Row = Keyword<ScriptDraft>;

const ROWS: &[Row] = &[
    Row::works(
        "script",
        "",
        Line("COMMAND [ARGUMENT ...]", set_command),
        "the command; exit status 0 is success",
    ),
    Row::works(
        "interval",
        "1",
        Seconds(10..=4_294_000, |script, interval| script.interval = Some(interval.value)),
        "seconds from one run to the next",
    ),
    Row::works(
        "timeout",
        "the interval",
        Seconds(10..=4_294_000, |script, timeout| script.timeout = Some(timeout.value)),
        "seconds after which a run has failed",
    ),
    Row::works(
        "weight",
        "0",
        Line("WEIGHT [reverse]", set_weight),
        "added to the priority, -253 to 253: positive while the check succeeds, negative while it fails; 0: \
         failure is a fault",
    ),
    Row::works(
        "rise",
        "1",
        Number(1..=2_147_483_647, |script, count| script.rise = Some(count.value)),
        "consecutive successes that turn the check good",
    ),
    Row::works(
        "fall",
        "1",
        Number(1..=2_147_483_647, |script, count| script.fall = Some(count.value)),
        "consecutive failures that turn the check bad",
    ),
    Row::works(
        "user",
        "script_user",
        Line("USER [GROUP]", set_user),
        "the user, and the group, that it runs as",
    ),
    Row::works(
        "init_fail",
        "off",
        Flag(|script, on| script.init_fail = on.value),
        "the check begins as failing",
    ),
];

fn set_command(script: &mut ScriptDraft, statement: &Statement, _: &mut Context<'_>) {
    script.command = (!statement.arguments.is_empty()).then(|| statement.arguments_span());
}

fn set_user(script: &mut ScriptDraft, statement: &Statement, context: &mut Context<'_>) {
    script.user = user_name(statement, context);
}

/// Reads `USER [GROUP]`, the arguments of `user` and `script_user`.
pub(super) fn user_name(statement: &Statement, context: &mut Context<'_>) -> Option<UserName> {
    if statement.arguments.is_empty() {
        let keyword = statement.keyword.text();
        let none = error(statement.keyword.span, format!("`{keyword}` needs a user name"));
        context.push(none.help("write a user, and a group if it is not the user's own"));
    }
    user_name_of(&statement.arguments, context)
}

/// Reads `[USER [GROUP]]`.
pub(super) fn user_name_of(words: &[Word], context: &mut Context<'_>) -> Option<UserName> {
    let mut words = words.iter();
    let user = words.next()?;
    let group = words.next();
    if let Some(extra) = words.next() {
        let useless = warning(extra.span, "what follows the group is ignored");
        context.push(useless.help("remove it, or put it on a line of its own"));
    }
    let span = group.map_or(user.span, |group| user.span.to(group.span));
    let group = group.map(|group| group.text().into_owned());
    Some(UserName { user: user.text().into_owned(), group, span })
}

fn set_weight(script: &mut ScriptDraft, statement: &Statement, context: &mut Context<'_>) {
    if let Some((weight, reverse)) = weight(statement, &(-253..=253), context) {
        script.weight = weight;
        script.reverse |= reverse;
    }
}

/// Reads `WEIGHT [reverse]`; the range fits an `i32`.
pub(super) fn weight(
    statement: &Statement,
    range: &RangeInclusive<i64>,
    context: &mut Context<'_>,
) -> Option<(i32, bool)> {
    let Some((weight, rest)) = statement.arguments.split_first() else {
        context.push(error(statement.keyword.span, "`weight` needs a number").help(WEIGHTS));
        return None;
    };
    let weight = context.ok(values::number("weight", weight, range), WEIGHTS)?;
    let mut reverse = false;
    for word in rest {
        match word.bytes.as_slice() {
            b"reverse" => reverse = true,
            _ => {
                let unknown =
                    warning(word.span, format!("unknown option {}; it is ignored", quote(&word.text())));
                context.push(unknown.help("remove it; `reverse` is what there is"));
            }
        }
    }
    Some((weight as i32, reverse))
}

const WEIGHTS: &str = "0 means that failure is a fault";
