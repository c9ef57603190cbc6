//! A program on an interface as a filter of clsact: it can have no name, and is known by its place.

use std::{io, os::fd::BorrowedFd};

use super::Pins;
use crate::{
    identity::Identity,
    sys::clsact::{self, Place},
};

/// Whose filters they are: by their numbers, the nodes of several names on one host tell theirs apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    handle: u32,
}

impl Owner {
    /// The node of this name.
    pub fn new(identity: &Identity) -> Self {
        // FNV-1a, and an "x" before it, so that few others have such a number.
        let fold = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        let hash = identity.name().as_str().bytes().fold(0x811c_9dc5, fold);
        Self { handle: 0x7800_0000 | hash >> 8 }
    }

    /// The number of each of its filters; they differ in priority and direction.
    pub fn handle(self) -> u32 {
        self.handle
    }
}

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

    /// Where it is.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Why there is none at this place any more, if so.
    pub fn lost(place: Place) -> Option<String> {
        match clsact::is_there(place) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::InstanceName;

    #[test]
    fn every_name_has_numbers_of_its_own() {
        let handle = |name: &str| {
            let name: InstanceName = name.parse().unwrap();
            Owner::new(&Identity::here(&name).unwrap()).handle()
        };
        let handles = ["default", "a", "b", "ab", "ba", "web-1", "web-2"].map(handle);
        assert!(handles.iter().all(|handle| handle >> 24 == 0x78), "{handles:x?}");
        let mut distinct = handles.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), handles.len(), "{handles:x?}");
    }
}
