//! `cargo xtask bench`: optimized builds of the node and the Lab, then numbers beside keepalived's.

use anyhow::{Result, ensure};
use clap::Args;

use crate::{cargo, setup};

#[derive(Args)]
pub(crate) struct Bench {
    /// Arguments of the benchmark; `--help` tells
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Bench {
    pub(crate) fn run(self) -> Result<()> {
        ensure!(
            setup::is_root(),
            "benchmarks make network namespaces; run them as root: sudo cargo xtask bench"
        );
        setup::install(&["iproute2", "util-linux", "keepalived", "tcpdump", "tshark"])?;
        cargo::build(&["--release", "--package", "vrrp-user", "--package", "vrrp-tests"])?;
        cargo::become_program("../release/bench", &self.arguments)
    }
}
