//! A program attached to an interface by a link with a name: taken up where an earlier daemon left it.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use super::{Facts, Pins, Rank, facts_at, names};
use crate::sys::{
    bpf::{self, Hook},
    pins as sys,
};

/// The fact that tells links apart.
pub(super) const NUMBER: &str = "link_id";

/// A program on an interface. Dropped, it is detached, unless [`Pins::keep`] was called.
#[derive(Debug)]
pub struct Link {
    descriptor: OwnedFd,
    /// The kernel's number for it, where it has a name or was to have one.
    number: Option<u32>,
    name: Option<(Pins, String)>,
}

impl Link {
    /// Attaches `program`, under the name `purpose-hook-interface` if there are `pins`. A link of that name that is
    /// what it should be gets the program and never lets a packet by; any other is replaced, and so is one in tc that a
    /// stranger's program came before.
    ///
    /// # Errors
    /// As for [`bpf::attach`]. A link that cannot have a name is as good, and ends with the process.
    pub fn attach(
        pins: Option<&Pins>,
        purpose: &str,
        program: BorrowedFd<'_>,
        interface: u32,
        hook: Hook,
    ) -> io::Result<Self> {
        let Some(pins) = pins else {
            let descriptor = bpf::attach(program, interface, hook)?;
            return Ok(Self { descriptor, number: None, name: None });
        };
        let name = |hook: Hook| format!("{purpose}-{}-{interface}", hook.word());
        for path in pins.of_every_version(&name(hook)) {
            if let Some(descriptor) = take_up(pins, &path, program, interface, hook) {
                return Ok(Self::named(pins, name(hook), descriptor, &path));
            }
        }
        // An interface takes one XDP program, in one way.
        for other in [Hook::Driver, Hook::Generic]
            .into_iter()
            .filter(|other| hook.link_type() == "xdp" && *other != hook)
        {
            pins.of_every_version(&name(other)).iter().for_each(|path| discard(pins, path));
        }
        let descriptor = bpf::attach(program, interface, hook)?;
        Ok(Self::named(pins, name(hook), descriptor, Path::new("")))
    }

    /// Gives a link its name, in place of the one that it has at `found`.
    fn named(pins: &Pins, name: String, descriptor: OwnedFd, found: &Path) -> Self {
        let number = Facts::of(descriptor.as_fd()).ok().and_then(|facts| facts.number(NUMBER));
        number.into_iter().for_each(|number| pins.own_link(number));
        let path = pins.place.join(&name);
        if path == found {
            return Self { descriptor, number, name: Some((pins.clone(), name)) };
        }
        let pinned = sys::pin(descriptor.as_fd(), &path);
        if let Err(error) = &pinned {
            tracing::warn!("{}: {error}; the program is detached when this process ends", path.display());
        }
        if found != Path::new("") {
            discard(pins, found);
        }
        Self { descriptor, number, name: pinned.is_ok().then(|| (pins.clone(), name)) }
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(|(_, name)| name.as_str())
    }
}

impl Link {
    /// Its place among those at the hook, where that can be known: who has no name cannot be told from strangers.
    pub fn rank(&self, interface: u32, hook: Hook) -> Option<Rank> {
        let (pins, _) = self.name.as_ref()?;
        Rank::of(pins, self.number?, interface, hook)
    }

    /// Puts its name back if somebody removed it.
    pub fn secure(&self) {
        if let Some((pins, name)) = &self.name {
            names::secure(pins, name, self);
        }
    }

    /// Whether the name still leads to this link and not to one that came after it.
    fn is_named(&self, path: &Path) -> bool {
        let there = facts_at(path).ok().and_then(|facts| facts.number(NUMBER));
        there.is_some() && there == self.number
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some((pins, name)) = &self.name {
            if pins.kept() {
                return;
            }
            let path = pins.place.join(name);
            if self.is_named(&path) {
                discard(pins, &path);
            }
        }
        // Whoever looks after it holds it too. An error means that there is nothing left to detach it from.
        let _ = bpf::detach(self.as_fd());
    }
}

/// The link that an earlier daemon left, now with our program; `None` if there is none that can be used.
fn take_up(pins: &Pins, path: &Path, program: BorrowedFd<'_>, interface: u32, hook: Hook) -> Option<OwnedFd> {
    let taken = match sys::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        opened => opened.and_then(|link| {
            let facts = Facts::of(link.as_fd())?;
            if facts.word("link_type") != Some(hook.link_type()) || facts.number("ifindex") != Some(interface)
            {
                return Err(io::Error::other(
                    "it is a link of another type, or of an interface that is gone",
                ));
            }
            let rank = facts.number(NUMBER).and_then(|link| Rank::of(pins, link, interface, hook));
            if let Some(stranger) = rank.and_then(|rank| rank.stranger()) {
                // Its program can be at the hook only once.
                bpf::detach(link.as_fd())?;
                return Err(io::Error::other(format!("program {stranger} runs before it")));
            }
            sys::update(link.as_fd(), program)?;
            Ok(link)
        }),
    };
    taken
        .map_err(|error| {
            tracing::warn!("{} cannot be taken up ({error}): it is replaced", path.display());
            discard(pins, path);
        })
        .ok()
}

fn discard(pins: &Pins, path: &Path) {
    if let Err(error) = pins.discard(path) {
        tracing::warn!("what is pinned stays: {error}");
    }
}
