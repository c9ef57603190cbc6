//! Where this workspace's programs are, and that `xvrrp` is the one of the sources.

use std::{env, path::PathBuf, process::Command, sync::OnceLock};

use anyhow::{Context as _, Result, bail};

/// A program of this workspace, found beside the running one. `XVRRP_BIN` names another `xvrrp`.
pub fn binary(name: &str) -> Result<PathBuf> {
    if name == "xvrrp" {
        if let Some(path) = env::var_os("XVRRP_BIN") {
            return Ok(path.into());
        }
        build_once()?;
    }
    let own = env::current_exe().context("own path")?;
    // Test programs are in deps/, below the others.
    let found = own.ancestors().skip(1).take(2).map(|place| place.join(name)).find(|path| path.is_file());
    found.with_context(|| format!("{name} is not built; `cargo build --workspace` builds it"))
}

/// Cargo builds a package's programs for that package's tests only: without this, `cargo test` would test
/// the node of yesterday. Under cargo only; a copied test program takes what is beside it.
fn build_once() -> Result<()> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| env::var_os("CARGO").map_or(Ok(()), |cargo| build(Command::new(cargo))));
    match built {
        Ok(()) => Ok(()),
        Err(why) => bail!("building xvrrp: {why}"),
    }
}

fn build(mut cargo: Command) -> Result<(), String> {
    cargo.args(["build", "--quiet", "--package", "vrrp-user", "--bin", "xvrrp"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
