//! Who runs before a program of ours at a tcx hook. What becomes of a packet there cannot be known: a program that ends
//! its way through tc, as other agents' do, hides it from all behind. What follows from it is not decided here.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::PoisonError,
    thread,
    time::Duration,
};

use super::{Pins, facts_at, link::NUMBER};
use crate::sys::{bpf::Hook, order};

/// A daemon that has just attached a program gives its link a name next.
const NAMING: Duration = Duration::from_millis(2);

/// The place of a link among those of its hook, as another thread may look at it.
#[derive(Debug)]
pub struct Rank {
    pins: Pins,
    link: u32,
    interface: u32,
    hook: Hook,
}

impl Rank {
    /// That of the link of this number. Only in tc are there others.
    pub(super) fn of(pins: &Pins, link: u32, interface: u32, hook: Hook) -> Option<Self> {
        (hook.link_type() == "tcx").then(|| Self { pins: pins.clone(), link, interface, hook })
    }

    /// The number of the first program that runs before the link's and is no xvrrp's, if there is one. None either where
    /// nobody can be told from a stranger: the kernel does not say, or the names of links cannot be read.
    pub fn stranger(&self) -> Option<u32> {
        let found = self.look().and_then(|first| {
            if first.is_none() {
                return Ok(None);
            }
            thread::sleep(NAMING);
            self.look()
        });
        found.unwrap_or_else(|error| {
            tracing::debug!(
                "interface {}: who runs before our program is not known: {error}",
                self.interface
            );
            None
        })
    }

    fn look(&self) -> io::Result<Option<u32>> {
        let there = order::programs_at(self.interface, self.hook)?;
        let before = there.iter().take_while(|one| one.link != self.link);
        let others: Vec<_> = before.filter(|one| !self.pins.has_attached(one.link)).collect();
        if others.is_empty() {
            return Ok(None);
        }
        // How the name of any link at this hook ends: see `Link::attach`.
        let known = self.pins.named(&format!("-{}-{}", self.hook.word(), self.interface))?;
        Ok(others.into_iter().find(|one| !known.contains(&one.link)).map(|one| one.program))
    }
}

impl Pins {
    pub(super) fn own_link(&self, number: u32) {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
    }

    fn has_attached(&self, number: u32) -> bool {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).contains(&number)
    }

    /// Numbers of the links of any xvrrp, of whatever ABI version, whose names end so.
    fn named(&self, end: &str) -> io::Result<BTreeSet<u32>> {
        let mut links = BTreeSet::new();
        let Some(ours) = self.place.ancestors().nth(2) else { return Ok(links) };
        for daemon in entries(ours)? {
            for version in entries(&daemon)? {
                let fits = |path: &PathBuf| path.to_str().is_some_and(|path| path.ends_with(end));
                let named = entries(&version)?.into_iter().filter(fits);
                links.extend(named.filter_map(|path| facts_at(&path).ok()?.number(NUMBER)));
            }
        }
        Ok(links)
    }
}

/// One that is removed meanwhile has none.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| entry.map(|entry| entry.path())).collect(),
    }
}
