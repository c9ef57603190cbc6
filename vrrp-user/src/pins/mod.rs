//! What of the daemon outlives it in the kernel, by names in the bpf file system: maps, programs and links. Every
//! name is distrusted until it was looked at. What the objects do is not known here.

mod directory;
mod facts;
mod filter;
mod link;
mod names;
mod rank;

use std::{
    collections::BTreeSet,
    fs, io,
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use vrrp_common::abi::ABI_VERSION;

use crate::{identity::Identity, sys::pins as sys};
pub use directory::PinsError;
use facts::Facts;
pub use facts::Shape;
pub use filter::{Filter, Owner};
pub use link::Link;
pub use names::Names;
pub use rank::Rank;

/// Where the bpf file system is.
pub const ROOT: &str = "/sys/fs/bpf";
/// Our part of it.
const OURS: &str = "xvrrp";

/// The names of one daemon: `xvrrp/<network namespace>-<instance>/<ABI version>` in the bpf file system. Clones are the
/// same names.
#[derive(Clone, Debug)]
pub struct Pins {
    place: PathBuf,
    /// The next daemon goes on with what is there.
    kept: Arc<AtomicBool>,
    /// Numbers of the links that this daemon attached, with or without a name.
    links: Arc<Mutex<BTreeSet<u32>>>,
}

impl Pins {
    /// Makes the directories, and mounts the file system if it is not there. Needs more rights than the daemon keeps.
    ///
    /// # Errors
    /// When that cannot be done, or somebody else could have put something there.
    pub fn prepare(identity: &Identity) -> Result<Self, PinsError> {
        let root = Path::new(ROOT);
        directory::mount(root)?;
        Self::in_root(root, identity)
    }

    pub(crate) fn in_root(root: &Path, identity: &Identity) -> Result<Self, PinsError> {
        let place = [OURS, &identity.to_string(), &ABI_VERSION.to_string()].iter().try_fold(
            root.to_owned(),
            |parent, name| {
                let child = parent.join(name);
                directory::make(&child).map(|()| child)
            },
        )?;
        Ok(Self { place, kept: Arc::default(), links: Arc::default() })
    }

    /// The name of a map. It is one of `shape`, or there is none: what is in the way is removed, and said.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn map(&self, name: &str, shape: &Shape) -> Result<PathBuf, PinsError> {
        let path = self.place.join(name);
        self.keep_if(&path, |facts| shape.differs(facts))?;
        Ok(path)
    }

    /// The identifiers of all maps that have a name here.
    pub fn map_ids(&self) -> BTreeSet<u32> {
        let entries = fs::read_dir(&self.place).into_iter().flatten().flatten();
        entries.filter_map(|entry| facts_at(&entry.path()).ok()?.number("map_id")).collect()
    }

    /// The name of a program out of the object `object`. It is there only if it is of this type.
    ///
    /// # Errors
    /// When what is in the way cannot be removed.
    pub fn program(&self, name: &str, object: &str, kind: u32) -> Result<PathBuf, PinsError> {
        let path = self.place.join(format!("{name}-{object}"));
        self.keep_if(&path, |facts| match facts.number("prog_type") {
            Some(found) if found == kind => None,
            _ => Some("no program of that type".to_owned()),
        })?;
        Ok(path)
    }

    /// Gives a program its name, and removes those of the same name out of other objects.
    ///
    /// # Errors
    /// When the directory cannot be read or changed.
    pub fn keep_program(
        &self,
        program: BorrowedFd<'_>,
        name: &str,
        object: &str,
        kind: u32,
    ) -> Result<(), PinsError> {
        let path = self.program(name, object, kind)?;
        self.discard(&path)?;
        sys::pin(program, &path).map_err(PinsError::at(&path))?;
        let (prefix, ours) = (format!("{name}-"), format!("{name}-{object}"));
        directory::remove_where(&self.place, |entry| entry.starts_with(&prefix) && entry != ours)
    }

    /// Removes every link whose name begins with `prefix` and is not in `taken`: an earlier daemon's that nobody took up.
    ///
    /// # Errors
    /// When the directory cannot be read or changed.
    pub fn sweep_links(&self, prefix: &str, taken: &[String]) -> Result<(), PinsError> {
        directory::remove_where(&self.place, |entry| {
            entry.starts_with(prefix) && !taken.iter().any(|one| one == entry)
        })
    }

    /// Removes what is under a name; the kernel lets go of it when nobody else holds it.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn discard(&self, path: &Path) -> Result<(), PinsError> {
        directory::remove(path)
    }

    /// From here on nothing is taken back: the next daemon goes on with it.
    pub fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// Whether [`Self::keep`] was called.
    pub fn kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }

    /// Where `name` is or would be: ours first, then that of every other ABI version. A link can be taken over from any of
    /// them, as a program of ours in it works on our maps.
    fn of_every_version(&self, name: &str) -> Vec<PathBuf> {
        let versions = self.place.parent().and_then(|daemon| fs::read_dir(daemon).ok()).into_iter().flatten();
        let others = versions.flatten().map(|entry| entry.path()).filter(|place| *place != self.place);
        [self.place.clone()].into_iter().chain(others).map(|place| place.join(name)).collect()
    }

    /// Removes the daemon's names of other ABI versions, which nothing can be taken over from.
    ///
    /// # Errors
    /// When the directory cannot be read or changed.
    pub fn retire_others(&self) -> Result<(), PinsError> {
        let Some(daemon) = self.place.parent() else { return Ok(()) };
        let ours = ABI_VERSION.to_string();
        directory::remove_where(daemon, |entry| entry != ours)
    }

    /// Removes every name of this daemon, of all versions.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn remove_all(identity: &Identity) -> Result<(), PinsError> {
        Self::remove_all_in(Path::new(ROOT), identity)
    }

    pub(crate) fn remove_all_in(root: &Path, identity: &Identity) -> Result<(), PinsError> {
        let ours = root.join(OURS);
        directory::remove(&ours.join(identity.to_string()))?;
        // Other daemons may have theirs.
        match fs::remove_dir(&ours) {
            Err(error)
                if error.kind() == io::ErrorKind::DirectoryNotEmpty
                    || error.kind() == io::ErrorKind::NotFound =>
            {
                Ok(())
            }
            Err(error) => Err(PinsError::File { path: ours, error }),
            Ok(()) => Ok(()),
        }
    }

    /// All that has a name here now, but for programs of another object than `object`, for as long as it is held.
    pub fn names(&self, object: &str) -> Names {
        Names::of(self.clone(), object)
    }

    /// Makes the directories of `place` again.
    fn restore(&self) -> Result<(), PinsError> {
        let Some(daemon) = self.place.parent() else { return Ok(()) };
        let ours = daemon.parent().into_iter();
        ours.chain([daemon, &self.place]).try_for_each(directory::make)
    }

    /// Removes what is at `path` if there is something against it.
    fn keep_if(&self, path: &Path, against: impl FnOnce(&Facts) -> Option<String>) -> Result<(), PinsError> {
        let reason = match &facts_at(path) {
            Ok(facts) => against(facts),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => Some(error.to_string()),
        };
        let Some(reason) = reason else { return Ok(()) };
        tracing::warn!("{} is not what this version uses ({reason}): it is replaced", path.display());
        self.discard(path)
    }
}

fn facts_at(path: &Path) -> io::Result<Facts> {
    sys::open(path).and_then(|object| Facts::of(object.as_fd()))
}
