//! The demo as a program; `cargo xtask demo` sets up for it, builds it and runs it.

use std::process::ExitCode;

use clap::Parser as _;
use vrrp_tests::{demo::Demo, exit_code};

fn main() -> ExitCode {
    exit_code(Demo::parse().run())
}
