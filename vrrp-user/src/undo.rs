//! What was changed on the host and is to be put back, where it outlives the daemon: one symbolic link a change, made
//! before the change is, whose target is what was there before. What the changes are is not known here.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::{DirBuilderExt, symlink},
    path::{Path, PathBuf},
};

use crate::{files, identity::Identity};

/// The notes of one daemon: `<network namespace>-<instance>.undo` in its directory. One value has them at a time.
#[derive(Debug, Default)]
pub struct Undo {
    /// None where nothing outlives the daemon.
    place: Option<PathBuf>,
    notes: BTreeMap<String, String>,
}

impl Undo {
    /// With what an earlier daemon noted.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn recall(directory: &Path, identity: &Identity) -> io::Result<Self> {
        let place = directory.join(format!("{identity}.undo"));
        let entries = match fs::read_dir(&place) {
            Ok(entries) => Some(entries),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(named(&place, &error)),
        };
        let mut notes = BTreeMap::new();
        for entry in entries.into_iter().flatten() {
            let path = entry?.path();
            let before = fs::read_link(&path).map_err(|error| named(&path, &error))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            notes.insert(name.into_owned(), before.to_string_lossy().into_owned());
        }
        Ok(Self { place: Some(place), notes })
    }

    /// Notes what is there before `name` is changed; an earlier note is replaced.
    ///
    /// # Errors
    /// When that does not outlive the daemon.
    pub fn note(&mut self, name: &str, before: &str) -> io::Result<()> {
        if let Some(place) = &self.place {
            let path = place.join(name);
            fs::DirBuilder::new().recursive(true).mode(0o755).create(place)?;
            files::remove(&path)?;
            symlink(before, &path).map_err(|error| named(&path, &error))?;
        }
        self.notes.insert(name.to_owned(), before.to_owned());
        Ok(())
    }

    /// It was put back. With the last note the directory goes.
    ///
    /// # Errors
    /// When the note stays.
    pub fn forget(&mut self, name: &str) -> io::Result<()> {
        self.notes.remove(name);
        let Some(place) = &self.place else { return Ok(()) };
        files::remove(&place.join(name)).map_err(|error| named(place, &error))?;
        if self.notes.is_empty() { files::absent_is_fine(fs::remove_dir(place)) } else { Ok(()) }
    }

    /// Every name that begins with `kind`, without that, and what was there before.
    pub fn noted(&self, kind: &str) -> Vec<(String, String)> {
        let of_kind = self.notes.iter().filter_map(|(name, before)| Some((name.strip_prefix(kind)?, before)));
        of_kind.map(|(name, before)| (name.to_owned(), before.clone())).collect()
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_daemon_noted_the_next_one_puts_back() {
        let place = tempfile::tempdir().unwrap();
        let identity = Identity::here(&Default::default()).unwrap();
        let recall = || Undo::recall(place.path(), &identity).unwrap();
        let mut undo = recall();
        undo.note("macvlan:vrrp.51", "eth0").unwrap();
        undo.note("switch:all:rp_filter", "1").unwrap();
        undo.note("switch:all:rp_filter", "2").unwrap();
        drop(undo);

        let mut undo = recall();
        assert_eq!(undo.noted("switch:"), [("all:rp_filter".to_owned(), "2".to_owned())]);
        undo.forget("switch:all:rp_filter").unwrap();
        undo.forget("switch:all:rp_filter").unwrap();
        assert_eq!(recall().noted(""), [("macvlan:vrrp.51".to_owned(), "eth0".to_owned())]);
        undo.forget("macvlan:vrrp.51").unwrap();
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
