//! A program that runs on a host, and the guard that ends it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;

use super::Host;
use crate::{
    init::{Exit, Program, Reply, Request},
    story::{SOON, poll_until, wait_until},
};

/// A program on a host. It is killed with its process group when this value goes.
#[derive(Debug)]
pub struct Process {
    host: Host,
    pid: i32,
    log: PathBuf,
}

impl Process {
    pub(super) fn start(host: &Host, argv: &[&str], stdout: &str, stderr: &str) -> Result<Self> {
        let request = Request::Spawn(Program {
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            env: Vec::new(),
            stdout: host.inside(stdout).into(),
            stderr: host.inside(stderr).into(),
        });
        match host.ask(&request)? {
            Reply::Started { pid } => Ok(Self { host: host.clone(), pid, log: host.path(stdout) }),
            reply => bail!("{}: starting {argv:?}: {reply:?}", host.name()),
        }
    }

    /// Its process identifier, as its host sees it.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The file that it writes its log to.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// What it has said so far.
    pub fn log(&self) -> Result<String> {
        let bytes = fs::read(&self.log).with_context(|| format!("reading {}", self.log.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// How it ended; `None` while it runs.
    pub fn exit(&self) -> Result<Option<Exit>> {
        match self.host.ask(&Request::Status { pid: self.pid })? {
            Reply::Running => Ok(None),
            Reply::Ended(exit) => Ok(Some(exit)),
            reply => bail!("{}: status of process {}: {reply:?}", self.host.name(), self.pid),
        }
    }

    /// Waits until it is ready for its work; its end is an error at once.
    pub fn wait_ready(&self, what: &str, mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
        wait_until(SOON, what, || {
            if let Some(exit) = self.exit()? {
                bail!("it ended with {exit:?}:\n{}", self.log()?);
            }
            condition()
        })
    }

    /// Waits for its end.
    pub fn wait(&self, limit: Duration) -> Result<Exit> {
        let mut exit = None;
        let ended = poll_until(limit, Duration::from_millis(2), || {
            exit = self.exit()?;
            Ok(exit.is_some())
        })?;
        debug_assert_eq!(ended, exit.is_some());
        exit.with_context(|| format!("process {} still runs after {limit:?}", self.pid))
    }

    /// Sends a signal to it alone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.send(signal, false)
    }

    /// Sends a signal to its process group: to its children too, unless they made groups of their own.
    pub fn signal_group(&self, signal: Signal) -> Result<()> {
        self.send(signal, true)
    }

    fn send(&self, signal: Signal, group: bool) -> Result<()> {
        match self.host.ask(&Request::Signal { pid: self.pid, signal: signal as i32, group })? {
            Reply::Done => Ok(()),
            reply => bail!("{}: sending {signal}: {reply:?}", self.host.name()),
        }
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    pub fn terminate(&self, limit: Duration) -> Result<Exit> {
        self.signal(Signal::SIGTERM)?;
        self.wait(limit)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Of no consequence when it fails: the group is gone already, or the host is.
        drop(self.signal_group(Signal::SIGKILL));
    }
}
