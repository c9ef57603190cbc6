//! Keywords of `track_file` blocks.

use super::{
    Grammar::{Line, Name},
    Keyword, Table,
    script::weight,
};
use crate::config::{
    context::Context,
    diagnostics::warning,
    draft::FileDraft,
    statement::Statement,
    values::{self, quote},
};

/// All of `track_file` (and of its old name, `vrrp_track_file`).
pub(in crate::config) static FILE: Table<FileDraft> = Table { block: "track_file", sections: &[ROWS] };

type Row = Keyword<FileDraft>;

const ROWS: &[Row] = &[
    Row::works(
        "file",
        "",
        Name(|file, path| file.path = Some(path)),
        "the file; the number at its beginning counts, and 0 if there is none",
    ),
    Row::works(
        "weight",
        "1",
        Line("WEIGHT [reverse]", |file, line, context| {
            if let Some((weight, reverse)) = weight(line, &(-2_147_483_647..=2_147_483_647), context) {
                (file.weight, file.reverse) = (weight, reverse);
            }
        }),
        "what the number is multiplied by before it is added to the priority; 0: any number but 0 is a fault",
    ),
    Row::works(
        "init_file",
        "",
        Line("[VALUE] [overwrite]", set_init),
        "write this number at the start, if the file does not exist or should be overwritten",
    ),
];

fn set_init(file: &mut FileDraft, line: &Statement, context: &mut Context<'_>) {
    let (mut value, mut overwrite) = (0, false);
    for word in &line.arguments {
        let text = word.text();
        if text == "overwrite" {
            overwrite = true;
        } else if text.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
            let range = -2_147_483_648..=2_147_483_647;
            value = context.ok(values::number("init_file", word, &range), values::IN_RANGE).unwrap_or(value);
        } else {
            let unknown = warning(word.span, format!("unknown option {}; it is ignored", quote(&text)));
            context.push(unknown.help("remove it; there are a number and `overwrite`"));
        }
    }
    file.init = Some((value, overwrite));
}
