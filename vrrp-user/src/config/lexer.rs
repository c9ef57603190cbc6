//! Bytes to tokens, as keepalived cuts them. Which words are keywords is not known here.
//!
//! The rules (reference: keepalived-behaviour 1.6, in-the-wild 1.17 to 1.19, checked against 2.2.7): `"` alone
//! protects blanks, braces and comment signs; `'` does not, it only matters inside commands (see `words`). `#`
//! and `!` start a comment anywhere else, also inside a word, unless a backslash stands before them. A brace
//! outside `"` is a token wherever it stands, and ends the statement as the end of the line does.

use std::borrow::Cow;

use super::{
    diagnostics::{Diagnostic, error, warning},
    source::Span,
};

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// What it says, without its double quotes.
    pub(super) bytes: Vec<u8>,
    /// Where it stands, with its quotes.
    pub(super) span: Span,
}

impl Word {
    /// The word as text; bytes that are not UTF-8 are replaced.
    pub(super) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// What a file is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    Open(Span),
    Close(Span),
    /// End of a line that is not inside quotes.
    End,
    /// The files that stand here, by the index of the part.
    Include(usize),
    /// Something that is not in the language; its place is known and reading can go on.
    Bad(Box<Diagnostic>),
}

/// An iterator over the tokens of one source, or of a part of it that ends with a line.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    file: u32,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// The tokens between `start` and the end of `bytes`.
    pub(super) fn new(file: u32, bytes: &'a [u8], start: usize) -> Self {
        Self { bytes, file, at: start }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        // Sources are limited to 16 MiB.
        Span { file: self.file, start: start as u32, end: end as u32 }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn one(&mut self) -> Span {
        self.at += 1;
        self.span(self.at - 1, self.at)
    }

    fn skip_comment(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    }

    /// A `"` begins a word and its partner ends it; text on either side is a word of its own.
    fn quoted(&mut self) -> Token {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break self.at += 1,
                Some(b'\\') if self.bytes.get(self.at + 1).is_some_and(|&next| next != b'\n') => self.at += 2,
                None | Some(b'\n') => return self.unclosed(start),
                Some(_) => self.at += 1,
            }
        }
        let bytes = self.bytes[start + 1..self.at - 1].to_vec();
        Token::Word(Word { bytes, span: self.span(start, self.at) })
    }

    fn unclosed(&self, start: usize) -> Token {
        let place = self.span(start, start + 1);
        let unclosed = error(place, "a quote is opened and not closed on this line")
            .label("opened here")
            .help("close it with `\"`; quotes do not reach over line ends");
        Token::Bad(Box::new(unclosed))
    }

    fn bare(&mut self) -> Word {
        let start = self.at;
        let mut bytes = Vec::new();
        while let Some(byte) = self.peek() {
            let from = self.at;
            match byte {
                b'\n' | b'"' | b'#' | b'!' => break,
                b'\\' => self.at += escape_length(&self.bytes[self.at..], false),
                b'{' | b'}' | b'$' => match self.placeholder() {
                    Some(length) => self.at += length,
                    None if byte == b'$' => self.at += 1,
                    None => break,
                },
                _ if is_blank(byte) => break,
                _ => self.at += 1,
            }
            let unescaped = matches!(self.bytes[from..self.at], [b'\\', b'#' | b'!']);
            bytes.extend_from_slice(&self.bytes[from + usize::from(unescaped)..self.at]);
        }
        Word { bytes, span: self.span(start, self.at) }
    }

    /// The length of `${name}`, `{{ name }}` or `{% word %}`: variables and what templates leave behind.
    fn placeholder(&self) -> Option<usize> {
        let rest = &self.bytes[self.at..];
        let close: &[u8] = match rest {
            [b'$', b'{', ..] => b"}",
            [b'{', b'{', ..] => b"}}",
            [b'{', b'%', ..] => b"%}",
            _ => return None,
        };
        let stops = |byte: &u8| b"{}\"#\n".contains(byte);
        let stop = 2 + rest[2..].iter().take(PLACEHOLDER_LIMIT).position(stops)?;
        // The last sign of what closes is the one that stops, or the one behind it.
        let end = if close == b"}}" { stop + 2 } else { stop + 1 };
        (end >= 2 + close.len() && rest.get(..end)?.ends_with(close)).then_some(end)
    }
}

