//! Tells whether an object was made from the sources that are here; shared by `cargo xtask build-ebpf`, which
//! notes it, and the daemon's build script, which asks.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Everything that goes into the object. The election does not.
const SOURCES: &[&str] = &[
    "vrrp-ebpf/Cargo.lock",
    "vrrp-ebpf/Cargo.toml",
    "vrrp-ebpf/src",
    "vrrp-common/src/abi",
    "vrrp-common/src/abi.rs",
    "vrrp-common/src/judge",
    "vrrp-common/src/judge.rs",
    "vrrp-common/src/time.rs",
    "vrrp-common/src/wire",
];

/// The sources below the root of the workspace, in a stable order.
pub(crate) fn sources(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for source in SOURCES {
        collect(&root.join(source), &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), found)?;
        }
    } else if path.is_file() {
        found.push(path.to_owned());
    }
    Ok(())
}

/// A number for the names and contents of all sources.
pub(crate) fn fingerprint(root: &Path) -> io::Result<String> {
    let mut hash = EMPTY;
    for path in sources(root)? {
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        let content = fs::read(&path)?;
        for part in [name.as_bytes(), &content.len().to_le_bytes(), &content] {
            hash = hashed(hash, part);
        }
    }
    Ok(format!("{hash:016x}"))
}

/// A number for some bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("{:016x}", hashed(EMPTY, bytes))
}

/// FNV-1a: it tells apart what differs by mistake, and needs no library in a build script.
const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

fn hashed(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
