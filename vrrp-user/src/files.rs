//! Files that are removed if they are there, and replaced as a whole. What is in them is not known here.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// That something is not there to be removed is fine.
///
/// # Errors
/// What else the outcome says.
pub fn absent_is_fine(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes a file if it is there.
///
/// # Errors
/// Why it stays.
pub fn remove(path: &Path) -> io::Result<()> {
    absent_is_fine(fs::remove_file(path))
}

/// Replaces a file as a whole, by way of `new` beside it; links in their places are replaced, not followed. Only its owner
/// may read it.
///
/// # Errors
/// Why it cannot be written. The file is as it was then.
pub fn replace(path: &Path, new: &Path, content: &[u8]) -> io::Result<()> {
    remove(new)?;
    // Whoever puts something there meanwhile makes this fail, and gains nothing.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(content)?;
    fs::rename(new, path)
}
