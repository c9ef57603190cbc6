//! `xvrrp events`: asks the running node what happened lately and prints what it says.

use std::process::ExitCode;

use super::Style;
use crate::{cli, control, status};

/// Prints the events as text or JSON.
pub fn run(arguments: &cli::Status, _style: Style) -> anyhow::Result<ExitCode> {
    let events = control::events(&arguments.which.control())?;
    let text = if arguments.json {
        serde_json::to_string_pretty(&events)? + "\n"
    } else {
        status::render_events(&events)
    };
    super::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
