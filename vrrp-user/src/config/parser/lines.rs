//! What is said of a line before its keyword is looked up: secrets are hidden, what cannot be read is refused.

use super::{Content, Parser};
use crate::config::{
    diagnostics::{error, warning},
    keywords::{self, Lookup},
    lexer::Word,
    source::Span,
    statement::Statement,
    values::quote,
};

impl Parser<'_> {
    /// Checks the words of one line; returns whether it is a statement.
    pub(super) fn check_line(&mut self, content: Content, line: &Statement) -> bool {
        self.hide_secrets(content, line);
        for word in words(line) {
            self.check_word(word);
        }
        let Some((what, help)) = left_behind(content, &line.keyword) else { return true };
        let left = error(line.keyword.span, format!("{what}: {}", quote(&line.keyword.text())));
        self.report.push(left.help(help));
        false
    }

    /// A password is never shown: nothing that follows its keyword, whatever block that stands in; and in a
    /// block for passwords only keywords, what is like one, and the first word behind a keyword.
    fn hide_secrets(&mut self, content: Content, line: &Statement) {
        if let Some(word) = words(line).find(|word| keywords::is_secret(&word.text())) {
            self.sources.hide_after(word.span);
        } else if let Content::Keywords(table) = content
            && table.has_secrets()
        {
            let keyword = &line.keyword;
            let known = table.shape(&keyword.text()).is_some();
            let shown = match line.arguments.first().filter(|_| known) {
                Some(value) => value.span,
                None if may_be_shown(table, keyword) => keyword.span,
                None => Span { end: keyword.span.start, ..keyword.span },
            };
            self.sources.hide_after(shown);
        }
    }

    fn check_word(&mut self, word: &Word) {
        if word.bytes.windows(3).any(|window| window == b"${_") {
            let text = word.text();
            let refused =
                error(word.span, format!("{} is not predefined, or not with these words", quote(&text)));
            self.report.push(refused.help(PREDEFINED));
        }
        if std::str::from_utf8(&word.bytes).is_err() {
            self.report.push(warning(word.span, "this text is not UTF-8").help("save the file as UTF-8"));
        }
    }
}

const PREDEFINED: &str =
    "there are ${_PWD}, ${_INSTANCE}, ${_ENV NAME}, ${_RANDOM [MIN [MAX]]}, ${_HASH} and ${_BANG}";

fn words(line: &Statement) -> impl Iterator<Item = &Word> {
    std::iter::once(&line.keyword).chain(&line.arguments)
}

/// Whether a word that stands where a keyword should may be shown: in a block for passwords, only a keyword or
/// what is like one.
pub(super) fn may_be_shown(table: &dyn Lookup, first: &Word) -> bool {
    let name = first.text();
    let plain = name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    !table.has_secrets() || (plain && keywords::suggestion(table, &name).is_some())
}

/// What templates and forgotten definitions leave behind, by how a line begins. Lines of values are refused in
/// better words.
const LEFT_BEHIND: &[(&str, (&str, &str))] = &[
    ("$", ("there is no such definition before this line", "write `$NAME=value` above it")),
    ("{{", TEMPLATE),
    ("{%", TEMPLATE),
    ("<%", TEMPLATE),
];

const TEMPLATE: (&str, &str) = (
    "this is a template, not a configuration; fill it in first",
    "check what the program that fills it in has written, not what it reads",
);

/// What it is, and what to do.
fn left_behind(content: Content, first: &Word) -> Option<(&'static str, &'static str)> {
    let Content::Keywords(_) = content else { return None };
    let text = first.text();
    LEFT_BEHIND.iter().find(|(prefix, _)| text.starts_with(prefix)).map(|(_, what)| *what)
}
