//! `xvrrp doctor`: prints what was found about this host.

use std::process::ExitCode;

use super::Style;
use crate::{
    cli,
    doctor::{self, Level},
};

/// Exit code 1 if something must be mended before a node can do its work.
pub fn run(arguments: &cli::Doctor, style: Style) -> anyhow::Result<ExitCode> {
    let mut findings = doctor::examine(&arguments.interfaces);
    let worst = doctor::worst(&findings);
    if style.quiet {
        findings.retain(|finding| finding.level == Level::Problem);
    }
    let text = if arguments.json {
        serde_json::to_string_pretty(&findings)? + "\n"
    } else {
        doctor::render(&findings)
    };
    super::print(&text)?;
    Ok(if worst == Level::Problem { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
