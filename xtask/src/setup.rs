//! What the machine needs besides Rust: says what is missing and why, then installs it where it knows how.

use std::{env, path::Path, process::Command};

use anyhow::{Result, bail};

use crate::cargo::check;

/// Debian package, a program that it brings, what that is for.
const PACKAGES: &str = include_str!("../../tests/debian-packages.txt");

/// The same, of what benchmarks alone take.
const FOR_BENCHMARKS: &str = "valgrind valgrind counts instructions in the benchmark";

struct Package {
    name: &'static str,
    program: &'static str,
    purpose: String,
}

/// Installs those of these packages that are missing. Not called for what is there.
pub(crate) fn install(wanted: &[&str]) -> Result<()> {
    let missing: Vec<Package> = packages(PACKAGES)
        .chain(packages(FOR_BENCHMARKS))
        .filter(|package| wanted.contains(&package.name) && !is_installed(package.program))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    say("Missing on this machine:");
    for package in &missing {
        say(&format!("  {:<12} {} {}", package.name, package.program, package.purpose));
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    if !is_installed("apt-get") {
        bail!("install them with your system's package manager (the names are Debian's), then try again");
    }
    if !is_root() {
        bail!("as root, `apt-get install {}` installs them", names.join(" "));
    }
    say(
        "Installing them with apt-get. Where Debian starts services for that: `systemctl disable --now nginx frr keepalived`.",
    );
    apt_update()?;
    apt_install(&names)
}

/// Installs these packages too, where that can be done: without them less is done, not nothing.
pub(crate) fn offer(wanted: &[&str]) {
    if let Err(error) = install(wanted) {
        say(&format!("Going on without: {error:#}"));
    }
}

/// Installs all that the tests need.
pub(crate) fn install_all() -> Result<()> {
    let names: Vec<&str> = packages(PACKAGES).map(|package| package.name).collect();
    install(&names)
}

fn packages(list: &'static str) -> impl Iterator<Item = Package> {
    list.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some(Package {
            name: words.next()?,
            program: words.next()?,
            purpose: words.collect::<Vec<_>>().join(" "),
        })
    })
}

pub(crate) fn apt_update() -> Result<()> {
    check(apt_get().arg("update"))
}

pub(crate) fn apt_install(names: &[&str]) -> Result<()> {
    check(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(names))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["-qq", "-o", "Dpkg::Use-Pty=0"]);
    command
}

/// Whether a program is in PATH or where administrators' programs are.
fn is_installed(program: &str) -> bool {
    let path = env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin"]).any(|place| Path::new(place).join(program).is_file())
}

/// Whether we run as root. Our own entry in /proc belongs to our effective user.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    Path::new("/proc/self").metadata().is_ok_and(|own| own.uid() == 0)
}

#[expect(clippy::print_stderr, reason = "this is a command's report to a person")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}
