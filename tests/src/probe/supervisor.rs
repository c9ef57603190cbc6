//! A supervisor's end of the notify socket, and a thread of a process held still.

use std::{fs, os::unix::net::UnixDatagram, path::Path};

use anyhow::{Context as _, Result};
use nix::{
    sys::{
        ptrace,
        wait::{WaitPidFlag, waitpid},
    },
    unistd::{Pid, pause},
};

/// Binds the socket and hands on each line of what arrives, until killed.
pub fn listen(socket: &Path, mut say: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let socket = UnixDatagram::bind(socket).with_context(|| format!("binding {}", socket.display()))?;
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).context("receiving")?;
        String::from_utf8_lossy(&buffer[..length]).lines().try_for_each(&mut say)?;
    }
}

/// Holds the thread of this name still until killed, and the others go on; says so when it stands.
pub fn hold(process: i32, thread: &str, say: impl FnOnce() -> Result<()>) -> Result<()> {
    let thread = find(process, thread)?;
    ptrace::seize(thread, ptrace::Options::empty()).context("attaching to the thread")?;
    ptrace::interrupt(thread).context("stopping the thread")?;
    waitpid(thread, Some(WaitPidFlag::__WALL)).context("waiting for the thread to stop")?;
    say()?;
    pause();
    Ok(())
}

fn find(process: i32, thread: &str) -> Result<Pid> {
    let tasks = format!("/proc/{process}/task");
    for entry in fs::read_dir(&tasks).with_context(|| format!("reading {tasks}"))? {
        let entry = entry.context("reading a thread")?;
        let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        if name.trim() == thread {
            let number = entry.file_name().to_string_lossy().parse().context("the number of a thread")?;
            return Ok(Pid::from_raw(number));
        }
    }
    anyhow::bail!("process {process} has no thread {thread:?}")
}
