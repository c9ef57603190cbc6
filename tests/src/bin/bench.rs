//! The benchmarks as a program; `cargo xtask bench` sets up for it, builds it and runs it.

use std::process::ExitCode;

use clap::Parser as _;
use vrrp_tests::{bench::Bench, exit_code};

fn main() -> ExitCode {
    exit_code(Bench::parse().run().map(|()| true))
}
