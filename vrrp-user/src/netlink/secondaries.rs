//! Keeps the host's other addresses while a virtual one goes: `promote_secondaries` for as long as it takes.
//!
//! Linux marks the second and later IPv4 addresses of one subnet as secondary and removes them with the first
//! one, unless this switch is on. A virtual address with the subnet's prefix may be the first one.

use std::{fs, path::PathBuf};

/// The switch of one interface is on; it is put back when this is dropped.
#[derive(Debug)]
pub(super) struct Promotion(PathBuf);

impl Promotion {
    /// Switches it on. `None` if it was on, or if the host does not let us: then what the kernel removes
    /// besides is put back by reconciling, as far as it is ours.
    pub(super) fn begin(interface: &str) -> Option<Self> {
        let path = PathBuf::from("/proc/sys/net/ipv4/conf").join(interface).join("promote_secondaries");
        let before = fs::read_to_string(&path).ok()?;
        if before.trim() != "0" {
            return None;
        }
        match fs::write(&path, "1") {
            Ok(()) => Some(Self(path)),
            Err(error) => {
                tracing::warn!(
                    "cannot set {}: {error}; removing a virtual address may remove others of its subnet",
                    path.display()
                );
                None
            }
        }
    }
}

impl Drop for Promotion {
    fn drop(&mut self) {
        // A switch that stays on does no harm; one whose interface is gone cannot be put back.
        if let Err(error) = fs::write(&self.0, "0") {
            tracing::debug!("cannot put {} back to 0: {error}", self.0.display());
        }
    }
}
