//! The tables as text, for the reference page and for the test that no keyword is forgotten.

use std::fmt::Display;

use vrrp_common::time::Interval;

use super::{
    AUTHENTICATION, Class, FILE, GROUP, Grammar, INSTANCE, Keyword, PROCESS, ROOT, SCRIPT, Table,
    global::GLOBAL, values,
};

/// One keyword as documentation shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeywordRow {
    /// The block that it stands in.
    pub block: &'static str,
    /// The keyword.
    pub name: &'static str,
    /// `works`, `accepted` or `refused`.
    pub class: &'static str,
    /// What may follow it; empty for what is not read.
    pub grammar: String,
    /// What holds without it; empty if nothing does.
    pub default: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Why it has no effect, or what to do instead; empty for what works.
    pub reason: &'static str,
}

/// Every keyword of every block, in the order of the tables.
pub fn keyword_rows() -> Vec<KeywordRow> {
    let mut rows = of(&ROOT);
    rows.extend(of(&GLOBAL));
    rows.extend(of(&SCRIPT));
    rows.extend(of(&INSTANCE));
    rows.extend(of(&AUTHENTICATION));
    rows.extend(of(&GROUP));
    rows.extend(of(&FILE));
    rows.extend(of(&PROCESS));
    rows
}

fn of<T>(table: &'static Table<T>) -> Vec<KeywordRow> {
    table.rows().map(|keyword| row(table.block, keyword)).collect()
}

fn row<T>(block: &'static str, keyword: &'static Keyword<T>) -> KeywordRow {
    let (class, grammar, reason) = match &keyword.class {
        Class::Works(grammar) => ("works", text(grammar), ""),
        Class::Accepted(reason) => ("accepted", String::new(), *reason),
        Class::Refused(remedy) => ("refused", String::new(), *remedy),
    };
    KeywordRow {
        block,
        name: keyword.name,
        class,
        grammar,
        default: keyword.default,
        doc: keyword.doc,
        reason,
    }
}

fn text<T>(grammar: &Grammar<T>) -> String {
    match grammar {
        Grammar::Flag(_) => String::new(),
        Grammar::Switch(_) => "[on|off]".into(),
        Grammar::Number(range, _) => between(range.start(), range.end()),
        Grammar::Seconds(range, _) => {
            let (low, high) = (Interval::from_millis(*range.start()), Interval::from_millis(*range.end()));
            format!("{} seconds", between(values::decimal(low), values::decimal(high)))
        }
        Grammar::Name(_) => "NAME".into(),
        Grammar::Interface(_) => "INTERFACE".into(),
        Grammar::Secret(_) => "TEXT".into(),
        Grammar::Word(text, _) | Grammar::Line(text, _) => (*text).into(),
        Grammar::Values(text, _) => format!("{{ {text} }}"),
        Grammar::Block(..) => "{ ... }".into(),
    }
}

fn between(low: impl Display, high: impl Display) -> String {
    format!("{low}..{high}")
}