const PLACEHOLDER_LIMIT: usize = 120;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\x0b' | b'\x0c')
}

/// Where the comment begins, if there is one between `at` and `end`.
pub(super) fn uncommented(bytes: &[u8], mut at: usize, end: usize) -> usize {
    let mut quoted = false;
    while at < end {
        match bytes[at] {
            b'#' | b'!' if !quoted => return at,
            b'"' => quoted = !quoted,
            b'\\' => at += escape_length(&bytes[at..end], quoted) - 1,
            _ => {}
        }
        at += 1;
    }
    end
}

/// Line and column of the first NUL byte that is in no comment.
pub(super) fn stray_nul(bytes: &[u8]) -> Option<(usize, usize)> {
    if !bytes.contains(&0) {
        return None;
    }
    let mut lines = bytes.split(|&byte| byte == b'\n').enumerate();
    lines.find_map(|(number, line)| {
        let text = &line[..uncommented(line, 0, line.len())];
        text.iter().position(|&byte| byte == 0).map(|at| (number + 1, at + 1))
    })
}

/// How long a backslash and what it protects are, at the start of `rest`; words are read in the same way.
pub(super) fn escape_length(rest: &[u8], quoted: bool) -> usize {
    match rest.get(1) {
        Some(b'#' | b'!' | b'\\' | b'"') => 2,
        Some(next) if quoted && *next != b'\n' => 2,
        _ => 1,
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if self.at == 0 && self.bytes.starts_with(BYTE_ORDER_MARK) {
            self.at = BYTE_ORDER_MARK.len();
            let mark = warning(self.span(0, self.at), "the file begins with a byte order mark")
                .help("save it as UTF-8 without BOM: keepalived takes the mark for part of the first word");
            return Some(Token::Bad(Box::new(mark)));
        }
        loop {
            match self.peek()? {
                b'\n' => {
                    self.at += 1;
                    return Some(Token::End);
                }
                b'#' | b'!' => self.skip_comment(),
                b'"' => return Some(self.quoted()),
                b'{' if self.placeholder().is_none() => return Some(Token::Open(self.one())),
                b'}' => return Some(Token::Close(self.one())),
                byte if is_blank(byte) => self.at += 1,
                _ => return Some(Token::Word(self.bare())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words as they are, braces as themselves, `;` for line ends, `?` for what is refused or warned of.
    fn tokens(text: &[u8]) -> String {
        let shown = Lexer::new(0, text, 0).map(|token| match token {
            Token::Word(word) => format!("[{}]", word.text()),
            Token::Open(_) => "{".into(),
            Token::Close(_) => "}".into(),
            Token::End => ";".into(),
            Token::Bad(_) | Token::Include(_) => "?".into(),
        });
        shown.collect()
    }

    #[test]
    fn tokens_are_cut_as_keepalived_does() {
        for (text, expected) in [
            (&b"state MASTER\r\n\tpriority 5"[..], "[state][MASTER];[priority][5]"),
            (b"a{b}c\n{\n}", "[a]{[b]}[c];{;}"),
            (b"pass P@##D321!\nx ! y\n# z", "[pass][P@];[x];"),
            (b"a\\#b \\!c d\\\\e \\x", "[a#b][!c][d\\\\e][\\x]"),
            (b"p \"a # { ! b\" c", "[p][a # { ! b][c]"),
            (b"p \"a \\\" b\" c", "[p][a \\\" b][c]"),
            (b"p 'a b#c'", "[p]['a][b]"),
            (b"a\"b c\"d", "[a][b c][d]"),
            (b"a \"\" b", "[a][][b]"),
            (b"a \"b c\nd", "[a]?;[d]"),
            (b"a \"b\\\nc\"", "[a]?;[c]?"),
            (b"\xef\xbb\xbfa", "?[a]"),
            (b"v ${vip}/24 $x {{ y }} {%if%}", "[v][${vip}/24][$x][{{ y }}][{%if%}]"),
            (b"a { b { c }}", "[a]{[b]{[c]}}"),
            (b"a {{ b", "[a]{{[b]"),
            (b"n # caf\xe9 \xff\nx\xe9", "[n];[x\u{fffd}]"),
            (b"", ""),
        ] {
            assert_eq!(tokens(text), expected, "{:?}", String::from_utf8_lossy(text));
        }
    }
}
