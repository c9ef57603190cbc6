//! `xvrrp step-down` and `xvrrp take`: planned switch-overs.

use std::process::ExitCode;

use super::Style;
use crate::{
    cli,
    control::{self, Request},
};

/// Gives the addresses away.
pub fn step_down(arguments: &cli::Order, style: Style) -> anyhow::Result<ExitCode> {
    let (name, seconds) = (arguments.name.clone(), arguments.seconds);
    order(arguments, &Request::StepDown { name, seconds }, style)
}

/// Takes them.
pub fn take(arguments: &cli::Order, style: Style) -> anyhow::Result<ExitCode> {
    let (name, seconds) = (arguments.name.clone(), arguments.seconds);
    order(arguments, &Request::Take { name, seconds }, style)
}

fn order(arguments: &cli::Order, request: &Request, style: Style) -> anyhow::Result<ExitCode> {
    let text = control::order(&arguments.which.control(), request)?;
    if !style.quiet {
        super::print(&format!("{text}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
