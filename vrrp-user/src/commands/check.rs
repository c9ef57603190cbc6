//! `xvrrp check`: reads a configuration and says everything that is wrong with it.

use std::process::ExitCode;

use anyhow::Context;

use super::Style;
use crate::{cli, config, namespace};

/// The exit code for a file that cannot be used.
const UNUSABLE: u8 = 3;

/// Reports on the file; exit code 3 if a node would refuse it.
pub fn run(arguments: &cli::Check, style: Style) -> anyhow::Result<ExitCode> {
    let path = match &arguments.file {
        Some(path) => path.clone(),
        None => config::default_path()
            .context("no configuration file found: name one, as in `xvrrp check FILE`")?,
    };
    let load = || config::load(&path, arguments.config_id.as_deref());
    let mut loaded = load();
    if let Some(name) = loaded.configuration.as_ref().and_then(|loaded| loaded.net_namespace.clone()) {
        match namespace::enter(&name) {
            Ok(()) => loaded = load(),
            Err(error) => super::warn(&format!("{error:#}; interfaces were looked for here")),
        }
    }
    super::report(&loaded, style);
    match &loaded.configuration {
        Some(configuration) => {
            if !style.quiet {
                let routers = configuration.instances.len();
                super::print(&format!("{}: usable, {routers} virtual router(s)\n", path.display()))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        None => Ok(ExitCode::from(UNUSABLE)),
    }
}
