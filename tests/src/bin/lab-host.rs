//! One Lab host: see `vrrp_tests::init`. Started by the Lab, not by people.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use vrrp_tests::init::{Host, enter, run_as_init};

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the namespaces and start process 1 in them
    Enter(Host),
    /// Be process 1
    Init(Host),
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Enter(host) => enter(&host),
        Command::Init(host) => run_as_init(&host).map(|()| ExitCode::SUCCESS),
    }
}
