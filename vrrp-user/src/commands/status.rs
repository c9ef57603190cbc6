//! `xvrrp status`: asks the running node and prints what it says.

use std::process::ExitCode;

use super::Style;
use crate::{cli, control, status};

/// Prints the snapshot as text or JSON.
pub fn run(arguments: &cli::Status, _style: Style) -> anyhow::Result<ExitCode> {
    let snapshot = control::status(&arguments.which.control())?;
    let text = if arguments.json {
        serde_json::to_string_pretty(&snapshot)? + "\n"
    } else {
        status::render(&snapshot)
    };
    super::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
