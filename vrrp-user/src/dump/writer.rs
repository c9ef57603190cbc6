//! Puts text into files whose directory anybody may write to, on a thread of its own: a file system that hangs holds
//! up nothing else.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    files,
    worker::{Refused, Worker},
};

/// Files that may wait to be written.
const WAITING: usize = 4;

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Writer(Worker<(PathBuf, String)>);

impl Default for Writer {
    fn default() -> Self {
        Self(Worker::new("dump", WAITING, write))
    }
}

impl Writer {
    /// Hands the text over. If those before it are not written yet, this one is left out.
    pub(super) fn write(&mut self, path: &Path, text: String) {
        let place = path.display();
        match self.0.hand((path.to_owned(), text)) {
            Ok(()) => {}
            Err(Refused::Thread(error)) => {
                tracing::warn!("cannot write {place}: no thread can be started: {error}");
            }
            Err(Refused::Full) => tracing::warn!(
                "{place} is not written: the files asked for before are still waiting for the disk"
            ),
            Err(Refused::Ended) => tracing::warn!("{place} is not written: its thread has ended"),
        }
    }
}

fn write((path, text): (PathBuf, String)) {
    match replace(&path, &text) {
        Ok(()) => tracing::debug!("{} is written", path.display()),
        Err(error) => tracing::warn!("cannot write {}: {error}", path.display()),
    }
}

/// Replaces the file as a whole, with the rights of keepalived's.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".xvrrp");
    files::replace(path, Path::new(&new), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [precious, path] = ["precious", "keepalived.json"].map(|name| folder.path().join(name));
        fs::write(&precious, "precious").unwrap();
        for link in [path.clone(), folder.path().join("keepalived.json.xvrrp")] {
            symlink(&precious, link).unwrap();
        }
        for text in ["[]\n", "[1]\n"] {
            replace(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        let found = fs::symlink_metadata(&path).unwrap();
        assert!(found.is_file() && found.permissions().mode() & 0o7777 == 0o600, "{found:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left over");
    }
}
