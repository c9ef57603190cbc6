//! Tokens with a little look-ahead.

use crate::config::{
    lexer::{Lexer, Token, Word},
    source::Span,
    statement::Statement,
};

/// A lexer with one token, and one statement, of look-ahead.
pub(super) struct Cursor<'a> {
    lexer: Lexer<'a>,
    peeked: Option<Token>,
    put_back: Option<(Statement, Span)>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(lexer: Lexer<'a>) -> Self {
        Self { lexer, peeked: None, put_back: None }
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        self.peeked.take().or_else(|| self.lexer.next())
    }

    fn peek(&mut self) -> Option<&Token> {
        if self.peeked.is_none() {
            self.peeked = self.lexer.next();
        }
        self.peeked.as_ref()
    }

    /// The next token if it stands on the same line and neither opens nor closes a block.
    pub(super) fn next_in_line(&mut self) -> Option<Token> {
        if matches!(self.peek(), Some(Token::Word(_) | Token::Bad(_))) { self.next() } else { None }
    }

    /// The `{` that comes next, on this line or a later one.
    pub(super) fn open(&mut self) -> Option<Span> {
        while matches!(self.peek(), Some(Token::End)) {
            self.peeked = None;
        }
        let Some(&Token::Open(span)) = self.peek() else { return None };
        self.peeked = None;
        Some(span)
    }

    /// What is left of the line that the last token stands on. Nothing may have been peeked at.
    pub(super) fn rest_of_line(&mut self) -> Word {
        self.lexer.rest_of_line()
    }

    /// Hands a statement that begins a block back to the block around.
    pub(super) fn put_back(&mut self, statement: Statement, open: Span) {
        self.put_back = Some((statement, open));
    }

    /// The statement that was handed back; the `{` behind it is the next token again.
    pub(super) fn take_back(&mut self) -> Option<Statement> {
        let (statement, open) = self.put_back.take()?;
        self.peeked = Some(Token::Open(open));
        Some(statement)
    }
}
