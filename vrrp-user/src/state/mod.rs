//! What a daemon leaves to the one that comes after it, in files under /run/xvrrp: who runs, until when each
//! router's lease holds, what the checks said last. Whether it is taken up is not decided here.

mod leases;
mod lock;
mod memory;

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use nix::unistd::geteuid;

use crate::{files, identity::Identity};
pub use leases::Leases;
pub use lock::{Lock, LockError};
pub use memory::{CheckMemory, Memory, PlaceMemory, RouterMemory, Voice};

/// Where the files are. Gone after a restart of the host, like the leases.
pub const DIRECTORY: &str = "/run/xvrrp";

/// The files of one daemon.
#[derive(Clone, Debug)]
pub struct Store {
    memory: PathBuf,
    leases: PathBuf,
}

impl Store {
    /// The files of this daemon in `directory`, whether they are there or not.
    pub fn new(directory: &Path, identity: &Identity) -> Self {
        let file = |ending| directory.join(format!("{identity}.{ending}"));
        Self { memory: file("json"), leases: file("leases") }
    }

    /// What was left; nothing where it is from before the host's last start, or of another version.
    ///
    /// # Errors
    /// When the file is not ours to trust, or cannot be read.
    pub fn recall(&self) -> io::Result<Option<Memory>> {
        memory::recall(&self.memory)
    }

    /// Replaces what is left, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remember(&self, memory: &Memory) -> io::Result<()> {
        memory::remember(&self.memory, memory)
    }

    /// The leases, kept in memory that outlives the process.
    ///
    /// # Errors
    /// When the file is not ours to trust, or there is no room for it.
    pub fn leases(&self) -> io::Result<Leases> {
        Leases::open(&self.leases)
    }

    /// Removes all of it.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn forget(&self) -> io::Result<()> {
        [&self.memory, &self.leases].into_iter().try_for_each(|path| files::remove(path))
    }
}

/// Makes the directory where it is missing, and refuses one that others may write to.
///
/// # Errors
/// When it cannot be made, or is not ours.
pub fn prepare(directory: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
    let found = fs::symlink_metadata(directory)?;
    if found.is_dir() && found.uid() == geteuid().as_raw() && found.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{} must be a directory of user {} that nobody else may write to (it belongs to user {}, mode {:o})",
        directory.display(),
        geteuid(),
        found.uid(),
        found.mode() & 0o7777
    )))
}

/// Refuses a file that others could have put there or may write to.
fn trust(file: &fs::File, path: &Path) -> io::Result<()> {
    let found = file.metadata()?;
    if found.is_file() && found.uid() == geteuid().as_raw() && found.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{} is not a file of user {} that nobody else may write to: remove it",
        path.display(),
        geteuid()
    )))
}
