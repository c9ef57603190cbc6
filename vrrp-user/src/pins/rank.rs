//! Who runs before a program of ours at a tcx hook. What becomes of a packet there cannot be known: a program that ends
//! its way through tc, as other agents' do, hides it from all behind. What follows from it is not decided here.

use std::{collections::BTreeSet, fs, io, path::Path, sync::PoisonError, thread, time::Duration};

use super::{Pins, facts_at};
use crate::sys::{bpf::Hook, order};

/// A daemon that has just attached a program gives its link a name next.
const NAMING: Duration = Duration::from_millis(2);
/// How the names of links begin, whichever xvrrp made them.
const LINKS: [&str; 2] = ["hear-", "guard-"];

/// The place of a link among those of its hook, as another thread may look at it.
#[derive(Debug)]
pub struct Rank {
    pub(super) pins: Pins,
    pub(super) link: u32,
    pub(super) interface: u32,
    pub(super) hook: Hook,
}

impl Rank {
    /// The number of the first program that runs before the link's and is no xvrrp's, if there is one.
    ///
    /// # Errors
    /// What the kernel says, and when the names of links cannot be read: nobody can be told from a stranger then.
    pub fn stranger(&self) -> io::Result<Option<u32>> {
        if self.look()?.is_none() {
            return Ok(None);
        }
        thread::sleep(NAMING);
        self.look()
    }

    fn look(&self) -> io::Result<Option<u32>> {
        let there = order::programs_at(self.interface, self.hook)?;
        let before = || there.iter().take_while(|one| one.link != self.link);
        if before().next().is_none() {
            return Ok(None);
        }
        let known = self.pins.links_of_all()?;
        Ok(before().find(|one| !known.contains(&one.link)).map(|one| one.program))
    }
}

impl Pins {
    pub(super) fn own_link(&self, number: u32) {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
    }

    /// Numbers of the links that we attached and of those that any xvrrp has named, of whatever ABI version.
    fn links_of_all(&self) -> io::Result<BTreeSet<u32>> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(ours) = self.place.ancestors().nth(2) else { return Ok(links) };
        for daemon in entries(ours)? {
            for version in entries(&daemon)? {
                let named = entries(&version)?.into_iter().filter(|path| is_link(path));
                links.extend(named.filter_map(|path| facts_at(&path).ok()?.number("link_id")));
            }
        }
        Ok(links)
    }
}

fn is_link(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    LINKS.iter().any(|purpose| name.starts_with(purpose))
}

/// One that is removed meanwhile has none.
fn entries(directory: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| entry.map(|entry| entry.path())).collect(),
    }
}
