//! The loaded files, kept for diagnostics: bytes, places and what must not be shown. No syntax is known here.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use thiserror::Error;

use super::{
    lexer::stray_nul,
    piece::{self, Piece},
};

/// All files of one configuration together may be this large, in bytes.
pub(super) const SIZE_LIMIT: u64 = 16 * 1024 * 1024;

/// A piece of one source: byte offsets, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// Index of the source.
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The smallest span that holds both; `self` if the other lies in another file.
    pub fn to(self, other: Self) -> Self {
        if self.file != other.file {
            return self;
        }
        Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// One source: a file, or the command line.
#[derive(Debug)]
struct Source {
    name: String,
    bytes: Arc<[u8]>,
    /// What must not be shown: where each range begins, and where it ends.
    secrets: BTreeMap<usize, usize>,
    /// How far all that follows the last secret keyword is hidden.
    hidden_to: usize,
    /// Where the text comes from; none for a file as it stands.
    pieces: Vec<Piece>,
    /// Where each line begins; counted when a place is first asked for.
    lines: OnceLock<Vec<u32>>,
}

impl Source {
    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let ends = self.bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            // Sources are limited to 16 MiB.
            std::iter::once(0).chain(ends.map(|(at, _)| at as u32 + 1)).collect()
        })
    }
}

/// Everything that was read, in the order of reading.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
    total: u64,
}

/// Why a file cannot be a configuration.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The operating system refuses.
    #[error("cannot read {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A directory, device, socket or pipe.
    #[error("{path} is {kind}, not a configuration file")]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is instead.
        kind: &'static str,
    },
    /// NUL bytes: no text file has them, but in comments anything may stand.
    #[error(
        "{path} is a binary file (NUL byte in line {line}, column {column}, outside a comment), not a configuration \
         file: remove the byte, or save the text as UTF-8"
    )]
    Binary {
        /// The file.
        path: PathBuf,
        /// The line of the first such byte, from 1.
        line: usize,
        /// Its place in the line in bytes, from 1.
        column: usize,
    },
    /// All files together have more than 16 MiB.
    #[error("{path} is too large: a configuration may have 16 MiB in all its files together")]
    TooLarge {
        /// The file that goes over the limit.
        path: PathBuf,
    },
}

impl Sources {
    /// Reads a file and returns its index.
    ///
    /// # Errors
    /// See [`SourceError`]; nothing is kept of a file that was refused.
    pub fn read(&mut self, path: &Path) -> Result<u32, SourceError> {
        let io_error = |error| SourceError::Io { path: path.to_owned(), error };
        let metadata = fs::metadata(path).map_err(io_error)?;
        if !metadata.is_file() {
            let kind = if metadata.is_dir() { "a directory" } else { "a device, pipe or socket" };
            return Err(SourceError::NotAFile { path: path.to_owned(), kind });
        }
        let left = SIZE_LIMIT - self.total;
        let mut bytes = Vec::new();
        let file = fs::File::open(path).map_err(io_error)?;
        file.take(left + 1).read_to_end(&mut bytes).map_err(io_error)?;
        if bytes.len() as u64 > left {
            return Err(SourceError::TooLarge { path: path.to_owned() });
        }
        if let Some((line, column)) = stray_nul(&bytes) {
            return Err(SourceError::Binary { path: path.to_owned(), line, column });
        }
        Ok(self.add(path.display().to_string(), bytes))
    }

    /// Adds text that is not in a file. The caller bounds its size.
    pub(super) fn add(&mut self, name: String, bytes: Vec<u8>) -> u32 {
        self.total += bytes.len() as u64;
        self.push(name, bytes, Vec::new())
    }

    /// Adds what became of the text of `source` when definitions were replaced. The caller bounds its size.
    pub(super) fn add_expanded(&mut self, source: u32, bytes: Vec<u8>, pieces: Vec<Piece>) -> u32 {
        self.push(self.name(source).to_owned(), bytes, pieces)
    }

