//! The effective configuration for people and programs: every keyword that counts, its value, and where that
//! comes from. The values are those that the node runs with; nothing is decided here.

mod values;

use std::{borrow::Cow, collections::HashSet, fmt::Write};

use serde_json::{Value as Json, json};

use self::values::{BlockCounts, Counts};
use super::{
    Loaded,
    keywords::{self, KeywordRow, keyword_rows},
    source::{Sources, Span},
    statement::Statement,
};

/// One block of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// What kind of block, such as `vrrp_instance`.
    pub(super) keyword: String,
    /// Its name, if it has one.
    pub(super) name: Option<String>,
    /// What counts in it.
    pub(super) settings: Vec<Setting>,
}

/// One keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// The keyword.
    pub(super) keyword: &'static str,
    /// What it is set to.
    pub(super) value: Value,
    /// Where that was written; `None` for a default.
    pub(super) origin: Option<Span>,
    /// What was written there, if it is not what counts.
    pub(super) written: Option<String>,
}

/// What a keyword is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// What follows it on its line; nothing for a keyword that is just there.
    Line(String),
    /// The lines of its block.
    Lines(Vec<String>),
    /// A default that is not one value, in words.
    Words(&'static str),
}

/// The blocks of a configuration in the file's order, after those of the whole node; none if it cannot be used.
pub(super) fn blocks(loaded: &Loaded) -> Vec<Block> {
    let Some(configuration) = &loaded.configuration else { return Vec::new() };
    let rows = keyword_rows();
    let globals: Vec<&Statement> = bodies(&loaded.statements, "global_defs");
    let view = View { rows: &rows, globals: &globals, sources: &loaded.sources };
    let node = view.settings("global_defs", &globals, &BlockCounts::Nothing);
    let counts = Counts::of(configuration);
    let mut blocks = vec![Block { keyword: "global_defs".into(), name: None, settings: node }];
    for statement in &loaded.statements {
        let keyword = statement.keyword.text().into_owned();
        let works = rows
            .iter()
            .any(|row| row.block == keywords::root().block() && row.name == keyword && row.class == "works");
        if keyword == "global_defs" || !works {
            continue;
        }
        let body: Vec<&Statement> = statement.body.iter().collect();
        let name = statement.arguments.first().map(|word| word.text().into_owned());
        let counts = counts.block(&keyword, name.as_deref());
        let settings = if rows.iter().any(|row| row.block == keyword) {
            view.settings(&keyword, &body, &counts)
        } else {
            view.whole(statement)
        };
        blocks.push(Block { keyword, name, settings });
    }
    blocks
}

fn bodies<'s>(statements: &'s [Statement], keyword: &str) -> Vec<&'s Statement> {
    let named = statements.iter().filter(|statement| statement.keyword.text() == keyword);
    named.flat_map(|statement| &statement.body).collect()
}

struct View<'l> {
    rows: &'l [KeywordRow],
    globals: &'l [&'l Statement],
    sources: &'l Sources,
}

impl View<'_> {
    fn settings(&self, block: &str, body: &[&Statement], counts: &BlockCounts<'_>) -> Vec<Setting> {
        let rows = self.rows.iter().filter(|row| row.block == block && row.class == "works");
        rows.filter_map(|row| self.setting(row, body, counts.value(row.name))).collect()
    }

    fn setting(&self, row: &KeywordRow, body: &[&Statement], counts: Option<Value>) -> Option<Setting> {
        let given: Vec<&&Statement> = body.iter().filter(|given| given.keyword.text() == row.name).collect();
        let written = self.written(&given, row);
        let origin = given.last().map(|given| given.keyword.span).or_else(|| self.inherited(row));
        let value = match (&written, counts) {
            (_, Some(value)) => value,
            (Some(written), None) => written.clone(),
            (None, None) => self.default(row)?,
        };
        let differs = written.filter(|written| *written != value && !keywords::is_secret(row.name));
        let written = differs.map(|written| match written {
            Value::Line(text) => text,
            Value::Lines(lines) => lines.join("; "),
            Value::Words(words) => words.into(),
        });
        Some(Setting { keyword: row.name, value, origin, written })
    }

    /// What the file says, of the last one of several lines, or in all of several blocks.
    fn written(&self, given: &[&&Statement], row: &KeywordRow) -> Option<Value> {
        let last = given.last()?;
        if keywords::is_secret(row.name) {
            return Some(Value::Line(HIDDEN.into()));
        }
        if !row.grammar.starts_with('{') {
            return Some(Value::Line(self.text(&last.arguments)));
        }
        // Of what is tracked twice the first entry counts.
        let mut seen = HashSet::new();
        let mut counts =
            |entry: &Statement| !row.name.starts_with("track_") || seen.insert(entry.keyword.bytes.clone());
        let entries = given.iter().flat_map(|block| &block.body).filter(|entry| counts(entry));
        Some(Value::Lines(entries.map(|entry| self.entry(entry)).collect()))
    }

    fn entry(&self, entry: &Statement) -> String {
        let keyword = entry.keyword.text();
        if keywords::is_secret(&keyword) {
            return format!("{keyword} {HIDDEN}");
        }
        let rest = self.text(&entry.arguments);
        let first = self.slice(entry.keyword.span);
        if rest.is_empty() { first } else { format!("{first} {rest}") }
    }

    /// Words as they were written, with their quotes.
    fn text(&self, words: &[super::lexer::Word]) -> String {
        words.iter().map(|word| self.slice(word.span)).collect::<Vec<_>>().join(" ")
    }

    fn slice(&self, span: Span) -> String {
        String::from_utf8_lossy(self.sources.slice(span)).into_owned()
    }

    /// A block of entries as one setting.
    fn whole(&self, statement: &Statement) -> Vec<Setting> {
        let entries = statement.body.iter().map(|entry| self.entry(entry)).collect();
        let origin = Some(statement.keyword.span);
        vec![Setting { keyword: "", value: Value::Lines(entries), origin, written: None }]
    }

    /// The keyword of `global_defs` that decides where an instance says nothing, if it is given: defaults name it.
    fn inherited(&self, row: &KeywordRow) -> Option<Span> {
        let global = self.global_of(row)?;
        let given = self.globals.iter().rfind(|given| given.keyword.text() == global.name);
        given.map(|given| given.keyword.span).or_else(|| self.inherited(global))
    }

    fn global_of(&self, row: &KeywordRow) -> Option<&KeywordRow> {
        let words = row.default.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let mut globals = words.filter_map(|word| {
            self.rows.iter().find(|global| global.block == "global_defs" && global.name == word)
        });
        globals.find(|global| (global.block, global.name) != (row.block, row.name))
    }

    fn default(&self, row: &KeywordRow) -> Option<Value> {
        if let Some(global) = self.global_of(row) {
            let given: Vec<&&Statement> =
                self.globals.iter().filter(|given| given.keyword.text() == global.name).collect();
            return self.written(&given, global).or_else(|| self.default(global));
        }
        let one_word = !row.default.contains(' ') && !row.grammar.is_empty() && !row.grammar.starts_with('{');
        match row.default {
            "" | "off" => None,
            default if one_word => Some(Value::Line(default.into())),
            default => Some(Value::Words(default)),
        }
    }
}

