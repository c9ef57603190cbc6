//! One file, line by line: conditions, definitions and their uses, sequences, and where others are included.

use std::rc::Rc;

use super::{
    File, Part, Reader,
    definitions::{self, Name},
    files, input,
    input::{Frame, Input, Refusal, Repeat},
    predefined, sequence,
    text::Text,
};
use crate::config::{
    diagnostics::{error, warning},
    lexer::{Word, escape_length, is_blank, uncommented},
    source::Span,
    values::quote,
};

/// A file being read, and what came of it so far.
pub(super) struct Expansion<'r, 'a> {
    reader: &'r mut Reader<'a>,
    input: Input,
    out: Text,
    parts: Vec<Part>,
    /// Where the part that is being made begins in `out`.
    part: usize,
}

impl<'r, 'a> Expansion<'r, 'a> {
    /// Reads the whole of a source.
    pub(super) fn of(reader: &'r mut Reader<'a>, source: u32) -> File {
        let bytes = reader.sources.shared(source);
        let input = Input::new(Rc::new(Text::of_file(source, bytes.to_vec())));
        let mut expansion = Self { reader, input, out: Text::default(), parts: Vec::new(), part: 0 };
        while expansion.rest().is_some() {
            expansion.line();
        }
        expansion.finish(source, bytes.len())
    }

    fn finish(mut self, source: u32, length: usize) -> File {
        self.end_part();
        // A loop that ended because of the limit has not said so.
        self.reader.charge(0, Span { file: source, start: 0, end: 0 });
        let source = if self.out.is_file(source, length) {
            source
        } else {
            self.reader.sources.add_expanded(source, self.out.bytes, self.out.pieces)
        };
        File { source, parts: self.parts }
    }

    fn end_part(&mut self) {
        if self.out.bytes.len() > self.part {
            self.parts.push(Part::Text(self.part..self.out.bytes.len()));
        }
        self.part = self.out.bytes.len();
    }

    /// The text being read, not at its end. Texts that are done are left, loops start again.
    fn top(&mut self) -> Option<&mut Frame> {
        if self.reader.exhausted {
            self.input.clear();
        }
        let Reader { definitions, spent, rounds, .. } = self.reader;
        self.input.top(|frame| {
            let again = next_round(frame, definitions, spent);
            *rounds += usize::from(again);
            again
        })
    }

    /// The text being read and where in it.
    fn rest(&mut self) -> Option<(Rc<Text>, usize)> {
        let top = self.top()?;
        Some((Rc::clone(&top.text), top.at))
    }

    fn advance(&mut self, to: usize) {
        if let Some(top) = self.top() {
            top.at = to;
        }
    }

    /// Takes the text up to `to` as it is.
    fn copy(&mut self, to: usize) {
        let used = self.input.used();
        if let Some((text, at)) = self.rest() {
            self.out.append(&text, at, to, used);
            self.advance(to);
        }
    }

    fn line(&mut self) {
        loop {
            self.copy_blanks();
            let Some((text, at)) = self.rest() else { return };
            let rest = &text.bytes[at..];
            if rest[0] == b'@' {
                if !self.condition(&text, at) {
                    return self.skip_line();
                }
            } else if let Some(name) = definitions::parse_definition(rest) {
                return self.define(name.into(), &text, at);
            } else if sequence::begins(rest) {
                return self.sequence(&text, at);
            } else if files::include_keyword(rest).is_some() {
                return self.include(&text, at);
            } else if rest[0] != b'$' || !self.insert(&text, at, false) {
                return self.rest_of_line();
            }
        }
    }

    fn copy_blanks(&mut self) {
        while let Some((text, at)) = self.rest() {
            let blanks = text.bytes[at..].iter().take_while(|byte| is_blank(**byte)).count();
            if blanks == 0 {
                return;
            }
            self.copy(at + blanks);
        }
    }

