//! Our own node, as the Lab runs it and asks it.

use std::env;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Router, Supervisor};
use crate::{Host, Output, Process, init::Exit, lab::binary, story::SOON};

/// A running `xvrrp run`.
#[derive(Debug)]
pub struct Xvrrp {
    host: Host,
    process: Process,
    program: String,
}

/// A change of state as `status` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// State left.
    pub from: String,
    /// State entered.
    pub to: String,
    /// Why, with the numbers.
    pub reason: String,
}

/// How a host hears in stories that do not care.
pub(super) fn datapath(host: &Host) -> String {
    let Ok(wanted) = env::var("XVRRP_DATAPATH") else { return String::new() };
    let choices: Vec<&str> = wanted.split(',').collect();
    // The first host is number 1; there is always a choice, if only an empty one.
    let wanted = choices[(usize::from(host.number()) - 1) % choices.len()];
    let (path, hook) = wanted.split_once(' ').unwrap_or((wanted, ""));
    let hook = if hook.is_empty() { String::new() } else { format!("    tc_hook {hook}\n") };
    format!("global_defs {{\n    datapath {path}\n{hook}}}\n\n")
}

impl Xvrrp {
    /// Starts it with this configuration file text and waits until it answers.
    ///
    /// `XVRRP_DATAPATH` says how stories that do not care hear: "tc", or "tc clsact" with the hook; "auto,socket" lets
    /// the hosts take turns.
    pub fn start(host: &Host, config: &str) -> Result<Self> {
        let file = host.write_file("xvrrp.conf", &(datapath(host) + config))?;
        Self::start_with(host, &["-f", &file])
    }

    /// Starts `xvrrp run` with these arguments and waits until every virtual router takes part in its election or
    /// is in Fault: before that it hears nobody, so that nobody could hand over to it.
    pub fn start_with(host: &Host, arguments: &[&str]) -> Result<Self> {
        Self::spawn(host, &[], arguments)?.begun()
    }

    /// As [`Self::start`], but the program at this path of the host.
    pub fn start_program(host: &Host, program: &str, config: &str) -> Result<Self> {
        let file = host.write_file("xvrrp.conf", &(datapath(host) + config))?;
        let process = host.spawn("xvrrp", &[program, "run", "-f", &file])?;
        Self { host: host.clone(), process, program: program.to_owned() }.begun()
    }

    /// As [`Self::start`], under a supervisor.
    pub fn start_under(supervisor: &Supervisor, host: &Host, config: &str) -> Result<Self> {
        let file = host.write_file("xvrrp.conf", &(datapath(host) + config))?;
        Self::spawn(host, &supervisor.prefix(), &["-f", &file])?.begun()
    }

    fn begun(self) -> Result<Self> {
        let Self { host, process, .. } = &self;
        process.wait_ready(&format!("{}: xvrrp runs", host.name()), || {
            Ok(self.status().is_ok_and(|status| has_begun(&status)))
        })?;
        Ok(self)
    }

    /// Starts it, by what `prefix` says, and waits for nothing.
    fn spawn(host: &Host, prefix: &[String], arguments: &[&str]) -> Result<Self> {
        let program = program()?;
        let prefix: Vec<&str> = prefix.iter().map(String::as_str).collect();
        let argv = [&prefix[..], &[program.as_str(), "run"], arguments].concat();
        let process = host.spawn("xvrrp", &argv)?;
        Ok(Self { host: host.clone(), process, program })
    }

    /// Runs another command of the program on a host: what it said and how it ended.
    pub fn command(host: &Host, arguments: &[&str]) -> Result<Output> {
        let program = program()?;
        host.run(&[&[program.as_str()], arguments].concat())
    }

    /// `xvrrp stop`, or `xvrrp stop --keep`, which comes back when the node is about to exit.
    pub fn stop(self, arguments: &[&str]) -> Result<()> {
        self.host.check(&[&[self.program.as_str(), "stop"], arguments].concat())?;
        let exit = self.process.wait(SOON)?;
        ensure!(exit == Exit::Code(0), "after `xvrrp stop` the node ended with {exit:?}");
        Ok(())
    }