const HIDDEN: &str = "********";

/// The blocks in the form of the file, with a comment on every line that says where it comes from.
pub(super) fn text(blocks: &[Block], sources: &Sources) -> String {
    let mut text = String::new();
    for block in blocks {
        let plain = |name: &str| !name.contains(|c: char| c.is_whitespace() || "#!{}\"\\".contains(c));
        let word = |name: &String| if plain(name) { name.clone() } else { quoted(name) };
        let name = block.name.as_ref().map_or_else(String::new, |name| format!(" {}", word(name)));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}{name} {{", block.keyword);
        for setting in &block.settings {
            write_setting(&mut text, setting, sources);
        }
        text.push_str("}\n\n");
    }
    text
}

fn write_setting(text: &mut String, setting: &Setting, sources: &Sources) {
    let origin = match (setting.origin, &setting.written) {
        (None, _) => "default".into(),
        (Some(span), None) => place(span, sources),
        (Some(span), Some(written)) if written.is_empty() => {
            format!("{}, without effect", place(span, sources))
        }
        (Some(span), Some(written)) => format!("{}, written as: {written}", place(span, sources)),
    };
    let keyword = setting.keyword;
    match &setting.value {
        Value::Line(value) => annotate(text, &format!("{keyword} {value}"), &origin),
        Value::Words(words) => annotate(text, &format!("# {keyword}: {words}"), &origin),
        Value::Lines(lines) if keyword.is_empty() => {
            lines.iter().for_each(|line| annotate(text, &inert(line), &origin));
        }
        Value::Lines(lines) => {
            annotate(text, &format!("{keyword} {{"), &origin);
            lines.iter().for_each(|line| text.push_str(&format!("        {}\n", inert(line))));
            text.push_str("    }\n");
        }
    }
}

/// An entry on a line of its own. It may have been written behind other words, and begin as a sequence, a condition, a
/// definition or the inclusion of a file do at the start of a line: then in quotes, which keep it a word.
fn inert(line: &str) -> Cow<'_, str> {
    if !line.starts_with(['~', '@', '$']) && !line.starts_with("include") {
        return line.into();
    }
    let (first, rest) = line.split_at(line.find(char::is_whitespace).unwrap_or(line.len()));
    (quoted(first) + rest).into()
}

/// What was escaped when it was read still is.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn annotate(text: &mut String, line: &str, origin: &str) {
    let line = line.trim_end();
    let _ = writeln!(text, "    {line:<40} # {}", origin.replace(['\n', '\r'], " "));
}

/// `FILE:LINE`
fn place(span: Span, sources: &Sources) -> String {
    format!("{}:{}", sources.file_name(span), sources.position(span).0)
}

/// The same for programs.
pub(super) fn json(blocks: &[Block], sources: &Sources) -> Json {
    let setting = |setting: &Setting| {
        let value = match &setting.value {
            Value::Line(line) => json!(line),
            Value::Lines(lines) => json!(lines),
            Value::Words(_) => Json::Null,
        };
        let origin = setting.origin.map(|span| {
            let (line, column) = sources.position(span);
            json!({ "file": sources.file_name(span), "line": line, "column": column })
        });
        json!({ "keyword": setting.keyword, "value": value, "origin": origin, "written": setting.written })
    };
    let block = |block: &Block| {
        let settings: Vec<Json> = block.settings.iter().map(setting).collect();
        json!({ "block": block.keyword, "name": block.name, "settings": settings })
    };
    blocks.iter().map(block).collect()
}
