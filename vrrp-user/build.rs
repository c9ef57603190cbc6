//! Records the commit for `xvrrp --version`, and chooses the kernel object that is put into the program: the one
//! that `cargo xtask build-ebpf` has just made, else the one that is checked in, and never one of other sources.

#[path = "../vrrp-ebpf/fingerprint.rs"]
mod fingerprint;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use fingerprint::{digest, fingerprint, sources};

#[allow(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]
fn main() -> Result<(), String> {
    println!("cargo::rustc-env=XVRRP_COMMIT={}", commit());
    println!("cargo::rerun-if-changed=../.git/HEAD");
    println!("cargo::rerun-if-changed=../.git/refs/heads");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the package has no parent directory")?;
    let (object, id) = object(root).map_err(|error| format!("{}: {error}", root.display()))?;
    println!("cargo::rustc-env=XVRRP_OBJECT={}", object.display());
    println!("cargo::rustc-env=XVRRP_OBJECT_ID={id}");
    for watched in sources(root).map_err(|error| error.to_string())?.into_iter().chain(places(root)) {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    Ok(())
}

/// A build without git says "unknown".
fn commit() -> String {
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok();
    output
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// Where an object may lie, best first.
fn places(root: &Path) -> [PathBuf; 2] {
    ["target/bpf", "vrrp-ebpf/prebuilt"].map(|place| root.join(place))
}

/// The object and the number of its content.
fn object(root: &Path) -> io::Result<(PathBuf, String)> {
    let wanted = format!("sources: {}", fingerprint(root)?);
    for place in places(root) {
        let Ok(note) = fs::read_to_string(place.join("xvrrp.note")) else { continue };
        let object = place.join("xvrrp.o");
        let id = digest(&fs::read(&object)?);
        let made_of = note.lines().any(|line| line == wanted);
        if made_of && note.lines().any(|line| line == format!("object: {id}")) {
            return Ok((object, id));
        }
    }
    Err(io::Error::other(
        "vrrp-ebpf/prebuilt was made from other sources than these; run `cargo xtask build-ebpf --write`",
    ))
}
