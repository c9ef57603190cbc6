//! keepalived.conf and the command line, read into one effective [`model::Configuration`].
//!
//! Files become text (`reader`: includes, conditions, definitions), text tokens (`lexer`), tokens statements (`parser`), statements settings (`keywords`, tables of
//! data), settings a configuration (`lower`). All that is wrong is collected (`diagnostics`) and drawn
//! (`render`). Nothing here changes the host; what is asked of it goes through [`Host`].

mod asked;
mod context;
mod diagnostics;
mod draft;
mod effective;
mod glob;
mod hints;
mod host;
mod iproute;
mod keywords;
mod lexer;
mod lower;
pub mod model;
mod options;
mod pages;
mod parser;
mod piece;
mod reader;
mod remaining;
mod render;
mod source;
mod statement;
mod values;
mod words;

use std::path::{Path, PathBuf};

pub use diagnostics::{Diagnostic, Severity};
pub use host::{Host, ThisHost};
pub use iproute::Names;
pub use keywords::{KeywordRow, keyword_rows};
pub use options::Options;
pub use pages::{differences_page, keywords_page};
pub use remaining::{Partial, Refused, Remaining};
pub use render::{json, render, render_line};
pub use source::{SourceError, Sources, Span};

use diagnostics::Report;
use model::Configuration;
use statement::Statement;

/// What came of reading a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// The effective configuration; `None` if, and only if, there is an error among the diagnostics.
    pub configuration: Option<Configuration>,
    /// The configuration without the routers that have errors, if there is an error and nothing else has one.
    pub remaining: Option<Remaining>,
    /// Everything that the user should know, in the order of the places.
    pub diagnostics: Vec<Diagnostic>,
    /// What the diagnostics point into.
    pub sources: Sources,
    statements: Vec<Statement>,
}

impl Loaded {
    /// The network namespace to run in, if one is named and there is something to run.
    pub fn net_namespace(&self) -> Option<&str> {
        let rest = self.remaining.as_ref().map(|rest| &rest.configuration);
        self.configuration.as_ref().or(rest)?.net_namespace.as_deref()
    }

    /// What works and could be better, for a configuration that can be used. Looks at scripts and firewall rules
    /// of this host.
    pub fn hints(&self) -> Vec<Diagnostic> {
        self.hints_for(&ThisHost)
    }

    /// Like [`Self::hints`], for another host.
    pub fn hints_for(&self, host: &dyn Host) -> Vec<Diagnostic> {
        hints::hints(self, host)
    }

    /// The effective configuration in the form of a file, each line with where it comes from; empty if there is
    /// none. Passwords are not shown.
    pub fn text(&self) -> String {
        effective::text(&effective::blocks(self), &self.sources)
    }

    /// The same for programs; `null` if there is none.
    pub fn json(&self) -> serde_json::Value {
        let blocks = effective::blocks(self);
        self.configuration
            .as_ref()
            .map_or(serde_json::Value::Null, |_| effective::json(&blocks, &self.sources))
    }
}

/// Where the configuration is looked for, in this order, if no file is named.
const DEFAULT_PATHS: [&str; 2] = ["/etc/xvrrp/xvrrp.conf", "/etc/keepalived/keepalived.conf"];

/// The file to read if none is named: our own, else keepalived's, if there is one.
pub fn default_path() -> Option<PathBuf> {
    DEFAULT_PATHS.iter().map(PathBuf::from).find(|path| path.exists())
}

/// Reads a file, and what it includes, for this host. Bad input of any kind ends up in the diagnostics.
///
/// Lines that begin with `@ID` hold where ID is `config_id`, or the host's short name if that is `None`.
pub fn load(path: &Path, config_id: Option<&str>) -> Loaded {
    load_for(path, config_id, &ThisHost)
}

/// Like [`load`], for another host: the answers that depend on the host are `host`'s.
pub fn load_for(path: &Path, config_id: Option<&str>, host: &dyn Host) -> Loaded {
    let mut sources = Sources::default();
    let mut report = Report::default();
    let file = reader::read(path, config_id, &mut sources, &mut report, host);
    let statements = file.map(|file| parser::parse(&file, &mut sources, &mut report)).unwrap_or_default();
    finish(statements, sources, report, host)
}

/// Reads command line options for this host, by the same tables and checks as a file.
pub fn from_options(options: &Options) -> Loaded {
    from_options_for(options, &ThisHost)
}

/// Like [`from_options`], for another host.
pub fn from_options_for(options: &Options, host: &dyn Host) -> Loaded {
    let mut sources = Sources::default();
    let statements = options.statements(&mut sources);
    finish(statements, sources, Report::default(), host)
}

fn finish(statements: Vec<Statement>, sources: Sources, mut report: Report, host: &dyn Host) -> Loaded {
    let made = lower::lower(&statements, &mut report, &sources, &asked::Asked::new(host));
    let (configuration, remaining) = match made {
        Some(made) if !report.has_errors() => (Some(made.configuration), None),
        made => (None, made),
    };
    Loaded { configuration, remaining, diagnostics: report.into_diagnostics(), sources, statements }
}
