//! Calling cargo, and becoming what it built.

use std::{
    env,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

/// The cargo that runs us, at the root of the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command that must succeed.
pub(crate) fn check(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("running {}", command.get_program().display()))?;
    ensure!(status.success(), "{}: {status}", command.get_program().display());
    Ok(())
}

/// Builds the programs that these arguments name.
pub(crate) fn build(arguments: &[&str]) -> Result<()> {
    check(cargo().args(["build", "--quiet", "--bins"]).args(arguments))
}

/// Becomes a program that was built, so that signals and the exit code are its own. Without `CARGO` in its
/// environment the Lab does not build again what was built just now.
pub(crate) fn become_program(name: &str, arguments: &[String]) -> Result<()> {
    let program = built(name)?;
    let error = Command::new(&program).args(arguments).env_remove("CARGO").exec();
    Err(error).with_context(|| format!("starting {}", program.display()))
}

/// Programs are built beside xtask itself.
fn built(name: &str) -> Result<PathBuf> {
    let own = env::current_exe().context("own path")?;
    Ok(own.with_file_name(name))
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."))
}
