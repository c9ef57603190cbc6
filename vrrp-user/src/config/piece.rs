//! Where text that was put together comes from. What put it together is in `reader`.

use super::source::Span;

/// From `at` on, up to the next piece, text comes from `span`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) at: u32,
    pub(super) span: Span,
    /// The text stands there as it is; else it stands for all that is there.
    pub(super) exact: bool,
    /// Where the definition was used that this is the value of.
    pub(super) used: Option<Span>,
}

impl Piece {
    /// Where the byte at `at` comes from.
    pub(super) fn place(&self, at: u32) -> Span {
        if !self.exact {
            return self.span;
        }
        let start = self.span.start + (at - self.at);
        Span { start, end: start + 1, ..self.span }
    }
}

/// The piece that holds the byte at `at`; `pieces` are all of a text and not none.
pub(super) fn piece_at(pieces: &[Piece], at: u32) -> &Piece {
    let after = pieces.partition_point(|piece| piece.at <= at);
    &pieces[after.saturating_sub(1)]
}

/// Where a span of a text comes from: all of it if it lies together, else where it begins.
pub(super) fn origin(pieces: &[Piece], span: Span) -> Span {
    let first = piece_at(pieces, span.start);
    let begin = first.place(span.start);
    if span.end <= span.start {
        return Span { end: begin.start, ..begin };
    }
    let last = piece_at(pieces, span.end - 1);
    let end = last.place(span.end - 1);
    let together = last.used == first.used && end.file == begin.file && end.end > begin.start;
    if together {
        return Span { end: end.end, ..begin };
    }
    let after = pieces.partition_point(|piece| piece.at <= span.start);
    let next = pieces.get(after).map_or(span.end, |piece| piece.at);
    Span { end: first.place(next - 1).end, ..begin }
}
