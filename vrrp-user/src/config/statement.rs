//! Statements, the syntax that parser and keyword tables share. How they are read or what they mean is not here.

use super::{lexer::Word, source::Span};

/// One statement: a keyword, what follows it on its line, and its block.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) keyword: Word,
    pub(super) arguments: Vec<Word>,
    /// The statements in its braces; empty for a block that is skipped.
    pub(super) body: Vec<Self>,
}

impl Statement {
    /// From the first argument to the last; the keyword if there is none.
    pub(super) fn arguments_span(&self) -> Span {
        match (self.arguments.first(), self.arguments.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => self.keyword.span,
        }
    }
}
