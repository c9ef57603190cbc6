//! Whether this machine can run a story; if not, a loud word, and a failure where tests must not be left out.

use std::{
    env,
    io::{self, Write as _},
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use nix::unistd::geteuid;

/// Debian packages that a story needs besides root.
pub type Needs<'a> = &'a [&'a str];

/// What the Lab and its stories use: Debian package, a program of it, what for.
const PACKAGES: &str = include_str!("../debian-packages.txt");

/// True if the story can run here. False, with a word on standard error, if not. An error where nothing
/// may be left out: under `CI=true` or `XVRRP_REQUIRE_LAB=1`.
pub fn can_run(name: &str, needs: Needs<'_>) -> Result<bool> {
    let Some(why) = obstacle(needs) else { return Ok(true) };
    leave_out(name, &why)?;
    Ok(false)
}

/// Says why a story does not run here. An error where nothing may be left out.
pub fn leave_out(name: &str, why: &str) -> Result<()> {
    if is_required() {
        bail!("{name} cannot run here, and must: {why}");
    }
    say(&format!("LEFT OUT: {name}: {why}"))
}

fn is_required() -> bool {
    env::var("CI").is_ok_and(|value| value == "true")
        || env::var("XVRRP_REQUIRE_LAB").is_ok_and(|value| value == "1")
}

fn obstacle(needs: Needs<'_>) -> Option<String> {
    if !geteuid().is_root() {
        return Some(
            "it makes network namespaces and needs root; `sudo cargo xtask test` runs it".to_owned(),
        );
    }
    let missing: Vec<&str> = PACKAGES
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        })
        .filter(|(package, program)| is_needed(package, needs) && !is_installed(program))
        .map(|(package, _)| package)
        .collect();
    (!missing.is_empty()).then(|| format!("`apt-get install {}` brings what it needs", missing.join(" ")))
}

fn is_needed(package: &str, needs: Needs<'_>) -> bool {
    ["iproute2", "util-linux"].contains(&package) || needs.contains(&package)
}

/// Whether a program is in PATH or where administrators' programs are.
fn is_installed(program: &str) -> bool {
    let path = env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin"]).any(|place| Path::new(place).join(program).is_file())
}

/// To standard error itself: the test harness would swallow what the print macros say in a test that passes.
pub(crate) fn say(text: &str) -> Result<()> {
    writeln!(io::stderr(), "{text}").context("writing to standard error")
}
