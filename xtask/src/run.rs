//! `cargo xtask run`: the node itself, freshly built.

use anyhow::Result;
use clap::Args;

use crate::cargo;

#[derive(Args)]
pub(crate) struct Run {
    /// Arguments of `xvrrp run`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Run {
    pub(crate) fn run(self) -> Result<()> {
        cargo::build(&["--package", "vrrp-user"])?;
        cargo::become_program("xvrrp", &[vec!["run".to_owned()], self.arguments].concat())
    }
}
