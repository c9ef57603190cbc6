//! Names that must stay: what somebody removed is named again, as long as the daemon lives.

use std::{
    fs,
    os::fd::{AsFd, OwnedFd},
};

use super::{Pins, PinsError};
use crate::sys::pins as sys;

/// Objects and their names.
#[derive(Debug)]
pub struct Names {
    pins: Pins,
    held: Vec<(String, OwnedFd)>,
}

impl Names {
    /// Maps, and programs out of `object`: those of another one make way for ours.
    pub(super) fn of(pins: Pins, object: &str) -> Self {
        let entries = fs::read_dir(&pins.place).into_iter().flatten().flatten();
        let named = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let stays = |name: &String| name.rsplit_once('-').is_none_or(|(_, other)| other == object);
        // Links look after themselves.
        let named = named.filter(|name| name.starts_with("xvrrp_")).filter(stays);
        let held = named.filter_map(|name| Some((name.clone(), sys::open(&pins.place.join(name)).ok()?)));
        Self { held: held.collect(), pins }
    }

    /// Names again what has lost its name.
    pub fn secure(&self) {
        for (name, object) in &self.held {
            secure(&self.pins, name, object);
        }
    }
}

pub(super) fn secure(pins: &Pins, name: &str, object: &impl AsFd) {
    let path = pins.place.join(name);
    if path.symlink_metadata().is_ok() {
        return;
    }
    match pins.restore().and_then(|()| sys::pin(object.as_fd(), &path).map_err(PinsError::at(&path))) {
        Ok(()) => tracing::warn!("{}: somebody removed it, put back", path.display()),
        Err(error) => tracing::warn!("somebody removed what the next daemon needs: {error}"),
    }
}
