//! The directories that names are in: made, trusted or refused, emptied.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use nix::{
    mount::{MsFlags, mount as mount_file_system},
    sys::statfs::{BPF_FS_MAGIC, statfs},
    unistd::geteuid,
};

/// Why nothing can be pinned.
#[derive(Debug, thiserror::Error)]
pub enum PinsError {
    /// The file system is not there and cannot be brought.
    #[error(
        "no bpf file system at {path}, and mounting one failed: {error}; `mount -t bpf bpf {path}` as root"
    )]
    Mount {
        /// Where it belongs.
        path: PathBuf,
        /// What the kernel said.
        error: io::Error,
    },
    /// Others could have put something there.
    #[error(
        "{path} belongs to user {uid} with mode {mode:03o}: it must be a directory of user {} with mode 700; remove it if \
         nobody else uses it",
        geteuid()
    )]
    Untrusted {
        /// The directory.
        path: PathBuf,
        /// Its owner.
        uid: u32,
        /// Its permissions.
        mode: u32,
    },
    /// The file system's word.
    #[error("{path}: {error}")]
    File {
        /// What was made, read or removed.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl PinsError {
    pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::File { path: path.to_owned(), error }
    }
}

/// Mounts the bpf file system, for root's eyes only, if it is not there.
pub(super) fn mount(root: &Path) -> Result<(), PinsError> {
    if statfs(root).is_ok_and(|found| found.filesystem_type() == BPF_FS_MAGIC) {
        return Ok(());
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount_file_system(Some("bpf"), root, Some("bpf"), flags, Some("mode=0700"))
        .map_err(|error| PinsError::Mount { path: root.to_owned(), error: error.into() })
}

/// Makes a directory that nobody else can look into, or makes sure of one.
pub(super) fn make(path: &Path) -> Result<(), PinsError> {
    let failed = PinsError::at(path);
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let found = fs::symlink_metadata(path).map_err(failed)?;
    let mode = found.mode() & 0o777;
    if found.is_dir() && found.uid() == geteuid().as_raw() && mode == 0o700 {
        return Ok(());
    }
    Err(PinsError::Untrusted { path: path.to_owned(), uid: found.uid(), mode })
}

/// Removes a name, or a directory with all that is in it. Nothing happens if there is none.
pub(super) fn remove(path: &Path) -> Result<(), PinsError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => {
            remove_where(path, |_| true)?;
            fs::remove_dir(path)
        }
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PinsError::at(path)(error)),
        _ => Ok(()),
    }
}

/// Removes the entries of a directory whose names are unwanted.
pub(super) fn remove_where(directory: &Path, unwanted: impl Fn(&str) -> bool) -> Result<(), PinsError> {
    let failed = PinsError::at(directory);
    for entry in fs::read_dir(directory).map_err(&failed)? {
        let entry = entry.map_err(&failed)?;
        if entry.file_name().to_str().is_none_or(&unwanted) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}
