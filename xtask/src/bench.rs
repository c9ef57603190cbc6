//! `cargo xtask bench`: optimized builds of the node and the Lab, then numbers beside keepalived's and FRR's.

use anyhow::{Result, ensure};
use clap::Args;

use crate::{cargo, setup};

#[derive(Args)]
pub(crate) struct Bench {
    /// Arguments of the benchmark; `cargo xtask bench -- --help` tells
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Bench {
    pub(crate) fn run(self) -> Result<()> {
        if self.measures() {
            ensure!(
                setup::is_root(),
                "benchmarks make network namespaces; run them as root: sudo cargo xtask bench"
            );
            setup::install(&["iproute2", "util-linux", "psmisc"])?;
            setup::offer(&["keepalived", "frr", "valgrind"]);
        }
        cargo::build(&["--release", "--package", "vrrp-user", "--package", "vrrp-tests"])?;
        cargo::become_program("../release/bench", &self.arguments)
    }

    /// Whether more is asked for than to read what is there already.
    fn measures(&self) -> bool {
        let reads = ["compare", "report", "--list", "--help", "-h", "--version", "-V"];
        !self.arguments.iter().any(|argument| reads.contains(&argument.as_str()))
    }
}
