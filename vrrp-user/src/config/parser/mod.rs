//! Tokens to statements and blocks, led by the keyword tables. Values are not looked at here.

mod cursor;
mod lines;

use super::{
    diagnostics::{Diagnostic, Report, error, warning},
    keywords::{self, Lookup, Shape},
    lexer::{Token, Word},
    reader::{File, SPREAD},
    source::{Sources, Span},
    statement::Statement,
    values::quote,
};
use cursor::Cursor;

const STATEMENT_LIMIT: usize = 250_000;

/// The statements of a file. What cannot be read is reported; the rest is returned, nothing if it is too much.
pub(super) fn parse(file: &File, sources: &mut Sources, report: &mut Report) -> Vec<Statement> {
    let root = keywords::root();
    let mut parser = Parser { sources, report, scopes: vec![root], statements: 0 };
    let mut statements = Vec::new();
    parser.file(file, Content::Keywords(root), &mut statements);
    if parser.statements > STATEMENT_LIMIT { Vec::new() } else { statements }
}

struct Parser<'a> {
    sources: &'a mut Sources,
    report: &'a mut Report,
    /// The tables of the blocks being read, outermost first.
    scopes: Vec<&'static dyn Lookup>,
    statements: usize,
}

/// Whether a block's statements go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    /// The block ended: at its brace, at the end of the file, or where an outer block's keyword stands.
    End,
}

/// What stands in the braces being read.
#[derive(Clone, Copy)]
enum Content {
    Keywords(&'static dyn Lookup),
    /// Lines of values, such as addresses.
    Values,
}

/// The braces being read.
#[derive(Clone, Copy)]
struct Block {
    content: Content,
    /// The opening brace; `None` for a whole file.
    open: Option<Span>,
}

impl Block {
    fn shape(self, name: &str) -> Option<Shape> {
        match self.content {
            Content::Keywords(table) => table.shape(name),
            Content::Values => Some(Shape::Line),
        }
    }
}

impl Parser<'_> {
    /// What a file holds is part of the block that includes it; its braces match within it.
    fn file(&mut self, file: &File, content: Content, out: &mut Vec<Statement>) {
        let bytes = self.sources.shared(file.source);
        self.block(&mut Cursor::new(file, &bytes), Block { content, open: None }, out);
    }

    /// Reads statements until the block ends.
    ///
    /// Blocks in blocks are calls in calls, as deep as the tables are nested and files include files; any other
    /// block is passed over by [`Self::skip`], which counts. So no file can make the stack deep.
    fn block(&mut self, cursor: &mut Cursor<'_>, block: Block, out: &mut Vec<Statement>) {
        let mut flow = Flow::On;
        while flow == Flow::On {
            flow = match cursor.take_back() {
                Some(statement) => self.statement(cursor, block, statement, out),
                None => self.token(cursor, block, out),
            };
        }
    }

    fn token(&mut self, cursor: &mut Cursor<'_>, block: Block, out: &mut Vec<Statement>) -> Flow {
        match cursor.next() {
            None => {
                block.open.into_iter().for_each(|open| self.end_of_file(open));
                return Flow::End;
            }
            Some(Token::Close(_)) if block.open.is_some() => return Flow::End,
            Some(Token::Close(span)) => {
                let extra = error(span, "a `}` that closes nothing");
                self.report.push(extra.help("remove it, or find the block that it was to close"));
            }
            Some(Token::Open(span)) => {
                let bare = error(span, "a `{` with no keyword before it");
                self.report
                    .push(bare.help("remove it with its `}`, or write the keyword of the block before it"));
                self.skip(cursor, span);
            }
            Some(Token::Word(word)) => return self.line(cursor, block, word, out),
            Some(Token::Include(part)) => {
                cursor.included(part).iter().for_each(|file| self.file(file, block.content, out));
            }
            Some(Token::Bad(diagnostic)) => self.report.push(*diagnostic),
            Some(Token::End) => {}
        }
        Flow::On
    }

    fn end_of_file(&mut self, open: Span) {
        let message = "a block is opened and not closed before the end of the file";
        self.report.push(error(open, message).label("opened here").help("add the missing `}`"));
    }

    /// Reads the rest of a line that begins with `first`.
    fn line(&mut self, cursor: &mut Cursor<'_>, block: Block, first: Word, out: &mut Vec<Statement>) -> Flow {
        let mut statement = Statement { keyword: first, arguments: Vec::new(), body: Vec::new() };
        let mut readable = true;
        while let Some(token) = cursor.next_in_line() {
            match token {
                Token::Word(word) => statement.arguments.push(word),
                Token::Bad(diagnostic) => {
                    self.report.push(*diagnostic);
                    readable = false;
                }
                Token::Open(_) | Token::Close(_) | Token::Include(_) | Token::End => {}
            }
        }
        if self.check_line(block.content, &statement) && readable {
            return self.statement(cursor, block, statement, out);
        }
        if let Some(open) = cursor.open() {
            self.skip(cursor, open);
        }
        Flow::On
    }

