//! The Lab's end of a host: starting it, asking it, ending it. What to ask for is `host`'s.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use super::binary;
use crate::init::{Reply, Request};

/// A host's process 1 and the pipes to it.
#[derive(Debug)]
pub(super) struct Remote {
    child: Child,
    requests: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

impl Remote {
    /// Starts a host and waits until it is there; returns it with the identifier of its process 1.
    pub(super) fn start(name: &str) -> Result<(Self, i32)> {
        let program = binary("lab-host")?;
        let mut command = Command::new(&program);
        command.arg("enter").arg(name);
        for directory in [Some(program), env::var_os("XVRRP_BIN").map(PathBuf::from)].into_iter().flatten() {
            let directory = directory.canonicalize().with_context(|| format!("{}", directory.display()))?;
            command.arg("--keep").arg(directory.parent().context("a program is in a directory")?);
        }
        // Its own process group: an interrupt from the terminal is the Lab's to handle.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("starting lab-host")?;
        let requests = child.stdin.take();
        let replies = child.stdout.take().context("standard output is piped")?;
        let mut remote = Self { child, requests, replies: BufReader::new(replies) };
        match remote.reply()? {
            Reply::Ready { pid } => Ok((remote, pid)),
            reply => bail!("{name} said {reply:?} at its start"),
        }
    }

    /// One request, one answer. A host's own refusal is an error.
    pub(super) fn ask(&mut self, request: &Request) -> Result<Reply> {
        let mut line = serde_json::to_string(request).context("writing a request")?;
        line.push('\n');
        let requests = self.requests.as_mut().context("the host is off")?;
        requests.write_all(line.as_bytes()).context("the host is gone")?;
        match self.reply()? {
            Reply::Failed(why) => bail!(why),
            reply => Ok(reply),
        }
    }

    fn reply(&mut self) -> Result<Reply> {
        let mut line = String::new();
        self.replies.read_line(&mut line).context("hearing from the host")?;
        serde_json::from_str(&line).with_context(|| format!("the host said {line:?}"))
    }

    /// Ends the host and waits until its processes are gone.
    pub(super) fn stop(&mut self) {
        if self.requests.take().is_some()
            && let Err(error) = self.child.wait()
        {
            report(&format!("waiting for a host to end: {error}"));
        }
    }

    /// Whether it has not been stopped.
    pub(super) const fn is_on(&self) -> bool {
        self.requests.is_some()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.stop();
    }
}

#[expect(clippy::print_stderr, reason = "nobody is left to return an error to")]
fn report(text: &str) {
    eprintln!("{text}");
}
