//! `xvrrp run`: reads the configuration, says what is wrong with it, and becomes the daemon.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};

use super::Style;
use crate::{
    cli,
    config::{self, Loaded},
    daemon,
    dump::Dump,
    logs, namespace,
    service::Reader,
    spawner,
    sys::process::ignore_signals,
};

/// The exit code for a command line that cannot be used, as clap's own.
const USAGE: u8 = 2;

/// Runs until stopped. Exit code 1 if the file or the host does not let the node run, 2 if the options don't.
pub fn run(arguments: &cli::Run, style: Style) -> Result<ExitCode> {
    let mut loaded = load(arguments)?;
    if let Some(name) = loaded.net_namespace() {
        namespace::enter(name)?;
        // The interfaces that it names are looked for there.
        loaded = load(arguments)?;
    }
    // Before anything else runs: the spawner is forked while the process is small, single-threaded and has its rights.
    let spawner = spawner::Process::start().context("cannot fork the process that runs scripts")?;
    // Until the node listens to them they would kill it: an exporter asks whenever it likes.
    ignore_signals(&Dump::ALL.map(Dump::signal));
    ignore_signals(&[libc::SIGHUP, libc::SIGRTMAX()]);
    super::report(&loaded, style);
    let rest = loaded.remaining.filter(|_| arguments.keep_going).map(|rest| rest.configuration);
    let Some(configuration) = loaded.configuration.or(rest) else {
        return Ok(if arguments.options.is_some() { ExitCode::from(USAGE) } else { ExitCode::FAILURE });
    };
    let guard = logs::start(style.level(), style.color_on_stderr());
    let reader = reader(arguments)?;
    let which = &arguments.which;
    let outcome =
        daemon::run(configuration, reader, spawner, &which.control(), &which.instance, arguments.bpf_log);
    drop(guard);
    outcome.map(|()| ExitCode::SUCCESS)
}

fn load(arguments: &cli::Run) -> Result<Loaded> {
    if let Some(options) = &arguments.options {
        return Ok(config::from_options(options));
    }
    Ok(load_file(&path(arguments)?, arguments.config_id.as_deref(), arguments.namespace.as_ref()))
}

/// The file, but for what the command line overrules.
fn load_file(path: &Path, config_id: Option<&str>, namespace: Option<&String>) -> Loaded {
    let mut loaded = config::load(path, config_id);
    if namespace.is_some() {
        let rest = loaded.remaining.as_mut().map(|rest| &mut rest.configuration);
        for configuration in loaded.configuration.iter_mut().chain(rest) {
            configuration.net_namespace = namespace.cloned();
        }
    }
    loaded
}

/// Reads the same file again.
fn reader(arguments: &cli::Run) -> Result<Option<Reader>> {
    if arguments.options.is_some() {
        return Ok(None);
    }
    let (path, config_id) = (path(arguments)?, arguments.config_id.clone());
    let (namespace, keep_going) = (arguments.namespace.clone(), arguments.keep_going);
    Ok(Some(Box::new(move || {
        let mut loaded = load_file(&path, config_id.as_deref(), namespace.as_ref());
        loaded.remaining = loaded.remaining.filter(|_| keep_going);
        loaded
    })))
}

fn path(arguments: &cli::Run) -> Result<PathBuf> {
    match &arguments.file {
        Some(path) => Ok(path.clone()),
        None => config::default_path()
            .context("no configuration: name a file with -f, or give --interface, --vrid and --vip"),
    }
}