    fn statement(
        &mut self,
        cursor: &mut Cursor<'_>,
        block: Block,
        mut statement: Statement,
        out: &mut Vec<Statement>,
    ) -> Flow {
        let name = statement.keyword.text().into_owned();
        let open = cursor.open();
        if let (Some(inner), Some(outer)) = (open, block.open)
            && self.begins_outer_block(block, &name)
        {
            self.report.push(unclosed(outer, &statement.keyword));
            cursor.put_back(statement, inner);
            return Flow::End;
        }
        if !self.count(statement.keyword.span) {
            return Flow::End;
        }
        match block.shape(&name) {
            Some(shape) => self.body(cursor, shape, open, &mut statement),
            None => self.unknown(cursor, block, open, &statement.keyword),
        }
        out.push(statement);
        Flow::On
    }

    /// Whether a `}` was forgotten: the block does not know this keyword, and one around it begins a block with
    /// it. Everything is known among values, and no value has a block.
    fn begins_outer_block(&self, block: Block, name: &str) -> bool {
        let known = matches!(block.content, Content::Keywords(table) if table.shape(name).is_some());
        !known && self.scopes.iter().any(|table| !matches!(table.shape(name), None | Some(Shape::Line)))
    }

    fn count(&mut self, place: Span) -> bool {
        self.statements += 1;
        if self.statements == STATEMENT_LIMIT + 1 {
            let message = format!(
                "more than {STATEMENT_LIMIT} statements; that is the limit, and what follows is not read"
            );
            self.report.push(error(place, message).help(SPREAD));
        }
        self.statements <= STATEMENT_LIMIT
    }

    fn body(&mut self, cursor: &mut Cursor<'_>, shape: Shape, open: Option<Span>, statement: &mut Statement) {
        match (shape, open) {
            (Shape::Any | Shape::Line, None) => {}
            // A keyword about authentication may have keys in its block.
            (Shape::Any, Some(open)) if statement.keyword.bytes.starts_with(b"auth") => {
                self.skip(cursor, open);
            }
            (Shape::Any, Some(open)) => self.pass_over(cursor, open),
            (Shape::Line, Some(open)) => {
                let message = format!("{} takes no block", quote(&statement.keyword.text()));
                let help = "braces inside a value need double quotes around them";
                self.report.push(error(open, message).help(help));
                self.skip(cursor, open);
            }
            (Shape::Values, open) => self.inner(cursor, Content::Values, open, statement),
            (Shape::Block(table), open) => {
                self.scopes.push(table);
                self.inner(cursor, Content::Keywords(table), open, statement);
                self.scopes.pop();
            }
        }
    }

    fn inner(
        &mut self,
        cursor: &mut Cursor<'_>,
        content: Content,
        open: Option<Span>,
        statement: &mut Statement,
    ) {
        let keyword = &statement.keyword;
        let open = open.unwrap_or_else(|| {
            let message = format!("{} needs a `{{`", quote(&keyword.text()));
            let bare = error(keyword.span, message).label("a block begins here");
            self.report.push(bare.help("write `{` behind it, and `}` where the block ends"));
            keyword.span
        });
        self.block(cursor, Block { content, open: Some(open) }, &mut statement.body);
    }

    fn unknown(&mut self, cursor: &mut Cursor<'_>, block: Block, open: Option<Span>, keyword: &Word) {
        if let (Content::Keywords(table), true) = (block.content, self.report.listening()) {
            let name = keyword.text();
            let shown = if lines::may_be_shown(table, keyword) { &quote(&name) } else { "(not shown)" };
            let kind = if open.is_some() { "block" } else { "keyword" };
            let mut unknown =
                warning(keyword.span, format!("unknown {kind} {shown} in {}; it is ignored", table.block()));
            let none = || {
                format!(
                    "remove it; `man keepalived.conf` and docs/keywords.md list what {} has",
                    table.block()
                )
            };
            unknown.help = Some(keywords::suggestion(table, &name).unwrap_or_else(none));
            self.report.push(unknown);
        }
        if let Some(open) = open {
            self.skip(cursor, open);
        }
    }

    /// Passes over a block that nobody knows: who knows what is in it.
    fn skip(&mut self, cursor: &mut Cursor<'_>, open: Span) {
        self.sources.hide_after(open);
        self.pass_over(cursor, open);
    }

    /// Passes over a block and all blocks in it.
    fn pass_over(&mut self, cursor: &mut Cursor<'_>, open: Span) {
        let mut depth = 1usize;
        while depth > 0 {
            match cursor.next() {
                None => return self.end_of_file(open),
                Some(Token::Open(_)) => depth += 1,
                Some(Token::Close(_)) => depth -= 1,
                Some(Token::Bad(diagnostic)) => self.report.push(*diagnostic),
                Some(Token::Word(word)) => {
                    if keywords::is_secret(&word.text()) {
                        self.sources.hide_after(word.span);
                    }
                }
                Some(Token::Include(_) | Token::End) => {}
            }
        }
    }
}

fn unclosed(open: Span, next: &Word) -> Diagnostic {
    let message = format!("a block is not closed before {} begins", quote(&next.text()));
    let open = error(open, message).label("opened here").related(next.span, "a `}` is missing before");
    open.help("write the `}` that is missing")
}
