//! Keywords of `vrrp_track_process`.

use super::{
    Grammar::{Flag, Line, Number, Seconds, Word as OneWord},
    Keyword, Table,
    script::weight,
};
use crate::config::{
    context::Context,
    diagnostics::error,
    draft::ProcessDraft,
    lexer::Word,
    model::ParameterMatch,
    statement::Statement,
    values::{self},
};

/// All of `vrrp_track_process`.
pub(in crate::config) static PROCESS: Table<ProcessDraft> =
    Table { block: "vrrp_track_process", sections: &[ROWS] };

type Row = Keyword<ProcessDraft>;

/// The longest delay, an hour, in milliseconds.
const LONGEST: u64 = 3_600_000;

const ROWS: &[Row] = &[
    Row::works("process", "", Line("PROGRAM [PARAMETER ...]", set_process), "the processes that are counted"),
    Row::works(
        "param_match",
        "exact where parameters are given",
        OneWord("initial|partial|exact", set_match),
        "how their parameters are compared",
    ),
    Row::works(
        "weight",
        "0",
        Line("WEIGHT [reverse]", |process, line, context| {
            if let Some((weight, reverse)) = weight(line, &(-254..=254), context) {
                (process.weight, process.reverse) = (weight, reverse);
            }
        }),
        "added to the priority, -254 to 254: positive while there are enough, negative while not; 0: too few \
         are a fault",
    ),
    Row::works(
        "quorum",
        "1",
        Number(0..=65_535, |process, count| process.quorum = Some(count.value)),
        "how many processes are enough",
    ),
    Row::works(
        "quorum_max",
        "any number",
        Number(0..=65_535, |process, count| process.quorum_max = Some(count.value)),
        "how many are not too many",
    ),
    Row::works(
        "delay",
        "0",
        Seconds(0..=LONGEST, |process, delay| {
            (process.fork_delay, process.terminate_delay) = (Some(delay.value), Some(delay.value));
        }),
        "both fork_delay and terminate_delay",
    ),
    Row::works(
        "fork_delay",
        "0",
        Seconds(0..=LONGEST, |process, delay| process.fork_delay = Some(delay.value)),
        "seconds from enough processes to success",
    ),
    Row::works(
        "terminate_delay",
        "0",
        Seconds(0..=LONGEST, |process, delay| process.terminate_delay = Some(delay.value)),
        "seconds from too few processes to failure",
    ),
    Row::works(
        "full_command",
        "off",
        Flag(|process, on| process.full_command = on.value),
        "compare with the command line rather than with the program's name",
    ),
];

fn set_process(process: &mut ProcessDraft, line: &Statement, context: &mut Context<'_>) {
    process.command = line.arguments.iter().map(|word| word.text().into_owned()).collect();
    if process.command.is_empty() {
        context.push(error(line.keyword.span, "`process` needs a program").help("process nginx"));
    }
}

fn set_match(process: &mut ProcessDraft, word: &Word, context: &mut Context<'_>) {
    let choices = [
        ("initial", ParameterMatch::Initial),
        ("partial", ParameterMatch::Partial),
        ("exact", ParameterMatch::Exact),
    ];
    process.parameters =
        context.ok(values::choice("param_match", word, &choices), "write one of these, or remove the line");
}
