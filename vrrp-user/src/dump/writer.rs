//! Puts text into files whose directory anybody may write to, on a thread of its own: a file system that hangs holds
//! up nothing else.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, SyncSender, TrySendError},
    thread,
};

/// Files that may wait to be written.
const WAITING: usize = 4;

/// The way to the thread. There is none until there is something to write.
#[derive(Debug, Default)]
pub(super) struct Writer {
    thread: Option<SyncSender<(PathBuf, String)>>,
}

impl Writer {
    /// Hands the text over. If those before it are not written yet, this one is left out.
    pub(super) fn write(&mut self, path: &Path, text: String) {
        let place = path.display();
        let thread = match self.thread.take().map_or_else(start, Ok) {
            Ok(thread) => self.thread.insert(thread),
            Err(error) => return tracing::warn!("cannot write {place}: no thread can be started: {error}"),
        };
        match thread.try_send((path.to_owned(), text)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                tracing::warn!(
                    "{place} is not written: the files asked for before are still waiting for the disk"
                );
            }
            Err(TrySendError::Disconnected(_)) => {
                tracing::warn!("{place} is not written: its thread has ended");
            }
        }
    }
}

fn start() -> io::Result<SyncSender<(PathBuf, String)>> {
    let (sender, files) = mpsc::sync_channel(WAITING);
    // Nobody joins it: the end of the node must not wait for a file system either.
    thread::Builder::new().name("dump".to_owned()).spawn(move || write_all(&files))?;
    Ok(sender)
}

fn write_all(files: &Receiver<(PathBuf, String)>) {
    for (path, text) in files {
        match replace(&path, &text) {
            Ok(()) => tracing::debug!("{} is written", path.display()),
            Err(error) => tracing::warn!("cannot write {}: {error}", path.display()),
        }
    }
}

/// Replaces the file as a whole; a link in its place is replaced, not followed. Only its owner may read it, as
/// keepalived's.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".xvrrp");
    let new = PathBuf::from(name);
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Whoever puts something there meanwhile makes this fail, and gains nothing.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

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
