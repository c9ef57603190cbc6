//! One host: running programs on it, its files, its addresses. Its link to the switch is `link`'s.

use std::{
    fmt,
    fmt::Write as _,
    fs,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use super::{Process, remote::Remote};
use crate::init::{DIRECTORY, Exit, Reply, Request};

/// The most that a program started with [`Host::run`] may take.
const RUN_LIMIT: Duration = Duration::from_secs(30);
/// How much of each log a failure shows.
const LOG_LINES: usize = 40;

/// A host of the lab: network, PID, mount, UTS and IPC namespaces, with /run, /tmp, /proc, /sys and bpf
/// file system of its own. Clones are the same host.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    name: String,
    number: u8,
    pid: i32,
    remote: Mutex<Remote>,
    started: AtomicUsize,
    /// Label and log of what was started with [`Host::spawn`].
    logs: Mutex<Vec<(String, PathBuf)>>,
}

/// What a program said, and how it ended.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub exit: Exit,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// An address on an interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The interface.
    pub interface: String,
    /// The address.
    pub address: IpAddr,
    /// Prefix length.
    pub prefix: u8,
    /// As `ip` names it: `global`, `link`, `host`.
    pub scope: String,
    /// The label, if it has one (IPv4).
    pub label: Option<String>,
}

impl Host {
    pub(super) fn boot(name: &str, number: u8) -> Result<Self> {
        ensure!(name.len() < 16, "{name}: the name is that of a switch port too, at most 15 letters");
        let (remote, pid) = Remote::start(name)?;
        Ok(Self(Arc::new(Inner {
            name: name.to_owned(),
            number,
            pid,
            remote: Mutex::new(remote),
            started: AtomicUsize::new(0),
            logs: Mutex::default(),
        })))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its first IPv4 address.
    pub fn address(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(super::NETWORK) | u32::from(self.0.number))
    }

    /// Identifier of its process 1, as processes outside of it see it.
    pub fn pid(&self) -> i32 {
        self.0.pid
    }

    /// Its number on the switch, and the last byte of its addresses.
    pub fn number(&self) -> u8 {
        self.0.number
    }

    /// Runs a program to its end. That it fails is no error here.
    pub fn run(&self, argv: &[&str]) -> Result<Output> {
        let number = self.0.started.fetch_add(1, Ordering::Relaxed);
        let names = [format!("run-{number}.out"), format!("run-{number}.err")];
        let process = Process::start(self, argv, &names[0], &names[1])?;
        let exit = process.wait(RUN_LIMIT).with_context(|| format!("{}: {argv:?}", self.name()))?;
        let [stdout, stderr] = names.map(|name| self.take_file(&name));
        Ok(Output { exit, stdout: stdout?, stderr: stderr? })
    }

    /// Runs a program that must succeed; returns its standard output.
    pub fn check(&self, argv: &[&str]) -> Result<String> {
        let output = self.run(argv)?;
        let Output { exit, stdout, stderr } = output;
        ensure!(exit == Exit::Code(0), "{}: {argv:?} ended with {exit:?}\n{stdout}{stderr}", self.name());
        Ok(stdout)
    }

    /// Runs shell text in which every command must succeed.
    pub fn sh(&self, text: &str) -> Result<String> {
        self.check(&["sh", "-euc", text])
    }

    /// Starts a program that goes on; it is killed, with its process group, when the guard goes. What it
    /// says is in its log, which failures show under `label`.
    pub fn spawn(&self, label: &str, argv: &[&str]) -> Result<Process> {
        let number = self.0.started.fetch_add(1, Ordering::Relaxed);
        let log = format!("{number:03}-{label}.log");
        self.0.logs.lock().expect("no holder panics").push((label.to_owned(), self.path(&log)));
        Process::start(self, argv, &log, &log)
    }

    /// A file of the host's own directory, as the Lab sees it; the host sees [`Host::inside`].
    pub fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}", self.0.pid, self.inside(name)))
    }

    /// A file of the host's own directory, as the host sees it.
    pub fn inside(&self, name: &str) -> String {
        format!("{DIRECTORY}/{name}")
    }

    /// Writes a file into the host's own directory; returns its path as the host sees it.
    pub fn write_file(&self, name: &str, text: &str) -> Result<String> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        Ok(self.inside(name))
    }

    fn take_file(&self, name: &str) -> Result<String> {
        let path = self.path(name);
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Every address of the host but loopback's, in order.
    pub fn addresses(&self) -> Result<Vec<Address>> {
        let text = self.check(&["ip", "-json", "address"])?;
        let links: Vec<Link> = serde_json::from_str(&text).with_context(|| format!("ip said {text:?}"))?;
        let mut addresses: Vec<Address> = links.into_iter().flat_map(Link::addresses).collect();
        addresses.retain(|address| address.interface != "lo");
        addresses.sort();
        Ok(addresses)
    }

    /// Whether an interface of the host has this address.
    pub fn owns(&self, address: &str) -> Result<bool> {
        let address: IpAddr = address.parse().with_context(|| format!("{address} is no address"))?;
        Ok(self.addresses()?.iter().any(|one| one.address == address))
    }

    pub(crate) fn ask(&self, request: &Request) -> Result<Reply> {
        let mut remote = self.0.remote.lock().expect("no holder panics");
        remote.ask(request).with_context(|| self.name().to_owned())
    }

    /// Ends the host at once, as pulling its plug would. Its files go too.
    pub fn power_off(&self) {
        self.0.remote.lock().expect("no holder panics").stop();
    }

    /// The end of every log of what was started with [`Host::spawn`].
    pub fn logs(&self) -> String {
        if !self.0.remote.lock().expect("no holder panics").is_on() {
            return format!("── {}: powered off\n", self.name());
        }
        let mut text = String::new();
        for (label, path) in self.0.logs.lock().expect("no holder panics").iter() {
            let log = fs::read(path).unwrap_or_else(|error| error.to_string().into_bytes());
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<&str> = log.lines().collect();
            let shown = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n  ");
            let written = writeln!(text, "── {}: {label}\n  {shown}", self.name());
            debug_assert!(written.is_ok(), "a String takes all text");
        }
        text
    }

    /// Reads a sysctl, or sets it.
    pub fn sysctl(&self, key: &str, value: &str) -> Result<()> {
        if key.contains(['\'', ' ']) || value.contains('\'') {
            bail!("sysctl {key}={value}: not a plain word");
        }
        self.sh(&format!("echo '{value}' >/proc/sys/{}", key.replace('.', "/"))).map(drop)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({})", self.name())
    }
}

#[derive(Deserialize)]
struct Link {
    ifname: String,
    addr_info: Vec<LinkAddress>,
}

#[derive(Deserialize)]
struct LinkAddress {
    local: IpAddr,
    prefixlen: u8,
    scope: String,
    label: Option<String>,
}

impl Link {
    fn addresses(self) -> impl Iterator<Item = Address> {
        let interface = self.ifname;
        self.addr_info.into_iter().map(move |one| Address {
            interface: interface.clone(),
            address: one.local,
            prefix: one.prefixlen,
            scope: one.scope,
            label: one.label,
        })
    }
}