    fn push(&mut self, name: String, bytes: Vec<u8>, pieces: Vec<Piece>) -> u32 {
        let bytes = bytes.into();
        let (secrets, lines) = (BTreeMap::new(), OnceLock::new());
        self.files.push(Source { name, bytes, secrets, hidden_to: 0, pieces, lines });
        (self.files.len() - 1) as u32
    }

    fn pieces(&self, file: u32) -> &[Piece] {
        self.files.get(file as usize).map_or(&[], |source| &source.pieces)
    }

    /// Where a span stands in the files as they are: with a definition's value, where that is defined.
    pub fn origin(&self, span: Span) -> Span {
        match self.pieces(span.file) {
            [] => span,
            pieces => piece::origin(pieces, span),
        }
    }

    /// Where the definition was used whose value a span begins in.
    pub(super) fn used(&self, span: Span) -> Option<Span> {
        match self.pieces(span.file) {
            [] => None,
            pieces => piece::piece_at(pieces, span.start).used,
        }
    }

    /// The bytes of a span as they stand in the files, before definitions were replaced.
    pub(super) fn written(&self, span: Span) -> &[u8] {
        self.slice(self.origin(span))
    }

    /// The bytes of one source; empty for an index that no source has.
    pub fn bytes(&self, file: u32) -> &[u8] {
        self.files.get(file as usize).map_or(&[], |source| &source.bytes)
    }

    /// The bytes of one source, shared: whoever reads them may add sources meanwhile.
    pub(super) fn shared(&self, file: u32) -> Arc<[u8]> {
        self.files.get(file as usize).map_or_else(|| Arc::from([]), |source| Arc::clone(&source.bytes))
    }

    /// The name of one source: a path, or what the text is.
    pub fn name(&self, file: u32) -> &str {
        self.files.get(file as usize).map_or("", |source| &source.name)
    }

