//! `xvrrp stop`: ends the running node and waits until it has ended.

use std::{path::Path, process::ExitCode, thread, time::Duration};

use anyhow::{Result, bail};

use crate::{
    cli, control,
    identity::Identity,
    state::{self, Lock},
};

/// A node takes at most 5 s for its addresses.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often it is looked whether it still runs.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Asks, and waits for the end.
pub fn run(arguments: &cli::Stop) -> Result<ExitCode> {
    control::stop(&arguments.which.control(), arguments.keep)?;
    let identity = Identity::here(&arguments.which.instance)?;
    for _ in 0..PATIENCE.as_millis() / LOOK_EVERY.as_millis() {
        if !Lock::is_held(Path::new(state::DIRECTORY), &identity)? {
            return Ok(ExitCode::SUCCESS);
        }
        thread::sleep(LOOK_EVERY);
    }
    bail!("the node was asked to stop {PATIENCE:?} ago and still runs: see its log")
}
