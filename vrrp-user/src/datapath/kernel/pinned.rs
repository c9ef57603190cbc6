//! The kernel object's maps and programs under names, so that the next daemon finds them running and need not load
//! them again. What a name leads to is checked in `crate::pins`.

use std::{collections::BTreeSet, os::fd::AsFd, path::PathBuf};

use aya::{Ebpf, EbpfError, EbpfLoader, programs::ProgramFd};

use super::lines;
use crate::{
    pins::{Names, Pins, PinsError, Shape},
    sys,
};

/// The object's hash: programs of another one are not ours.
const OBJECT_ID: &str = env!("XVRRP_OBJECT_ID");

/// Reads the object; its maps are those under our names where there are such. If names do not work, the maps have
/// none, and the second value says so.
pub(super) fn load(object: &[u8], pins: Option<Pins>, logs: bool) -> Result<(Ebpf, Option<Pins>), EbpfError> {
    if let Some(pins) = pins {
        match with_names(object, &pins, logs) {
            Ok(ebpf) => return Ok((ebpf, Some(pins))),
            Err(error) => {
                tracing::warn!("nothing is left in the kernel for the next daemon: {error}");
            }
        }
    }
    Ok((sized(&mut EbpfLoader::new(), logs).load(object)?, None))
}

fn with_names(object: &[u8], pins: &Pins, logs: bool) -> Result<Ebpf, Unnamed> {
    let maps = shapes(object)?;
    let mut loader = EbpfLoader::new();
    for (name, shape) in &maps {
        loader.map_pin_path(name, pins.map(name, shape)?);
    }
    Ok(sized(&mut loader, logs).load(object)?)
}

/// Nobody writes lines unless told to, and then there is no need for much room for them.
fn sized<'a, 'b>(loader: &'a mut EbpfLoader<'b>, logs: bool) -> &'a mut EbpfLoader<'b> {
    const PAGE: u32 = 4096;
    if logs { loader } else { loader.map_max_entries(lines::MAP, PAGE) }
}

#[derive(Debug, thiserror::Error)]
enum Unnamed {
    #[error(transparent)]
    Pins(#[from] PinsError),
    #[error("{}", super::object::words(.0))]
    Load(#[from] EbpfError),
}

/// What the object's maps must be like.
fn shapes(object: &[u8]) -> Result<Vec<(String, Shape)>, EbpfError> {
    let maps = aya_obj::Object::parse(object).map_err(EbpfError::ParseError)?.maps;
    // Nobody shares the compiler's own sections, nor lines for the log.
    let shared = maps.into_iter().filter(|(name, _)| !name.starts_with('.') && name != lines::MAP);
    let shape = |map: &aya_obj::Map| Shape {
        kind: map.map_type(),
        key: map.key_size(),
        value: map.value_size(),
        entries: map.max_entries(),
        flags: map.map_flags(),
    };
    Ok(shared.map(|(name, map)| (name, shape(&map))).collect())
}

/// Where an earlier daemon left this program, if it is out of the same object and works on the maps that we have.
pub(super) fn find(pins: &Pins, name: &str, kind: u32) -> Option<PathBuf> {
    let path = pins.program(name, OBJECT_ID, kind);
    let path = path.map_err(|error| tracing::warn!("{error}")).ok()?;
    if !path.exists() {
        return None;
    }
    let maps = sys::pins::open(&path).and_then(|program| sys::bpf::maps_of(program.as_fd()));
    let ours: BTreeSet<u32> = pins.map_ids();
    match maps {
        Ok(maps) if !maps.is_empty() && maps.iter().all(|map| ours.contains(map)) => return Some(path),
        Ok(_) => tracing::warn!("{} works on maps that are not ours: it is replaced", path.display()),
        Err(error) => tracing::warn!("{} cannot be read ({error}): it is replaced", path.display()),
    }
    if let Err(error) = pins.discard(&path) {
        tracing::warn!("{error}");
    }
    None
}

/// The names that must stay.
pub(super) fn names(pins: &Pins) -> Names {
    pins.names(OBJECT_ID)
}

/// Leaves a program that was just loaded to the next daemon.
pub(super) fn keep(pins: Option<&Pins>, name: &str, kind: u32, loaded: &ProgramFd) {
    let Some(pins) = pins else { return };
    let kept = pins.keep_program(loaded.as_fd(), name, OBJECT_ID, kind);
    if let Err(error) = kept {
        tracing::warn!("the next daemon has to load the program again: {error}");
    }
}
