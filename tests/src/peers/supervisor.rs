//! What systemd is to a node, played on a Lab host: a notify socket, and a watchdog that wants to be fed.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::{
    Host, Process,
    lab::binary,
    story::{SOON, wait_until},
};

const SOCKET: &str = "/run/lab/notify";

/// A supervisor that only listens.
#[derive(Debug)]
pub struct Supervisor {
    host: Host,
    listener: Process,
    watchdog: Duration,
}

impl Supervisor {
    /// One that wants a word within this time, again and again.
    pub fn start(host: &Host, watchdog: Duration) -> Result<Self> {
        let listener = host.spawn("supervisor", &[&probe()?, "supervise", SOCKET])?;
        listener.wait_ready("the notify socket is there", || {
            Ok(host.run(&["test", "-S", SOCKET])?.exit == crate::init::Exit::Code(0))
        })?;
        Ok(Self { host: host.clone(), listener, watchdog })
    }

    /// What goes before the command line of a supervised program.
    pub fn prefix(&self) -> Vec<String> {
        let watchdog = format!("WATCHDOG_USEC={}", self.watchdog.as_micros());
        vec!["env".to_owned(), format!("NOTIFY_SOCKET={SOCKET}"), watchdog]
    }

    /// All that it was told, line by line.
    pub fn said(&self) -> Result<Vec<String>> {
        Ok(self.listener.log()?.lines().map(str::to_owned).collect())
    }

    /// How often it was told exactly this.
    pub fn heard(&self, line: &str) -> Result<usize> {
        Ok(self.listener.log()?.lines().filter(|said| *said == line).count())
    }

    /// Waits until it is told this.
    pub fn wait_for(&self, line: &str) -> Result<()> {
        wait_until(SOON, &format!("the supervisor is told {line}"), || Ok(self.heard(line)? > 0))
    }

    /// Holds one thread of a process still as long as the guard lives; the others go on.
    pub fn hold(&self, process: &Process, thread: &str) -> Result<Process> {
        let pid = process.pid().to_string();
        let holder = self.host.spawn("hold", &[&probe()?, "hold", &pid, thread])?;
        holder.wait_ready(&format!("thread {thread} stands"), || Ok(holder.log()?.contains("held")))?;
        Ok(holder)
    }
}

fn probe() -> Result<String> {
    binary("lab-probe")?.into_os_string().into_string().ok().context("the path of lab-probe is not UTF-8")
}