    /// Reads `@ID` or `@^ID`; whether the rest of the line holds for this host.
    fn condition(&mut self, text: &Text, at: usize) -> bool {
        let rest = &text.bytes[at + 1..];
        let length = rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        let word = &rest[..length];
        self.advance(at + 1 + length);
        match word.strip_prefix(b"^") {
            Some(other) => other != self.reader.config_id.as_bytes(),
            None => word == self.reader.config_id.as_bytes(),
        }
    }

    fn skip_line(&mut self) {
        while let Some((text, at)) = self.rest() {
            let end = line_end(&text.bytes, at);
            self.advance((end + 1).min(text.bytes.len()));
            if end < text.bytes.len() {
                return;
            }
        }
    }

    /// Takes what is left of a line, with the values of its definitions.
    fn rest_of_line(&mut self) {
        let mut quoted = false;
        while let Some((text, at)) = self.rest() {
            let rest = &text.bytes[at..];
            let plain = rest.iter().take_while(|byte| !b"\n\"#!\\$".contains(byte)).count();
            if plain > 0 {
                self.copy(at + plain);
                continue;
            }
            match rest[0] {
                b'\n' => return self.copy(at + 1),
                b'#' | b'!' if !quoted => self.copy(line_end(&text.bytes, at)),
                b'$' if self.insert(&text, at, quoted) => {}
                b'\\' => self.copy(at + escape_length(rest, quoted)),
                byte => {
                    quoted ^= byte == b'"';
                    self.copy(at + 1);
                }
            }
        }
    }

    /// Reads the value of `$NAME=VALUE`; a `\` at the end of a line continues it on the next.
    fn define(&mut self, name: Name, text: &Text, at: usize) {
        let mut value = Text::default();
        let mut at = at + name.len() + 2;
        loop {
            let end = line_end(&text.bytes, at);
            let (from, to) = trimmed(&text.bytes, at, uncommented(&text.bytes, at, end));
            let goes_on = to > from && text.bytes[to - 1] == b'\\';
            let (from, to) = if goes_on { trimmed(&text.bytes, from, to - 1) } else { (from, to) };
            if to > from && !value.bytes.is_empty() {
                value.append_meant(b"\n", text.place(from));
            }
            value.append(text, from, to, None);
            at = (end + 1).min(text.bytes.len());
            if !goes_on || at == text.bytes.len() {
                break;
            }
        }
        let place = text.place(at.saturating_sub(1));
        self.advance(at);
        if self.reader.charge(value.bytes.len(), place) {
            self.reader.definitions.set(name, value);
        }
    }

    /// Reads the head of `~SEQ(...) LINE` or `~LST(...) LINE`, and has the line read for each value.
    fn sequence(&mut self, text: &Text, at: usize) {
        let end = line_end(&text.bytes, at);
        let head = match sequence::parse(&text.bytes[at..end]) {
            Ok(head) => head,
            Err(form) => {
                let wrong = error(text.span(at, end), "this sequence cannot be read");
                self.reader.report.push(wrong.help(form));
                return self.skip_line();
            }
        };
        let place = text.span(at, at + head.length);
        let mut body = Text::default();
        body.append(text, at + head.length, end, None);
        body.append_meant(b"\n", place);
        let used = self.input.used();
        self.skip_line();
        let repeat = Repeat {
            variables: head.variables.into_iter().map(Name::from).collect(),
            values: head.values,
            place,
        };
        if self.reader.charge(body.bytes.len(), place) {
            let at = body.bytes.len();
            self.push(Frame { text: Rc::new(body), at, name: None, used, repeat: Some(repeat) }, place);
        }
    }

    /// Has the value of a definition read, if its use stands at `at`.
    fn insert(&mut self, text: &Text, at: usize, quoted: bool) -> bool {
        let Some(found) = definitions::parse_use(&text.bytes[at..]) else { return false };
        let place = text.span(at, at + found.length);
        if let Some(bytes) = predefined::value(self.reader, found.name, quoted).filter(|_| !found.glued) {
            self.advance(at + found.length);
            if bytes.starts_with(b"\\") {
                self.warn_of_sign(&bytes[1..], place);
            }
            self.out.append_meant(&bytes, place);
            return self.reader.charge(bytes.len().max(1), place);
        }
        let Some((name, value)) = self.reader.definitions.get(found.name) else { return false };
        if found.glued {
            self.warn_of_glued(name, place);
            return false;
        }
        let used = self.input.used().or(Some(place));
        self.advance(at + found.length);
        if self.reader.charge(value.bytes.len() + USE_COST, place) {
            self.push(Frame { text: value, at: 0, name: Some(name), used, repeat: None }, place);
        }
        true
    }

