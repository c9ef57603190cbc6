//! The guard in this process: which leases are open, which addresses are guarded, and on which interfaces. Who is
//! Active is decided elsewhere; what a packet may do, in the kernel.

mod fence;
mod register;
mod thread;

use std::collections::BTreeSet;

use vrrp_common::{
    abi::{GuardKey, Passage},
    election::Lease,
    time::Instant,
};

pub use fence::{Fenced, Report, detach_filters, retire};
pub use thread::Keeper;

use crate::{
    config::model::{Guard as Wish, GuardMode, TcHook},
    datapath::{GuardMaps, GuardParts, Slot},
    netlink::LinkTable,
};
use fence::Fence;
use register::{Register, Step};
use thread::Line;

/// The configuration demands a guard, and there is none.
#[derive(Debug, thiserror::Error)]
#[error("`guard required`, and the addresses cannot be guarded: {0}")]
pub struct Unguarded(String);

/// Opens and closes the addresses of every router; not one call waits, but for the first [`Self::follow`].
pub struct Guard {
    post: Post,
    required: bool,
    started: bool,
}

enum Post {
    Manned(Box<Manned>),
    Empty(String),
}

struct Manned {
    maps: GuardMaps,
    register: Register,
    line: Line,
}

impl Guard {
    /// A guard with these programs, or without them for the reason given. The interfaces come with
    /// [`Self::follow`]; they are guarded for as long as the keeper lives.
    ///
    /// # Errors
    /// [`Unguarded`] if the configuration demands a guard.
    pub fn new(
        wish: Wish,
        parts: impl FnOnce() -> Result<GuardParts, String>,
    ) -> Result<(Self, Option<Keeper>), Unguarded> {
        let required = wish.mode == GuardMode::Required;
        let manned = match wish.mode {
            GuardMode::Off => Err("as configured".to_owned()),
            GuardMode::Auto => parts(),
            GuardMode::Required => parts().and_then(|parts| outlives(parts, wish.hook)),
        }
        .and_then(|GuardParts { programs, maps }| {
            let (line, keeper) = thread::spawn(Fence::new(programs, wish.hook))
                .map_err(|error| format!("its thread cannot be started: {error}"))?;
            Ok((Post::Manned(Box::new(Manned { maps, register: Register::default(), line })), keeper))
        });
        match manned {
            Ok((post, keeper)) => Ok((Self { post, required, started: false }, Some(keeper))),
            Err(reason) if required => Err(Unguarded(reason)),
            Err(reason) => Ok((Self::without(&reason), None)),
        }
    }

    /// None, for this reason.
    pub fn without(reason: &str) -> Self {
        Self { post: Post::Empty(reason.to_owned()), required: false, started: false }
    }

    /// Why there is none, if so.
    pub fn absent(&self) -> Option<&str> {
        if let Post::Empty(reason) = &self.post { Some(reason) } else { None }
    }

    /// These are the host's interfaces. The first time it waits until all of them are guarded, before anything else
    /// happens; later ones are guarded by the keeper as fast as it can.
    ///
    /// # Errors
    /// [`Unguarded`], the first time, if the configuration demands a guard and an interface has none.
    pub fn follow(&mut self, links: &LinkTable) -> Result<(), Unguarded> {
        let Post::Manned(post) = &self.post else { return Ok(()) };
        if std::mem::replace(&mut self.started, true) {
            post.line.tell(links.clone());
            return Ok(());
        }
        match post.line.wait(links.clone()).failures() {
            Some(failures) if self.required => Err(Unguarded(failures)),
            _ => Ok(()),
        }
    }

    /// Which interfaces are guarded; empty without a guard.
    pub fn report(&self) -> Report {
        match &self.post {
            Post::Manned(post) => post.line.report(),
            Post::Empty(_) => Report::default(),
        }
    }

    /// Opens the addresses of a router until its lease ends.
    pub fn grant(&self, slot: Slot, lease: Lease) {
        if let Post::Manned(post) = &self.post {
            post.maps.grant(slot, lease);
        }
    }

    /// Closes the addresses of a router.
    pub fn close(&self, slot: Slot) {
        if let Post::Manned(post) = &self.post {
            post.maps.close(slot);
        }
    }

    /// Guards these addresses, and no others, by the lease of a router.
    ///
    /// # Errors
    /// In words, what the kernel did not take.
    pub fn keep(&mut self, slot: Slot, keys: BTreeSet<GuardKey>) -> Result<(), String> {
        let Post::Manned(post) = &mut self.post else { return Ok(()) };
        let Manned { maps, register, .. } = post.as_mut();
        let mut outcome = Ok(());
        for step in register.keep(slot, keys) {
            let done = match step {
                Step::Enter(key, slot) => maps.enter(key, slot),
                Step::Remove(key) => maps.remove(&key),
            };
            if let Err(error) = done {
                outcome = Err(error.to_string());
            }
        }
        outcome
    }

    /// Every router has taken up its addresses: what an earlier daemon guarded besides is nobody's.
    pub fn sweep(&mut self) {
        if let Post::Manned(post) = &mut self.post {
            post.maps.sweep(&post.register.keys());
        }
    }

    /// Whether an address of this router is guarded now.
    pub fn keeps(&self, slot: Slot) -> bool {
        matches!(&self.post, Post::Manned(post) if post.register.has(slot))
    }

    /// Until when the lease is open now, if it is, as the kernel has it, and the packets that passed and did not.
    pub fn books(&self, slot: Slot, now: Instant) -> Option<(Option<Instant>, [u64; Passage::ALL.len()])> {
        let Post::Manned(post) = &self.post else { return None };
        let open = post.maps.passage(slot, now) == Passage::Open;
        let until = open.then(|| Instant::from_nanos(post.maps.lease(slot).until));
        Some((until, post.maps.passages(slot)))
    }
}

/// A guard that ends with the daemon guards nobody from its death.
fn outlives(parts: GuardParts, hook: Option<TcHook>) -> Result<GuardParts, String> {
    if hook == Some(TcHook::Tcx) && parts.programs.pins.is_none() {
        return Err("without names in the bpf file system programs of tcx end with the daemon; see above why there are none, \
                    or let `tc_hook clsact` do"
            .to_owned());
    }
    Ok(parts)
}