    /// Where the program is.
    pub fn program() -> Result<String> {
        program()
    }

    /// All that `xvrrp status --json` says.
    pub fn status(&self) -> Result<Value> {
        let text = self.host.check(&[&self.program, "status", "--json"])?;
        serde_json::from_str(&text).with_context(|| format!("status said {text:?}"))
    }

    /// All that `xvrrp events --json` says.
    pub fn events(&self) -> Result<Value> {
        let text = self.host.check(&[&self.program, "events", "--json"])?;
        serde_json::from_str(&text).with_context(|| format!("events said {text:?}"))
    }

    /// What a command of the program says to people: `status` or `events`.
    pub fn tell(&self, command: &str) -> Result<String> {
        self.host.check(&[&self.program, command])
    }

    /// Runs the program with these arguments beside the node, to ask it for something.
    pub fn ask(&self, arguments: &[&str]) -> Result<Output> {
        self.host.run(&[&[self.program.as_str()], arguments].concat())
    }

    /// Gives it another configuration file text and lets it read that.
    pub fn reload(&self, config: &str) -> Result<Output> {
        self.host.write_file("xvrrp.conf", &(datapath(&self.host) + config))?;
        self.ask(&["reload"])
    }

    /// What status says of one virtual router.
    pub fn router(&self, instance: &str) -> Result<Value> {
        let status = self.status()?;
        let routers = status["routers"].as_array().context("status has no list of routers")?;
        let router = routers.iter().find(|router| router["name"] == instance);
        router.cloned().with_context(|| format!("status knows no {instance}: {status}"))
    }

    /// One of its counters for a virtual router.
    pub fn counter(&self, instance: &str, name: &str) -> Result<u64> {
        let router = self.router(instance)?;
        let count = router["counters"][name].as_u64();
        count.with_context(|| format!("status has no counter {name}: {router}"))
    }

    /// How many packets for a virtual router were refused for this reason.
    pub fn dropped(&self, instance: &str, reason: &str) -> Result<u64> {
        let router = self.router(instance)?;
        let count = router["counters"]["dropped"][reason].as_u64();
        count.with_context(|| format!("status does not count {reason}: {router}"))
    }

    /// What a line of its log says of a change of state or priority; `None` for all other lines. For instance
    /// `2026-11-22T22:00:00.000000Z  INFO VI_1: priority 103 -> 101 (base 101)`.
    pub fn reason(line: &str) -> Option<String> {
        let (_, text) = line.split_once(" INFO ")?;
        text.contains(" -> ").then(|| text.to_owned())
    }

    /// Its last transitions, oldest first.
    pub fn transitions(&self, instance: &str) -> Result<Vec<Transition>> {
        let router = self.router(instance)?;
        let transitions = router["transitions"].as_array().context("status has no list of transitions")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let read = |one: &Value| Transition {
            from: text(&one["from"]),
            to: text(&one["to"]),
            reason: text(&one["reason"]),
        };
        Ok(transitions.iter().map(read).collect())
    }
}

fn has_begun(status: &Value) -> bool {
    let routers = status["routers"].as_array();
    routers.is_some_and(|routers| routers.iter().all(|router| router["state"] != "initialize"))
}

/// Where `xvrrp` is.
pub(super) fn program() -> Result<String> {
    binary("xvrrp")?.into_os_string().into_string().ok().context("the path of xvrrp is not UTF-8")
}

impl Router for Xvrrp {
    fn host(&self) -> &Host {
        &self.host
    }

    fn process(&self) -> &Process {
        &self.process
    }

    fn is_active(&self, instance: &str) -> Result<bool> {
        Ok(self.router(instance)?["state"].as_str().is_some_and(|state| state.eq_ignore_ascii_case("active")))
    }
}