    /// The bytes of a span.
    pub fn slice(&self, span: Span) -> &[u8] {
        self.bytes(span.file).get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// The name of the file that a span stands in.
    pub fn file_name(&self, span: Span) -> &str {
        self.name(self.origin(span).file)
    }

    /// Line and column of a span's first byte, both from 1; the column counts UTF-8 characters.
    pub fn position(&self, span: Span) -> (usize, usize) {
        let span = self.origin(span);
        let Some(source) = self.files.get(span.file as usize) else { return (1, 1) };
        let line = source.lines().partition_point(|&start| start <= span.start);
        let start = source.lines()[line - 1] as usize;
        let before = source.bytes.get(start..span.start as usize).unwrap_or_default();
        let characters = before.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
        (line, characters + 1)
    }

    /// Hides what stands between `span` and the end of its line.
    pub(super) fn hide_after(&mut self, span: Span) {
        let hidden_to = self.files.get(span.file as usize).map_or(0, |source| source.hidden_to);
        if hidden_to > span.end as usize {
            return;
        }
        let rest = self.bytes(span.file).get(span.end as usize..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        let blanks = rest[..end].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let end = span.end + end as u32;
        if let Some(source) = self.files.get_mut(span.file as usize) {
            source.hidden_to = end as usize;
        }
        self.hide(Span { file: span.file, start: span.end + blanks as u32, end });
    }

    /// Marks bytes that no diagnostic may show, where they stand and where they come from.
    pub(super) fn hide(&mut self, span: Span) {
        for place in self.places(span) {
            if let Some(source) = self.files.get_mut(place.file as usize) {
                let end = source.secrets.entry(place.start as usize).or_default();
                *end = (*end).max(place.end as usize);
            }
        }
    }

    /// All places that the text of a span comes from.
    fn places(&self, span: Span) -> Vec<Span> {
        let pieces = self.pieces(span.file);
        if pieces.is_empty() || span.end <= span.start {
            return vec![span];
        }
        let first = pieces.partition_point(|piece| piece.at <= span.start).saturating_sub(1);
        let mut places = Vec::new();
        for (index, piece) in pieces.iter().enumerate().skip(first).take_while(|(_, p)| p.at < span.end) {
            let start = piece.at.max(span.start);
            let end = pieces.get(index + 1).map_or(span.end, |next| next.at.min(span.end));
            places.push(Span { end: piece.place(end - 1).end, ..piece.place(start) });
        }
        places
    }

    /// The line that a span begins in, as it may be shown, and where the span lies in it.
    pub(super) fn excerpt(&self, span: Span) -> Excerpt {
        let span = self.origin(span);
        let bytes = self.bytes(span.file);
        let at = (span.start as usize).min(bytes.len());
        let start = bytes[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        let end =
            bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| at + length);
        let start = start.max(at.saturating_sub(EXCERPT_LIMIT));
        let end = end.min(at + EXCERPT_LIMIT);
        let span_end = (span.end as usize).clamp(at, end);
        let shown = |range: Range<usize>| self.masked(span.file, range);
        let (head, marked, tail) = (shown(start..at), shown(at..span_end), shown(span_end..end));
        let mark = head.len()..head.len() + marked.len();
        let text = (head + &marked + &tail).trim_end_matches('\r').to_owned();
        let mark = mark.start.min(text.len())..mark.end.min(text.len());
        Excerpt { text, mark, line: self.position(span).0 }
    }

    fn masked(&self, file: u32, range: Range<usize>) -> String {
        let Some(source) = self.files.get(file as usize) else { return String::new() };
        let mut bytes = source.bytes[range.clone()].to_vec();
        for (&start, &end) in source.secrets.range(..range.end).filter(|(_, end)| **end > range.start) {
            let from = start.clamp(range.start, range.end) - range.start;
            let to = end.clamp(range.start, range.end) - range.start;
            bytes[from..to].fill(b'*');
        }
        let strange = |c: char| c.is_control() && !matches!(c, '\t' | '\r');
        String::from_utf8_lossy(&bytes).replace(strange, "\u{fffd}")
    }
}

/// Lines are cut to this many bytes on both sides of the place that is shown.
const EXCERPT_LIMIT: usize = 240;

/// One line as a diagnostic shows it.
pub(super) struct Excerpt {
    pub(super) text: String,
    pub(super) mark: Range<usize>,
    pub(super) line: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: u32, end: u32) -> Span {
        Span { file: 0, start, end }
    }

    #[test]
    fn places_count_characters_from_one() {
        let mut sources = Sources::default();
        sources.add("t".into(), "ab\n\u{e4}\u{f6} x".as_bytes().to_vec());
        assert_eq!(sources.position(span(0, 1)), (1, 1));
        assert_eq!(sources.position(span(8, 9)), (2, 4));
    }

    #[test]
    fn secrets_are_masked_and_marks_follow_the_masked_text() {
        let mut sources = Sources::default();
        sources.add("t".into(), b"x \xff secret y\r\n".to_vec());
        sources.hide(span(4, 10));
        let excerpt = sources.excerpt(span(11, 12));
        assert_eq!(excerpt.text, "x \u{fffd} ****** y");
        assert_eq!(&excerpt.text[excerpt.mark], "y");
    }

    #[test]
    fn what_is_no_text_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut sources = Sources::default();
        let refused = |sources: &mut Sources, path: &Path| sources.read(path).unwrap_err().to_string();
        assert!(refused(&mut sources, folder.path()).contains("is a directory"));
        assert!(refused(&mut sources, &folder.path().join("absent")).contains("No such file"));
        assert!(refused(&mut sources, Path::new("/dev/null")).contains("device"));
        let binary = folder.path().join("binary");
        for (text, place) in [(&b"ab\0c"[..], "line 1, column 3"), (b"# \0\nx \"#\0\"", "line 2, column 5")] {
            fs::write(&binary, text).unwrap();
            assert!(refused(&mut sources, &binary).contains(place), "{text:?}");
        }
        fs::write(&binary, b"a # \0\n!\0\nb").unwrap();
        assert!(sources.read(&binary).is_ok());
        let large = folder.path().join("large");
        fs::File::create(&large).unwrap().set_len(SIZE_LIMIT + 1).unwrap();
        assert!(refused(&mut sources, &large).contains("too large"));
    }
}
