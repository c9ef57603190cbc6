//! The real keepalived as a peer, or as the thing to compare with.

use anyhow::Result;

use super::Router;
use crate::{Host, Process};

/// A running keepalived.
#[derive(Debug)]
pub struct Keepalived {
    host: Host,
    process: Process,
}

impl Keepalived {
    /// Starts it with this configuration file text and waits until its VRRP process has read it.
    pub fn start(host: &Host, config: &str) -> Result<Self> {
        let file = host.write_file("keepalived.conf", config)?;
        let process = host.spawn(
            "keepalived",
            &["keepalived", "--dont-fork", "--log-console", "--log-detail", "--vrrp", "--use-file", &file],
        )?;
        let keepalived = Self { host: host.clone(), process };
        keepalived.process.wait_ready(&format!("{}: keepalived has started", host.name()), || {
            Ok(keepalived.process.log()?.contains("Startup complete"))
        })?;
        Ok(keepalived)
    }

    /// The last state that the log tells of an instance: `MASTER`, `BACKUP` or `FAULT`.
    pub fn state(&self, instance: &str) -> Result<Option<String>> {
        let log = self.process.log()?;
        let marker = format!("({instance}) Entering ");
        let last = log.lines().rev().find_map(|line| line.split_once(&marker));
        Ok(last.and_then(|(_, rest)| rest.split_whitespace().next()).map(str::to_owned))
    }

    /// What a line of its log says of a change of state; `None` for all other lines. For instance
    /// `Sun Nov 22 22:00:00 2026: (VI_1) Changing effective priority from 103 to 101`.
    pub fn reason(line: &str) -> Option<String> {
        let (_, text) = line.split_once(": (")?;
        let telling = ["Entering ", "Changing effective", "higher priority", "timeout"];
        telling.iter().any(|sign| text.contains(sign)).then(|| format!("({text}"))
    }
}

impl Router for Keepalived {
    fn host(&self) -> &Host {
        &self.host
    }

    fn process(&self) -> &Process {
        &self.process
    }

    fn is_active(&self, instance: &str) -> Result<bool> {
        Ok(self.state(instance)?.as_deref() == Some("MASTER"))
    }
}
