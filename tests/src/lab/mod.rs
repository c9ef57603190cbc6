//! A lab: one switch and the hosts on it. Everything vanishes with the value, or with the process.

mod binary;
mod host;
mod link;
mod process;
mod remote;

use std::{net::Ipv4Addr, sync::Mutex};

use anyhow::{Context as _, Result};

pub use binary::binary;
pub use host::{Address, Host, Output};
pub use process::Process;

use crate::story::{SOON, wait_until};

/// The network that every host has its first address in: host n is `192.0.2.n` and `2001:db8::n`.
pub const NETWORK: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 0);

/// A switch and its hosts. Labs share nothing: any number may run side by side.
#[derive(Debug)]
pub struct Lab {
    name: String,
    switch: Host,
    hosts: Mutex<Vec<Host>>,
}

impl Lab {
    /// An empty switch. `name` is for messages only. Needs root.
    pub fn new(name: &str) -> Result<Self> {
        let switch = Host::boot("switch", 0).context("making the switch")?;
        switch.sh("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
             echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
             ip link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
             ip link set br0 up")?;
        Ok(Self { name: name.to_owned(), switch, hosts: Mutex::default() })
    }

    /// A new host, its `eth0` on the switch. The n-th one has `192.0.2.n/24` and `2001:db8::n/64`.
    pub fn host(&self, name: &str) -> Result<Host> {
        let number = u8::try_from(self.hosts().len() + 1).context("too many hosts")?;
        let host = Host::boot(name, number).with_context(|| format!("making host {name}"))?;
        host.sh("echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad
             echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
             echo 0 >/proc/sys/net/ipv6/conf/default/accept_ra
             echo 0 >/proc/sys/net/ipv6/conf/default/router_solicitations
             ip link set lo up")?;
        self.hosts.lock().expect("no holder panics").push(host.clone());
        self.connect(&host, "eth0")?;
        host.sh(&format!(
            "ip addr add {v4}/24 brd + dev eth0 && ip addr add 2001:db8::{number}/64 dev eth0 nodad",
            v4 = host.address()
        ))?;
        // The kernel gives the link-local address when it gets round to it, and IPv6 routers speak from it.
        wait_until(SOON, &format!("{name} has a link-local address"), || {
            let own = ["ip", "-6", "address", "show", "dev", "eth0", "scope", "link", "-tentative"];
            Ok(host.check(&own)?.contains("fe80::"))
        })?;
        Ok(host)
    }

    /// The hosts so far.
    pub fn hosts(&self) -> Vec<Host> {
        self.hosts.lock().expect("no holder panics").clone()
    }

    /// Names of the hosts that have this address on an interface.
    pub fn owners(&self, address: &str) -> Result<Vec<String>> {
        let mut owners = Vec::new();
        for host in self.hosts() {
            if host.owns(address)? {
                owners.push(host.name().to_owned());
            }
        }
        Ok(owners)
    }

    /// What every program said that was started on any host: the end of each log.
    pub fn logs(&self) -> String {
        let logs: String = self.hosts().iter().map(Host::logs).collect();
        format!("──── logs of lab {} ────\n{logs}", self.name)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for host in self.hosts() {
            host.power_off();
        }
        self.switch.power_off();
    }
}
