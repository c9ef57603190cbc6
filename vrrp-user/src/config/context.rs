//! What setters and checks share while a configuration is made: the report, the host, the sources.

use std::{borrow::Cow, collections::HashSet};

use super::{
    diagnostics::{Diagnostic, Report, warning},
    host::Host,
    source::{Sources, Span},
    values::quote,
};

/// What setters and checks may use besides the setting itself.
pub(super) struct Context<'a> {
    report: &'a mut Report,
    pub(super) sources: &'a Sources,
    pub(super) host: &'a dyn Host,
    noticed: HashSet<Cow<'static, str>>,
    /// The routers with errors, by the places of their names.
    refused: HashSet<Span>,
    /// How many errors those are.
    attributed: usize,
    whole: bool,
}

impl<'a> Context<'a> {
    /// `whole` says that the files could be read and their braces match.
    pub(super) fn new(report: &'a mut Report, sources: &'a Sources, host: &'a dyn Host, whole: bool) -> Self {
        let (noticed, refused) = (HashSet::new(), HashSet::new());
        Self { report, sources, host, noticed, refused, attributed: 0, whole }
    }

    /// How many errors there were so far.
    pub(super) fn errors(&self) -> usize {
        self.report.errors()
    }

    /// If there were more than `before`, they are the fault of this router alone, and only it is refused.
    pub(super) fn blame(&mut self, router: Span, before: usize) {
        let own = self.errors() - before;
        if own > 0 {
            self.attributed += own;
            self.refused.insert(router);
        }
    }

    pub(super) fn is_refused(&self, router: Span) -> bool {
        self.refused.contains(&router)
    }

    /// Whether every error is the fault of one router: the others can run.
    pub(super) fn others_can_run(&self) -> bool {
        self.whole && self.errors() == self.attributed
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.report.push(diagnostic);
    }

    /// The value, or `None` after its refusal was reported, with `help` if it has no better one.
    pub(super) fn ok<V>(&mut self, value: Result<V, Diagnostic>, help: &str) -> Option<V> {
        match value {
            Ok(value) => Some(value),
            Err(refused) if refused.help.is_none() && !help.is_empty() => {
                self.push(refused.help(help));
                None
            }
            Err(refused) => {
                self.push(refused);
                None
            }
        }
    }

    /// Whether the text at a place has these bytes, as they stand in the file.
    pub(super) fn contains(&self, span: Span, bytes: &[u8]) -> bool {
        self.sources.written(span).windows(bytes.len()).any(|window| window == bytes)
    }

    /// Says what is the same for every use of a thing (a keyword, by its name) at its first use only.
    pub(super) fn notice_once(
        &mut self,
        thing: impl Into<Cow<'static, str>>,
        notice: impl FnOnce() -> Diagnostic,
    ) {
        if self.noticed.insert(thing.into()) {
            self.push(notice());
        }
    }

    /// Reports what is not there, unless the files could not be read to their ends.
    pub(super) fn missing(&mut self, diagnostic: Diagnostic) {
        if self.whole {
            self.push(diagnostic);
        }
    }

    /// Warns if there is no such interface now, where it is named first.
    pub(super) fn expect_interface(&mut self, name: &str, span: Span) {
        if !self.host.has_interface(name) {
            self.notice_once(format!("interface {name}"), || {
                let missing = warning(span, format!("there is no interface {} now", quote(name)));
                missing.help("a virtual router without its interface waits in Fault until it appears")
            });
        }
    }
}