    fn warn_of_sign(&mut self, sign: &[u8], place: Span) {
        let sign = String::from_utf8_lossy(sign).into_owned();
        let message = format!("this `{sign}` is read in different ways");
        let help = "keepalived 2.2 takes it for the start of a comment; put double quotes around the value";
        self.reader.report.push(warning(place, message).help(help));
    }

    fn warn_of_glued(&mut self, name: Name, place: Span) {
        if !self.reader.warned.contains(&name) {
            let name = String::from_utf8_lossy(&name).into_owned();
            let message = format!("`${name}` is not replaced here, because something follows it");
            self.reader.report.push(warning(place, message).help(format!("write `${{{name}}}`")));
        }
        self.reader.warned.push(name);
    }

    fn push(&mut self, frame: Frame, place: Span) {
        let name = frame.name.as_ref().map_or_else(String::new, |name| String::from_utf8_lossy(name).into());
        let (message, help) = match self.input.push(frame) {
            Ok(()) => return,
            Err(Refusal::Circular) => (
                format!("the value of {} contains itself", quote(&name)),
                "write the value without the name, or give it another name",
            ),
            Err(Refusal::TooDeep) => (
                format!("definitions and sequences are more than {} deep in each other", input::DEPTH_LIMIT),
                "write some of the values where they are used",
            ),
        };
        self.reader.report.push(error(place, message).help(help));
    }

    fn include(&mut self, text: &Text, at: usize) {
        let end = line_end(&text.bytes, at);
        let Some((keyword, checks)) = files::include_keyword(&text.bytes[at..end]) else { return };
        let (from, to) = trimmed(&text.bytes, at + keyword, uncommented(&text.bytes, at + keyword, end));
        let target = Word { bytes: text.bytes[from..to].to_vec(), span: text.span(from, to) };
        self.end_part();
        // The line is kept, so that a file that only includes others needs no copy; it is in no part.
        self.copy((end + 1).min(text.bytes.len()));
        self.part = self.out.bytes.len();
        let files = self.reader.include(text.span(at, at + keyword), &target, checks);
        self.parts.push(Part::Include(files));
    }
}

/// What a use of a definition costs besides its bytes.
const USE_COST: usize = 16;
/// What a round of a loop costs besides its bytes.
const ROUND_COST: usize = 64;

/// Begins the next round of a loop, with the next values of its variables; false if there are none.
fn next_round(frame: &mut Frame, definitions: &mut definitions::Definitions, spent: &mut usize) -> bool {
    let Some(repeat) = &mut frame.repeat else { return false };
    *spent = spent.saturating_add(frame.text.bytes.len() + ROUND_COST);
    let within = *spent <= super::EXPANSION_LIMIT;
    let Some(values) = repeat.values.next().filter(|_| within) else {
        repeat.variables.iter().for_each(|name| definitions.remove(name));
        return false;
    };
    for (name, value) in repeat.variables.iter().zip(values) {
        let mut text = Text::default();
        text.append_meant(&value, repeat.place);
        definitions.set(Rc::clone(name), text);
    }
    frame.at = 0;
    true
}

/// Where the line that goes on at `at` ends.
fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| at + length)
}

/// The range without the blanks at its ends.
fn trimmed(bytes: &[u8], from: usize, to: usize) -> (usize, usize) {
    let blanks = bytes[from..to].iter().take_while(|byte| is_blank(**byte)).count();
    let length =
        bytes[from + blanks..to].iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
    (from + blanks, from + blanks + length)
}
