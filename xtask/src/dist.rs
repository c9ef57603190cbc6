//! `cargo xtask dist`: what a package carries, gathered in target/dist: the program, its manual pages and completions, and
//! the units. Making a package of it is the distribution's affair.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    cargo::{build, cargo, check, root},
    setup::say,
};

const FOLDER: &str = "target/dist";

#[derive(Args)]
pub(crate) struct Dist {}

impl Dist {
    pub(crate) fn run(self) -> Result<()> {
        build(&["--release", "--package", "vrrp-user"])?;
        check(cargo().args([
            "run",
            "--quiet",
            "--package",
            "vrrp-user",
            "--example",
            "pages",
            "--",
            FOLDER,
        ]))?;
        copy("target/release/xvrrp", "sbin")?;
        for unit in ["xvrrp.service", "xvrrp-cleanup.service"] {
            copy(&format!("dist/systemd/{unit}"), "systemd")?;
        }
        say(&format!("{FOLDER} has the program, manual pages, completions and units"));
        Ok(())
    }
}

fn copy(file: &str, folder: &str) -> Result<()> {
    let folder = root().join(FOLDER).join(folder);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let name = Path::new(file).file_name().context("a file has a name")?;
    fs::copy(root().join(file), folder.join(name)).with_context(|| format!("copying {file}"))?;
    Ok(())
}
