//! Tokens of one file, part by part, with a little look-ahead.

use crate::config::{
    lexer::{Lexer, Token},
    reader::{File, Part},
    source::Span,
    statement::Statement,
};

/// The tokens of a file with one token, and one statement, of look-ahead.
pub(super) struct Cursor<'a> {
    file: &'a File,
    bytes: &'a [u8],
    /// The part that comes after the one that the lexer reads.
    next_part: usize,
    lexer: Option<Lexer<'a>>,
    peeked: Option<Token>,
    put_back: Option<(Statement, Span)>,
}

impl<'a> Cursor<'a> {
    /// `bytes` are those of the file's source.
    pub(super) fn new(file: &'a File, bytes: &'a [u8]) -> Self {
        Self { file, bytes, next_part: 0, lexer: None, peeked: None, put_back: None }
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        self.peeked.take().or_else(|| self.read())
    }

    fn read(&mut self) -> Option<Token> {
        loop {
            if let Some(token) = self.lexer.as_mut().and_then(Lexer::next) {
                return Some(token);
            }
            let part = self.file.parts.get(self.next_part)?;
            self.next_part += 1;
            match part {
                Part::Text(range) => {
                    self.lexer = Some(Lexer::new(self.file.source, &self.bytes[..range.end], range.start));
                }
                Part::Include(_) => return Some(Token::Include(self.next_part - 1)),
            }
        }
    }

    fn peek(&mut self) -> Option<&Token> {
        if self.peeked.is_none() {
            self.peeked = self.read();
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

    /// The files that an include token stands for.
    pub(super) fn included(&self, part: usize) -> &'a [File] {
        match self.file.parts.get(part) {
            Some(Part::Include(files)) => files,
            _ => &[],
        }
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
