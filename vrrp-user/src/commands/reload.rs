//! `xvrrp reload`: tells the running node to read its configuration again.

use std::process::ExitCode;

use super::{Style, check::UNUSABLE};
use crate::{
    cli,
    control::{self, ControlError, Request},
};

/// The exit code for a file of which single routers cannot be used.
const PARTLY: u8 = 4;

/// Says what came of it; exit code 3 if the file cannot be used, and then nothing changed, and 4 if a node that keeps
/// going applied it without the routers that have errors.
pub fn run(arguments: &cli::Reload, style: Style) -> anyhow::Result<ExitCode> {
    match control::order(&arguments.which.control(), &Request::Reload) {
        Ok(_) if style.quiet => Ok(ExitCode::SUCCESS),
        Ok(text) => {
            super::print(&format!("{text}\n"))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ ControlError::Unusable(_)) => Ok(failed(&error, UNUSABLE)),
        Err(error @ ControlError::Partly(_)) => Ok(failed(&error, PARTLY)),
        Err(error) => Err(error.into()),
    }
}

fn failed(error: &ControlError, code: u8) -> ExitCode {
    super::warn(&error.to_string());
    ExitCode::from(code)
}
