//! Entries of `interface_up_down_delays`.

use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{Draft, Given},
    model::LinkDelay,
    statement::Statement,
    values,
};

/// What may stand on a line.
pub(super) const ENTRY: &str = "IF DOWN [UP]";
/// Seconds, in milliseconds.
const RANGE: std::ops::RangeInclusive<u64> = 0..=255_000;
const HELP: &str = "IF DOWN [UP]: how many seconds it must be down, or up, until that counts; 0 to 255";

/// Reads a line. Without a delay for up it is that for down.
pub(super) fn add(draft: &mut Draft, entry: &Statement, context: &mut Context<'_>) {
    let Some(interface) = context.ok(values::interface(&entry.keyword), HELP) else { return };
    context.expect_interface(&interface, entry.keyword.span);
    let [down, rest @ ..] = entry.arguments.as_slice() else {
        return context.push(error(entry.keyword.span, "a delay is missing").help(HELP));
    };
    if let Some(extra) = rest.get(1) {
        let useless = warning(extra.span, "what follows the two delays is ignored");
        context.push(useless.help("remove it, or put it on a line of its own"));
    }
    let up = rest.first().unwrap_or(down);
    let mut delay = |word| context.ok(values::seconds("the delay", word, &RANGE), HELP);
    if let (Some(down), Some(up)) = (delay(down), delay(up)) {
        let value = LinkDelay { interface, down, up };
        draft.link_delays.push(Given { value, span: entry.keyword.span });
    }
}
