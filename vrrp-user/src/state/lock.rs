//! One daemon of a name: the lock that the second one does not get. The kernel lets go of it with the process,
//! however that ends.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

use super::trust;
use crate::identity::Identity;

/// A daemon that is about to end, or somebody who only looks, is given this many pauses.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// Held as long as this value lives. Take it after the spawner was forked, which would hold it too.
#[derive(Debug)]
pub struct Lock {
    file: Flock<File>,
    path: PathBuf,
}

/// Why the lock is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody has it.
    #[error(
        "another xvrrp{} runs as {name:?} in this network namespace: stop it first (`xvrrp stop`), or give this one \
         a name of its own with --instance",
        process(.pid)
    )]
    Held {
        /// The daemon's name.
        name: String,
        /// Its process, if it has told.
        pid: Option<u32>,
    },
    /// The file system's word.
    #[error("cannot lock {path}: {error}")]
    File {
        /// The lock file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

fn process(pid: &Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

impl Lock {
    /// Takes the lock of this daemon, a file in `directory` that names the process.
    ///
    /// # Errors
    /// [`LockError::Held`] if another process has it.
    pub fn take(directory: &Path, identity: &Identity) -> Result<Self, LockError> {
        let path = path(directory, identity);
        let failed = |error| LockError::File { path: path.clone(), error };
        let mut held = None;
        for _ in 0..ATTEMPTS {
            match Flock::lock(open(&path).map_err(failed)?, FlockArg::LockExclusiveNonblock) {
                Ok(file) if is_at(&file, &path) => {
                    return Self { file, path: path.clone() }.sign().map_err(failed);
                }
                // Its last holder removed it in this moment.
                Ok(_) => {}
                Err((mut file, Errno::EWOULDBLOCK)) => {
                    held = Some(signature(&mut file));
                    thread::sleep(PAUSE);
                }
                Err((_, error)) => return Err(failed(error.into())),
            }
        }
        match held {
            Some(pid) => Err(LockError::Held { name: identity.name().as_str().to_owned(), pid }),
            None => Err(failed(io::Error::other("others remove it all the time"))),
        }
    }

    /// Whether a daemon runs.
    ///
    /// # Errors
    /// When the lock file is not ours to trust.
    pub fn is_held(directory: &Path, identity: &Identity) -> Result<bool, LockError> {
        let path = path(directory, identity);
        let failed = |error| LockError::File { path: path.clone(), error };
        match File::open(&path) {
            Ok(file) => match Flock::lock(file, FlockArg::LockSharedNonblock) {
                Ok(_) => Ok(false),
                Err((_, Errno::EWOULDBLOCK)) => Ok(true),
                Err((_, error)) => Err(failed(error.into())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    fn sign(mut self) -> io::Result<Self> {
        self.file.set_len(0)?;
        writeln!(self.file, "{}", std::process::id())?;
        Ok(self)
    }

    /// Lets go of it and removes the file.
    ///
    /// # Errors
    /// When the file cannot be removed; the lock is free all the same.
    pub fn release(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

fn path(directory: &Path, identity: &Identity) -> PathBuf {
    directory.join(format!("{identity}.pid"))
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o644).custom_flags(libc::O_NOFOLLOW);
    let file = options.open(path)?;
    trust(&file, path)?;
    Ok(file)
}

fn is_at(file: &File, path: &Path) -> bool {
    let number = |found: fs::Metadata| (found.dev(), found.ino());
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    number(ours) == number(there)
}

fn signature(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::InstanceName;

    fn identity(name: &str) -> Identity {
        Identity::here(&name.parse::<InstanceName>().unwrap()).unwrap()
    }

    #[test]
    fn the_second_of_a_name_learns_who_the_first_is() {
        let place = tempfile::tempdir().unwrap();
        let lock = Lock::take(place.path(), &identity("edge")).unwrap();
        let refused = Lock::take(place.path(), &identity("edge")).unwrap_err();
        let expected = format!(
            "another xvrrp (process {}) runs as \"edge\" in this network namespace: stop it first (`xvrrp stop`), \
             or give this one a name of its own with --instance",
            std::process::id()
        );
        assert_eq!(refused.to_string(), expected);
        assert!(Lock::take(place.path(), &identity("core")).is_ok());
        assert!(Lock::is_held(place.path(), &identity("edge")).unwrap());
        lock.release().unwrap();
        assert!(!Lock::is_held(place.path(), &identity("edge")).unwrap());
        assert!(Lock::take(place.path(), &identity("edge")).is_ok());
    }

    #[test]
    fn a_file_in_the_way_that_is_not_ours_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = path(place.path(), &identity("edge"));
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert!(matches!(Lock::take(place.path(), &identity("edge")), Err(LockError::File { .. })));
    }
}
