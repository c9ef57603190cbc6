//! A client of the service: one HTTP request, or a steady ping that knows how long nobody answered.

use std::net::IpAddr;

use anyhow::{Context as _, Result, ensure};

use crate::{Host, Process, init::Exit, lab::binary, probe::Ping, story::SOON};

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
        let exit = self.process.terminate(SOON)?;
        let log = self.process.log()?;
        ensure!(exit == Exit::Code(0), "lab-probe ended with {exit:?}:\n{log}");
        let last = log.lines().last().unwrap_or_default();
        serde_json::from_str(last).with_context(|| format!("lab-probe said {log:?}"))
    }
}

fn probe() -> Result<String> {
    binary("lab-probe")?.into_os_string().into_string().ok().context("the path of lab-probe is not UTF-8")
}
