//! Running a command as a daemon of the old kind: in the background, with its number in a file.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::Path,
    process,
    process::ExitCode,
};

use anyhow::{Context, Result};

use crate::{files, sys::process::fork_child};

/// What the process in the background says when it is there.
const DONE: u8 = 1;

/// Runs `command`, in the background unless `foreground`; the process number is in `pid` as long as it runs, and
/// there when this returns.
pub fn run(pid: &Path, foreground: bool, command: impl FnOnce() -> Result<ExitCode>) -> Result<ExitCode> {
    if foreground {
        write(pid, process::id())?;
        let outcome = command();
        remove(pid);
        return outcome;
    }
    let (mut told, mut tell) = io::pipe().context("cannot go into the background")?;
    fork_child(move || {
        // Out of the terminal's session: what ends it does not end us.
        if let Err(error) = nix::unistd::setsid() {
            complain(&format!("cannot leave the terminal: {error}"));
        }
        if let Err(error) = write(pid, process::id()) {
            complain(&format!("{error:#}"));
            return 1;
        }
        // Nobody may be there any more to be told.
        let _ = tell.write_all(&[DONE]);
        drop(tell);
        let outcome = command();
        remove(pid);
        match outcome {
            Ok(code) => i32::from(code != ExitCode::SUCCESS),
            Err(error) => {
                complain(&format!("{error:#}"));
                1
            }
        }
    })
    .context("cannot go into the background")?;
    // Whoever ends the session or the group of the command, now that it is over, must not find the daemon in it.
    told.read_exact(&mut [0]).context("the process in the background ended before it wrote its number")?;
    Ok(ExitCode::SUCCESS)
}

fn write(pid: &Path, number: u32) -> Result<()> {
    fs::write(pid, format!("{number}\n"))
        .with_context(|| format!("cannot write the process number to {}", pid.display()))
}

fn remove(pid: &Path) {
    if let Err(error) = files::remove(pid) {
        complain(&format!("cannot remove {}: {error}", pid.display()));
    }
}

fn complain(text: &str) {
    #[allow(clippy::print_stderr, reason = "the log is not there yet, or not any more")]
    {
        eprintln!("xvrrp: {text}");
    }
}
