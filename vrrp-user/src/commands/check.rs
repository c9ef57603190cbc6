//! `xvrrp check`: reads a configuration, says everything that is wrong with it or could be better, and shows what
//! it means.

use std::{path::Path, process::ExitCode};

use anyhow::Context;
use serde_json::json;

use super::Style;
use crate::{
    cli,
    config::{self, Loaded},
    namespace,
};

/// The exit code for a file that cannot be used.
pub(super) const UNUSABLE: u8 = 3;

/// Reports on the file; exit code 3 if a node would refuse it.
pub fn run(arguments: &cli::Check, style: Style) -> anyhow::Result<ExitCode> {
    let path = match &arguments.file {
        Some(path) => path.clone(),
        None => config::default_path()
            .context("no configuration file found: name one, as in `xvrrp check FILE`")?,
    };
    let load = || config::load(&path, arguments.config_id.as_deref());
    let mut loaded = load();
    if let Some(name) = loaded.net_namespace() {
        match namespace::enter(name) {
            Ok(()) => loaded = load(),
            Err(error) => super::warn(&format!("{error:#}; interfaces were looked for here")),
        }
    }
    let hints = loaded.hints();
    loaded.diagnostics.extend(hints);
    if arguments.json {
        print_json(&loaded, &path)?;
    } else {
        super::report(&loaded, style);
        print_text(&loaded, &path, arguments.print, style)?;
    }
    Ok(if loaded.configuration.is_some() { ExitCode::SUCCESS } else { ExitCode::from(UNUSABLE) })
}

fn print_text(loaded: &Loaded, path: &Path, whole: bool, style: Style) -> anyhow::Result<()> {
    let Some(configuration) = &loaded.configuration else { return Ok(()) };
    if whole {
        super::print(&loaded.text())?;
    } else if !style.quiet {
        let routers = configuration.instances.len();
        super::print(&format!("{}: usable, {routers} virtual router(s)\n", path.display()))?;
    }
    Ok(())
}

fn print_json(loaded: &Loaded, path: &Path) -> anyhow::Result<()> {
    let diagnostics: Vec<_> =
        loaded.diagnostics.iter().map(|one| config::json(one, &loaded.sources)).collect();
    let report = json!({
        "file": path.display().to_string(),
        "usable": loaded.configuration.is_some(),
        "diagnostics": diagnostics,
        "configuration": loaded.json(),
    });
    super::print(&format!("{report:#}\n")).context("cannot print the report")
}
