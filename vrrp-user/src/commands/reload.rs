//! `xvrrp reload`: tells the running node to read its configuration again.

use std::process::ExitCode;

use super::{Style, check::UNUSABLE};
use crate::{
    cli,
    control::{self, ControlError, Request},
};

/// Says what came of it; exit code 3 if the file cannot be used, and then nothing changed.
pub fn run(arguments: &cli::Reload, style: Style) -> anyhow::Result<ExitCode> {
    match control::order(&arguments.which.control(), &Request::Reload) {
        Ok(_) if style.quiet => Ok(ExitCode::SUCCESS),
        Ok(text) => {
            super::print(&format!("{text}\n"))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ ControlError::Unusable(_)) => {
            #[allow(clippy::print_stderr, reason = "diagnostics are for the person at the terminal")]
            {
                eprintln!("xvrrp: {error}");
            }
            Ok(ExitCode::from(UNUSABLE))
        }
        Err(error) => Err(error.into()),
    }
}
