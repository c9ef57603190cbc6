//! The project's own commands; each lives in a file of its own.

mod bench;
mod build_ebpf;
mod cargo;
mod demo;
mod dist;
#[path = "../../vrrp-ebpf/fingerprint.rs"]
mod fingerprint;
mod run;
mod setup;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build xvrrp and run `xvrrp run` with these arguments
    Run(run::Run),
    /// Two hosts share an address before your eyes, in network namespaces; needs root
    Demo(demo::Demo),
    /// Numbers of our node beside keepalived's; needs root
    Bench(bench::Bench),
    BuildEbpf(build_ebpf::BuildEbpf),
    /// Gather what a package carries in target/dist: program, manual pages, completions, units
    Dist(dist::Dist),
    /// Run every test
    Test(test::Test),
}

fn main() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            setup::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

impl Command {
    fn run(self) -> Result<()> {
        match self {
            Self::Bench(bench) => bench.run(),
            Self::BuildEbpf(build) => build.run(),
            Self::Dist(dist) => dist.run(),
            Self::Run(run) => run.run(),
            Self::Demo(demo) => demo.run(),
            Self::Test(test) => test.run(),
        }
    }
}
