//! Files to text: what is included, what is conditional, what is defined and what is repeated. The text is what
//! a file without all that would hold; words and blocks are not known here.
//!
//! As in keepalived (its manual, "Advanced configuration") all of it is decided line by line. Unlike there,
//! an `include` may be conditional and may be inserted by a definition.

mod definitions;
mod expansion;
mod files;
mod input;
mod predefined;
mod sequence;
mod text;

use std::{ops::Range, path::Path};

use super::{
    diagnostics::{Report, error},
    host::Host,
    source::{Sources, Span},
};
use definitions::Definitions;
use files::OpenFile;

/// How many bytes all uses of definitions and all repeated lines may be together. keepalived's manual has an
/// example of 65024 routers, which is more than that, and more than any host runs.
const EXPANSION_LIMIT: usize = 16 * 1024 * 1024;

/// One file as it is to be parsed.
#[derive(Debug)]
pub(super) struct File {
    /// The source that holds its text.
    pub(super) source: u32,
    pub(super) parts: Vec<Part>,
}

/// A part of a file.
#[derive(Debug)]
pub(super) enum Part {
    /// A range of its source.
    Text(Range<usize>),
    /// What an `include` stands for.
    Include(Vec<File>),
}

/// Reads `path` and what it includes; what cannot be read is reported. A text without end is nothing: what its
/// beginning means is of no use.
pub(super) fn read(
    path: &Path,
    config_id: Option<&str>,
    sources: &mut Sources,
    report: &mut Report,
    host: &dyn Host,
) -> Option<File> {
    let config_id = config_id.map_or_else(|| short(&host.name()).to_owned(), str::to_owned);
    let mut reader = Reader {
        sources,
        report,
        host,
        config_id,
        definitions: Definitions::default(),
        open_files: Vec::new(),
        includes: 0,
        spent: 0,
        rounds: 0,
        exhausted: false,
        warned: Vec::new(),
    };
    let file = reader.file(path, None);
    file.filter(|_| !reader.exhausted)
}

/// A host's name without its domain.
fn short(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// What all files of one configuration share.
struct Reader<'a> {
    sources: &'a mut Sources,
    report: &'a mut Report,
    host: &'a dyn Host,
    /// What follows `@` on lines that hold for this host.
    config_id: String,
    definitions: Definitions,
    /// Outermost first.
    open_files: Vec<OpenFile>,
    includes: usize,
    /// Out of [`EXPANSION_LIMIT`].
    spent: usize,
    /// Of sequences, so far.
    rounds: usize,
    exhausted: bool,
    /// Definitions of which it was said that they are not replaced where something follows them.
    warned: Vec<definitions::Name>,
}

/// What to do about a file that is too much for one node.
pub(super) const SPREAD: &str = "one node runs some thousands of virtual routers: give every node a part of them, by \
                                 shorter sequences, or by lines that begin with `@ID` and hold for the node that \
                                 runs with `-i ID`";

impl Reader<'_> {
    /// Takes from what expansions may cost; false, after it was reported, if it is used up.
    fn charge(&mut self, cost: usize, place: Span) -> bool {
        self.spent = self.spent.saturating_add(cost);
        if self.spent > EXPANSION_LIMIT && !self.exhausted {
            self.exhausted = true;
            let (mebibytes, rounds) = (EXPANSION_LIMIT >> 20, self.rounds);
            let message = format!(
                "definitions and sequences make more than {mebibytes} MiB, by {rounds} rounds of sequences so far; \
                 that is the limit, and what follows is not read"
            );
            self.report.push(error(place, message).help(SPREAD));
        }
        !self.exhausted
    }
}
