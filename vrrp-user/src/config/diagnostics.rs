//! What the user is told: severity, place, message and remedy, collected in order. Drawing them is in `render`.

use super::source::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It works, and something else would work better.
    Hint,
    /// Good to know; nothing needs to be done.
    Notice,
    /// Probably not what was meant; the node runs.
    Warning,
    /// The node does not run with this.
    Error,
}

impl Severity {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Hint => "hint",
        }
    }
}

/// One message with its place and remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// One sentence that names the thing and the value.
    pub message: String,
    /// Where; `None` for what has no place, such as a file that cannot be read.
    pub span: Option<Span>,
    /// A few words beside the place.
    pub label: Option<String>,
    /// Another place that matters, and why.
    pub related: Option<Box<(Span, String)>>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without label, related place and help.
    pub fn new(severity: Severity, span: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { severity, message, span: span.into(), label: None, related: None, help: None }
    }

    /// With a few words beside the place.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With another place.
    pub fn related(mut self, span: Span, why: impl Into<String>) -> Self {
        self.related = Some(Box::new((span, why.into())));
        self
    }

    /// With a remedy.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// An error at a place.
pub(super) fn error(span: impl Into<Option<Span>>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Severity::Error, span, message)
}

/// A warning at a place.
pub(super) fn warning(span: impl Into<Option<Span>>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Severity::Warning, span, message)
}

/// A notice at a place.
pub(super) fn notice(span: impl Into<Option<Span>>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Severity::Notice, span, message)
}

/// Advice about a place.
pub(super) fn hint(span: impl Into<Option<Span>>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Severity::Hint, span, message)
}

/// How many errors are kept, and how many of the rest: a hostile file must not fill the memory.
const KEPT: usize = 250;

/// Collects diagnostics; bounded, and never forgets that there was an error.
#[derive(Debug, Default)]
pub(super) struct Report {
    kept: Vec<Diagnostic>,
    errors: usize,
    others: usize,
}

impl Report {
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        let counter =
            if diagnostic.severity == Severity::Error { &mut self.errors } else { &mut self.others };
        *counter += 1;
        if *counter <= KEPT {
            self.kept.push(diagnostic);
        }
    }

    /// Whether warnings and notices are still kept: what is expensive to say need not be said otherwise.
    pub(super) fn listening(&self) -> bool {
        self.others < KEPT
    }

    pub(super) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// What was kept, in the order of the places and each only once; what has no place comes first.
    pub(super) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.kept.sort_by_key(|diagnostic| diagnostic.span.map(|span| (span.file, span.start)));
        self.kept.dedup();
        let dropped = self.errors.saturating_sub(KEPT) + self.others.saturating_sub(KEPT);
        if dropped > 0 {
            let severity = if self.errors > KEPT { Severity::Error } else { Severity::Notice };
            self.kept.push(Diagnostic::new(severity, None, format!("{dropped} more messages are not shown")));
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_warnings_does_not_drown_the_error() {
        let mut report = Report::default();
        (0..KEPT + 7).for_each(|number| report.push(warning(None, number.to_string())));
        report.push(error(None, "e"));
        assert!(report.has_errors() && !report.listening());
        let diagnostics = report.into_diagnostics();
        assert_eq!(diagnostics.len(), KEPT + 2);
        assert_eq!(diagnostics[KEPT].severity, Severity::Error);
        assert_eq!(diagnostics[KEPT + 1].message, "7 more messages are not shown");
    }
}
