//! Keywords as data: what a row is, how a table is searched and how a value is read. The rows are in the files
//! of this folder, one for each block; no other part of the program lists keywords.

mod address;
mod apply;
mod checksum;
mod delays;
mod differences;
mod dumps;
mod entries;
mod file;
mod global;
mod group;
mod guard;
mod instance;
mod mail;
mod nftables;
mod notify;
mod options;
mod process;
mod receive;
mod reference;
mod root;
mod routing;
mod running;
mod script;
mod tracked;
mod tracking;

use std::{ops::RangeInclusive, sync::LazyLock};

use vrrp_common::time::Interval;

use super::{context::Context, draft::Given, lexer::Word, statement::Statement, values};

pub(super) use apply::apply;
pub(super) use differences::DIFFERENCES;
use entries::{ADDRESS_OPTIONS, PEER_OPTIONS, TRACK_OPTIONS};
use file::FILE;
use group::GROUP;
use instance::{AUTHENTICATION, INSTANCE};
use options::{EntryOption, OptionClass, apply_known_options, apply_options, did_you_mean};
pub use reference::{KeywordRow, keyword_rows};
pub(super) use root::ROOT;
use script::SCRIPT;
use tracked::PROCESS;

/// One keyword of a block whose settings go into a `T`.
pub(super) struct Keyword<T: 'static> {
    pub(super) name: &'static str,
    /// What it means, in one line; also the remedy when its value is wrong.
    pub(super) doc: &'static str,
    /// What holds without it, as one would write it; empty if nothing does.
    pub(super) default: &'static str,
    pub(super) class: Class<T>,
}

/// What becomes of a keyword.
pub(super) enum Class<T: 'static> {
    /// It does here what it does in keepalived.
    Works(Grammar<T>),
    /// It is read and changes nothing; why.
    Accepted(&'static str),
    /// The node does not run with it, because to ignore it would change who owns an address; what to do.
    Refused(&'static str),
}

/// What may follow a keyword, its range, and where the value goes.
pub(super) enum Grammar<T: 'static> {
    /// Nothing.
    Flag(fn(&mut T, Given<bool>)),
    /// Nothing, or `on|off|true|false|yes|no`.
    Switch(fn(&mut T, Given<bool>)),
    /// A whole number.
    Number(RangeInclusive<i64>, fn(&mut T, Given<i64>)),
    /// Seconds with up to nine decimals, the range in milliseconds.
    Seconds(RangeInclusive<u64>, fn(&mut T, Given<Interval>)),
    /// One word.
    Name(fn(&mut T, Given<String>)),
    /// The name of a network interface.
    Interface(fn(&mut T, Given<String>)),
    /// One word, as described.
    Word(&'static str, fn(&mut T, &Word, &mut Context<'_>)),
    /// One word that no message may show.
    Secret(fn(&mut T, &Word, &mut Context<'_>)),
    /// Something else on the line, as described.
    Line(&'static str, fn(&mut T, &Statement, &mut Context<'_>)),
    /// A block of lines, each as described.
    Values(&'static str, fn(&mut T, &Statement, &mut Context<'_>)),
    /// A block of keywords, and what to do with it.
    Block(&'static dyn Lookup, fn(&mut T, &Statement, &mut Context<'_>)),
}

/// What stands behind a keyword, as far as the parser must know.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Line,
    Values,
    Block(&'static dyn Lookup),
    /// A line or a block; what is in it does not matter.
    Any,
}

/// A table of keywords without the type of its settings.
pub(super) trait Lookup: Sync {
    /// What the block is called in messages.
    fn block(&self) -> &'static str;
    fn shape(&self, name: &str) -> Option<Shape>;
    fn names(&self) -> Vec<&'static str>;
    /// The keywords whose values must not be shown.
    fn secrets(&self) -> Vec<&'static str>;
    /// Whether there are such keywords.
    fn has_secrets(&self) -> bool {
        !self.secrets().is_empty()
    }
}

/// The keywords of one block.
pub(super) struct Table<T: 'static> {
    pub(super) block: &'static str,
    pub(super) sections: &'static [&'static [Keyword<T>]],
}

impl<T> Table<T> {
    pub(super) fn rows(&self) -> impl Iterator<Item = &'static Keyword<T>> {
        self.sections.iter().copied().flatten()
    }

    fn find(&self, name: &str) -> Option<&'static Keyword<T>> {
        self.rows().find(|row| row.name == name)
    }
}

impl<T> Keyword<T> {
    const fn works(
        name: &'static str,
        default: &'static str,
        grammar: Grammar<T>,
        doc: &'static str,
    ) -> Self {
        Self { name, doc, default, class: Class::Works(grammar) }
    }

    const fn accepted(name: &'static str, doc: &'static str, reason: &'static str) -> Self {
        Self { name, doc, default: "", class: Class::Accepted(reason) }
    }

    const fn refused(name: &'static str, doc: &'static str, remedy: &'static str) -> Self {
        Self { name, doc, default: "", class: Class::Refused(remedy) }
    }
}

impl<T> Lookup for Table<T> {
    fn block(&self) -> &'static str {
        self.block
    }

    fn shape(&self, name: &str) -> Option<Shape> {
        Some(match &self.find(name)?.class {
            Class::Works(grammar) => grammar.shape(),
            Class::Accepted(_) | Class::Refused(_) => Shape::Any,
        })
    }

    fn names(&self) -> Vec<&'static str> {
        self.rows().map(|row| row.name).collect()
    }

    fn secrets(&self) -> Vec<&'static str> {
        self.rows()
            .filter(|row| matches!(row.class, Class::Works(Grammar::Secret(_))))
            .map(|row| row.name)
            .collect()
    }
}

/// The table of the outermost level.
pub(super) fn root() -> &'static dyn Lookup {
    &ROOT
}

/// All tables that work, for suggestions.
fn tables() -> [&'static dyn Lookup; 8] {
    [&ROOT, &global::GLOBAL, &INSTANCE, &AUTHENTICATION, &SCRIPT, &GROUP, &FILE, &PROCESS]
}

/// Whether a keyword of this name has a value that must not be shown, in whatever block.
pub(super) fn is_secret(name: &str) -> bool {
    static SECRETS: LazyLock<Vec<&'static str>> =
        LazyLock::new(|| tables().iter().flat_map(|table| table.secrets()).collect());
    SECRETS.contains(&name)
}

/// What may have been meant by `name`, which `table` does not know.
pub(super) fn suggestion(table: &dyn Lookup, name: &str) -> Option<String> {
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return None;
    }
    if let Some(home) = tables().iter().find(|home| home.shape(name).is_some()) {
        return Some(format!("`{name}` belongs in {}", home.block()));
    }
    let near = values::nearest(name, table.names());
    let members = (table.block() == GROUP.block)
        .then(|| "the members of a group stand in a block of it: `group { NAME }`".to_owned());
    near.map(|near| format!("did you mean `{near}`?")).or(members)
}
