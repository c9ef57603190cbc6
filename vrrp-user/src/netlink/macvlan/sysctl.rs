//! The kernel's switches that make an address answer with the virtual MAC address only, and putting them back.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::undo::Undo;

const IPV4: &str = "/proc/sys/net/ipv4/conf";
const IPV6: &str = "/proc/sys/net/ipv6/conf";

/// Switches of the interface that carries the virtual MAC address. It answers for its own addresses only, and takes
/// packets although the way back leads over the interface below.
const OWN: &[(&str, &str)] =
    &[("arp_ignore", "1"), ("accept_local", "1"), ("rp_filter", "0"), ("promote_secondaries", "1")];

/// No address is made from the virtual MAC address (RFC 9568 §7.4): every router of the group would make the same.
const OWN_IPV6: &[(&str, &str)] = &[("addr_gen_mode", "1"), ("accept_ra", "0"), ("autoconf", "0")];

/// Switches of the interface below. It answers for its own addresses only, and asks with them only: a question
/// that names a virtual address with the interface's own MAC address would teach the neighbours that one.
const BELOW: &[(&str, &str)] = &[("arp_ignore", "1"), ("arp_filter", "1"), ("arp_announce", "2")];

/// How the notes of changed switches begin; `INTERFACE:SWITCH` follows. No interface has a `:` in its name.
const NOTE: &str = "switch:";
const FILTER: &str = "rp_filter";
const ALL: &str = "all";

/// Sets a switch of an interface, or of "all", and notes what it was.
fn set(undo: &mut Undo, interface: &str, switch: &str, value: &str) -> Result<(), String> {
    let path = path(interface, switch);
    let before = read(&path).map_err(|error| cannot(&path, value, &error))?;
    if before == value {
        return Ok(());
    }
    undo.note(&format!("{NOTE}{interface}:{switch}"), &before)
        .and_then(|()| fs::write(&path, value))
        .map_err(|error| cannot(&path, value, &error))
}

/// Puts back what was changed, by this daemon or an earlier one: below interfaces that carry no virtual MAC address
/// any more, and for all if there is no such interface.
pub(super) fn put_back(undo: &mut Undo, carries: impl Fn(&str) -> bool, any: bool) {
    for (name, before) in undo.noted(NOTE) {
        let Some((interface, switch)) = name.split_once(':') else { continue };
        let needed = if switch == FILTER { any } else { carries(interface) };
        if needed {
            continue;
        }
        let path = path(interface, switch);
        // The interface may be gone, and its switches with it.
        if let Err(error) = fs::write(&path, &before) {
            tracing::debug!("cannot put {} back to {before}: {error}", path.display());
        }
        if let Err(error) = undo.forget(&format!("{NOTE}{name}")) {
            tracing::warn!("the note that {} was changed stays: {error}", path.display());
        }
    }
}

fn path(interface: &str, switch: &str) -> PathBuf {
    Path::new(IPV4).join(interface).join(switch)
}

/// Sets up the interface that carries a virtual MAC address; what cannot be set is returned.
pub(super) fn set_up(interface: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (folder, switches) in [(IPV4, OWN), (IPV6, OWN_IPV6)] {
        let folder = Path::new(folder).join(interface);
        if !folder.exists() {
            // Without IPv6 there is nothing to set.
            continue;
        }
        for (name, value) in switches {
            let path = folder.join(name);
            complaints.extend(fs::write(&path, value).err().map(|error| cannot(&path, value, &error)));
        }
    }
    complaints
}

/// Makes the interface below keep to its own addresses.
pub(super) fn quieten(interface: &str, undo: &mut Undo) -> Vec<String> {
    let set = |(switch, value): &(&str, &str)| set(undo, interface, switch, value).err();
    BELOW.iter().filter_map(set).collect()
}

/// The stricter of the switch of all and an interface's own counts for `rp_filter`. All must not be strict for
/// ours to be loose; so every other interface is made as strict as it was by the switch of all.
pub(super) fn share_filter(undo: &mut Undo) -> Vec<String> {
    let all = path(ALL, FILTER);
    let strictness = match read(&all) {
        Ok(strictness) if strictness != "0" => strictness,
        Ok(_) => return Vec::new(),
        Err(error) => return vec![cannot(&all, "0", &error)],
    };
    let mut complaints = Vec::new();
    for folder in fs::read_dir(IPV4).into_iter().flatten().flatten() {
        let interface = folder.file_name().to_string_lossy().into_owned();
        let looser = read(&path(&interface, FILTER)).is_ok_and(|own| own < strictness);
        let ours = read(&path(&interface, "accept_local")).is_ok_and(|own| own == "1");
        if interface != ALL && looser && !ours {
            complaints.extend(set(undo, &interface, FILTER, &strictness).err());
        }
    }
    complaints.extend(set(undo, ALL, FILTER, "0").err());
    complaints
}

fn read(path: &Path) -> io::Result<String> {
    Ok(fs::read_to_string(path)?.trim().to_owned())
}

fn cannot(path: &Path, value: &str, error: &io::Error) -> String {
    format!("cannot set {} to {value}: {error}", path.display())
}
