//! A program on an interface as a filter of clsact: it can have no name, and is known by its place.

use std::{io, os::fd::BorrowedFd};

use super::Pins;
use crate::sys::clsact::{self, Place};

/// A filter. Dropped, it is detached, unless [`Pins::keep`] was called.
#[derive(Debug)]
pub struct Filter {
    place: Place,
    pins: Option<Pins>,
}

impl Filter {
    /// Puts `program` there. One that an earlier daemon left is replaced, and no packet passes in between.
    ///
    /// # Errors
    /// As for [`clsact::attach`].
    pub fn attach(
        pins: Option<&Pins>,
        program: BorrowedFd<'_>,
        name: &str,
        place: Place,
    ) -> io::Result<Self> {
        clsact::attach(program, name, place)?;
        Ok(Self { place, pins: pins.cloned() })
    }

    /// Another one is in its place: it ends without detaching that.
    pub fn give_way(self) {
        std::mem::forget(self);
    }

    /// Why it is not there any more, if so.
    pub fn lost(&self) -> Option<String> {
        match clsact::is_there(self.place) {
            Ok(true) => None,
            Ok(false) => Some("somebody removed the filter, or the interface is gone".to_owned()),
            Err(error) => Some(format!("the filter cannot be looked for: {error}")),
        }
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        if self.pins.as_ref().is_some_and(Pins::kept) {
            return;
        }
        if let Err(error) = clsact::detach(self.place) {
            tracing::warn!("a filter stays on interface {}: {error}", self.place.ifindex);
        }
    }
}
