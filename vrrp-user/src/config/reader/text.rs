//! Text that remembers where each of its bytes stands in a file. How it comes about is not known here.

use crate::config::{piece::Piece, source::Span};

/// Bytes, and the pieces of files that they come from.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    /// In ascending order; the first one begins at 0.
    pub(super) pieces: Vec<Piece>,
}

impl Text {
    /// All of one file.
    pub(super) fn of_file(file: u32, bytes: Vec<u8>) -> Self {
        // Sources are limited to 16 MiB.
        let span = Span { file, start: 0, end: bytes.len() as u32 };
        Self { bytes, pieces: vec![Piece { at: 0, span, exact: true, used: None }] }
    }

    /// Whether this is one file as it stands.
    pub(super) fn is_file(&self, file: u32, length: usize) -> bool {
        match self.pieces.as_slice() {
            [] => length == 0,
            [only] => {
                only.exact && only.span.file == file && only.span.start == 0 && self.bytes.len() == length
            }
            _ => false,
        }
    }

    /// The place of one byte; a place behind the last byte is as far behind the last piece.
    pub(super) fn place(&self, at: usize) -> Span {
        let index = self.pieces.partition_point(|piece| piece.at as usize <= at).saturating_sub(1);
        self.pieces.get(index).map_or(Span { file: 0, start: 0, end: 0 }, |piece| piece.place(at as u32))
    }

    /// The place of a range.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let first = self.place(start);
        if end <= start { first } else { first.to(self.place(end - 1)) }
    }

    /// Appends a part of another text; `used` is where it was asked for.
    pub(super) fn append(&mut self, other: &Self, start: usize, end: usize, used: Option<Span>) {
        let mut at = start;
        let mut index = other.pieces.partition_point(|piece| piece.at as usize <= start).saturating_sub(1);
        while at < end {
            let Some(piece) = other.pieces.get(index) else { return };
            let stop = other.pieces.get(index + 1).map_or(end, |next| (next.at as usize).min(end));
            self.push(&other.bytes[at..stop], piece.place(at as u32), piece.exact, used.or(piece.used));
            (at, index) = (stop, index + 1);
        }
    }

    /// Appends bytes that stand for what is at `span`.
    pub(super) fn append_meant(&mut self, bytes: &[u8], span: Span) {
        self.push(bytes, span, false, None);
    }

    fn push(&mut self, bytes: &[u8], span: Span, exact: bool, used: Option<Span>) {
        let goes_on = self.pieces.last().is_some_and(|last| {
            let behind = last.span.start + (self.bytes.len() as u32 - last.at);
            let follows = last.span.file == span.file && behind == span.start;
            exact && last.exact && follows && last.used == used
        });
        if !goes_on {
            self.pieces.push(Piece { at: self.bytes.len() as u32, span, exact, used });
        }
        self.bytes.extend_from_slice(bytes);
    }
}
