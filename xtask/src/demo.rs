//! `cargo xtask demo`: builds the node and the Lab, then shows two hosts sharing an address.

use anyhow::{Result, ensure};
use clap::Args;

use crate::{cargo, setup};

#[derive(Args)]
pub(crate) struct Demo {
    /// Arguments of the demo; `--help` tells
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Demo {
    pub(crate) fn run(self) -> Result<()> {
        ensure!(setup::is_root(), "the demo makes network namespaces; run it as root: sudo cargo xtask demo");
        let mut packages = vec!["iproute2", "util-linux", "nginx-light", "psmisc"];
        if self.arguments.iter().any(|argument| argument.contains("keepalived")) {
            packages.push("keepalived");
        }
        setup::install(&packages)?;
        cargo::build(&["--package", "vrrp-user", "--package", "vrrp-tests"])?;
        cargo::become_program("demo", &self.arguments)
    }
}
