//! What is left to read of one file: the file, and on top of it the values and loop bodies being inserted.

use std::rc::Rc;

use super::{definitions::Name, sequence::Values, text::Text};
use crate::config::source::Span;

/// Values in values may be this deep.
pub(super) const DEPTH_LIMIT: usize = 64;

/// A loop over the lines of a frame.
pub(super) struct Repeat {
    pub(super) variables: Vec<Name>,
    pub(super) values: Values,
    /// Where its head stands.
    pub(super) place: Span,
}

/// A text being read.
pub(super) struct Frame {
    pub(super) text: Rc<Text>,
    pub(super) at: usize,
    /// Whose value this is.
    pub(super) name: Option<Name>,
    /// Where it was asked for.
    pub(super) used: Option<Span>,
    pub(super) repeat: Option<Repeat>,
}

/// A stack of texts; the topmost is read first.
pub(super) struct Input {
    frames: Vec<Frame>,
}

/// Why a value is not inserted.
pub(super) enum Refusal {
    /// It is being inserted already.
    Circular,
    /// There are too many already.
    TooDeep,
}

impl Input {
    pub(super) fn new(text: Rc<Text>) -> Self {
        Self { frames: vec![Frame { text, at: 0, name: None, used: None, repeat: None }] }
    }

    /// The text being read, not at its end; `ended` is asked about each frame that is, and may start it again.
    pub(super) fn top(&mut self, mut ended: impl FnMut(&mut Frame) -> bool) -> Option<&mut Frame> {
        loop {
            let top = self.frames.last_mut()?;
            if top.at < top.text.bytes.len() || ended(top) {
                break;
            }
            self.frames.pop();
        }
        self.frames.last_mut()
    }

    /// What the value that is being read was asked for at: the outermost place, which is in the file itself.
    pub(super) fn used(&self) -> Option<Span> {
        self.frames.iter().find_map(|frame| frame.used)
    }

    pub(super) fn push(&mut self, frame: Frame) -> Result<(), Refusal> {
        if frame.name.is_some() && self.frames.iter().any(|other| other.name == frame.name) {
            return Err(Refusal::Circular);
        }
        if self.frames.len() >= DEPTH_LIMIT {
            return Err(Refusal::TooDeep);
        }
        self.frames.push(frame);
        Ok(())
    }

    /// Nothing is left to read.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
    }
}
