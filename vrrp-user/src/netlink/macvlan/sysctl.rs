//! The kernel's switches that make an address answer with the virtual MAC address only, and putting them back.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

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

/// Switches that were changed; they are put back when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Sysctls(BTreeMap<PathBuf, String>);

impl Sysctls {
    fn set(&mut self, path: PathBuf, value: &str) -> Result<(), String> {
        let before = read(&path).map_err(|error| cannot(&path, value, &error))?;
        if before == value {
            return Ok(());
        }
        fs::write(&path, value).map_err(|error| cannot(&path, value, &error))?;
        self.0.entry(path).or_insert(before);
        Ok(())
    }
}

impl Drop for Sysctls {
    fn drop(&mut self) {
        for (path, before) in &self.0 {
            // The interface may be gone, and its switches with it.
            if let Err(error) = fs::write(path, before) {
                tracing::debug!("cannot put {} back to {before}: {error}", path.display());
            }
        }
    }
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
pub(super) fn quieten(interface: &str, changed: &mut Sysctls) -> Vec<String> {
    let folder = Path::new(IPV4).join(interface);
    let set = |(name, value): &(&str, &str)| changed.set(folder.join(name), value).err();
    BELOW.iter().filter_map(set).collect()
}

/// The stricter of the switch of all and an interface's own counts for `rp_filter`. All must not be strict for
/// ours to be loose; so every other interface is made as strict as it was by the switch of all.
pub(super) fn share_filter(changed: &mut Sysctls) -> Vec<String> {
    let all = Path::new(IPV4).join("all/rp_filter");
    let strictness = match read(&all) {
        Ok(strictness) if strictness != "0" => strictness,
        Ok(_) => return Vec::new(),
        Err(error) => return vec![cannot(&all, "0", &error)],
    };
    let mut complaints = Vec::new();
    for folder in fs::read_dir(IPV4).into_iter().flatten().flatten() {
        let path = folder.path().join("rp_filter");
        let looser = read(&path).is_ok_and(|own| own < strictness);
        let ours = read(&folder.path().join("accept_local")).is_ok_and(|own| own == "1");
        if path != all && looser && !ours {
            complaints.extend(changed.set(path, &strictness).err());
        }
    }
    complaints.extend(changed.set(all, "0").err());
    complaints
}

fn read(path: &Path) -> io::Result<String> {
    Ok(fs::read_to_string(path)?.trim().to_owned())
}

fn cannot(path: &Path, value: &str, error: &io::Error) -> String {
    format!("cannot set {} to {value}: {error}", path.display())
}
