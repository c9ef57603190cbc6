//! A client of the service: one HTTP request, or a steady ping that knows how long nobody answered.

use std::net::IpAddr;

use anyhow::{Context as _, Result, ensure};
use serde::de::DeserializeOwned;

use crate::{
    Host, Process,
    init::Exit,
    lab::binary,
    probe::{Ping, Turns},
    story::SOON,
};

/// What a client gets from `http://ADDRESS/`: the text, or why not.
pub fn http_get(client: &Host, address: &str) -> Result<String> {
    Ok(client.check(&[&probe()?, "get", address])?.trim().to_owned())
}

/// ICMP echo every millisecond from a host.
#[derive(Debug)]
pub struct Pinger {
    process: Process,
}

impl Pinger {
    /// Starts it and waits for the first answer.
    pub fn start(client: &Host, address: IpAddr) -> Result<Self> {
        // A gauge that waits for its turn on a busy core would blame the network.
        let argv = ["chrt", "--fifo", "10", &probe()?, "ping", &address.to_string()];
        let process = client.spawn("ping", &argv)?;
        let pinger = Self { process };
        let what = format!("{address} answers {}", client.name());
        pinger.process.wait_ready(&what, || Ok(pinger.process.log()?.contains("answered")))?;
        Ok(pinger)
    }

    /// Ends it: what it saw.
    pub fn stop(self) -> Result<Ping> {
        last_line(&self.process)
    }
}

/// Everybody who may answer for an address is asked every millisecond.
#[derive(Debug)]
pub struct Census {
    process: Process,
}

impl Census {
    /// Asks these hosts, by hardware address, for an address, and waits for the first answer.
    pub fn start(client: &Host, address: &str, hosts: &[&str]) -> Result<Self> {
        let address: IpAddr = address.parse().with_context(|| address.to_owned())?;
        let source = match address {
            IpAddr::V4(_) => client.address().to_string(),
            IpAddr::V6(v6) if v6.is_unicast_link_local() => format!("fe80::ff:fe00:{}", client.number()),
            IpAddr::V6(_) => format!("2001:db8::{}", client.number()),
        };
        let own = format!("02:00:00:00:00:{:02x}", client.number());
        let (program, address) = (probe()?, address.to_string());
        let argv = ["chrt", "--fifo", "10", &program, "owners", "--source", &source, "--own", &own, &address];
        let process = client.spawn("census", &[&argv[..], hosts].concat())?;
        let census = Self { process };
        let what = format!("{address} answers {}", client.name());
        census.process.wait_ready(&what, || Ok(census.process.log()?.contains("turns")))?;
        Ok(census)
    }

    /// Ends it: who answered when.
    pub fn stop(self) -> Result<Turns> {
        last_line(&self.process)
    }
}

/// Ends a probe: the last thing that it said.
fn last_line<T: DeserializeOwned>(process: &Process) -> Result<T> {
    let exit = process.terminate(SOON)?;
    let log = process.log()?;
    ensure!(exit == Exit::Code(0), "lab-probe ended with {exit:?}:\n{log}");
    let last = log.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("lab-probe said {log:?}"))
}

fn probe() -> Result<String> {
    binary("lab-probe")?.into_os_string().into_string().ok().context("the path of lab-probe is not UTF-8")
}
