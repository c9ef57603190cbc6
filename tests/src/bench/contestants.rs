//! Who takes part. Each is started in its own way; all are given the same virtual routers.

use std::{fmt, path::Path};

use anyhow::{Context as _, Result};
use vrrp_common::wire::Family;

use super::routers::Routers;
use crate::{
    Host,
    peers::{Frr, FrrRouter, Keepalived, Router, Xvrrp},
};

/// Why one that is not there does not take part.
const ABSENT: &str = "it is not installed; `cargo xtask bench` installs it where there is apt-get";

/// One that is measured.
pub(super) trait Contestant: fmt::Debug + Sync {
    /// What tables call it.
    fn name(&self) -> &'static str;
    /// The programs that are its processes.
    fn programs(&self) -> &'static [&'static str];
    /// Why it cannot run these routers.
    fn obstacle(&self, routers: &Routers) -> Option<&'static str>;
    /// Starts it.
    fn start(&self, host: &Host, routers: &Routers, priority: u8) -> Result<Box<dyn Router>>;
}

/// Our node, hearing by XDP.
pub(super) const XDP: &dyn Contestant = &Ours { name: "xvrrp xdp", datapath: "xdp" };
/// Our node, hearing by tc.
pub(super) const TC: &dyn Contestant = &Ours { name: "xvrrp tc", datapath: "tc" };
/// Our node, hearing by a socket.
pub(super) const SOCKET: &dyn Contestant = &Ours { name: "xvrrp socket", datapath: "socket" };
/// keepalived as it comes.
pub(super) const PLAIN: &dyn Contestant = &Theirs { name: "keepalived", globals: "" };
/// keepalived as its manual advises for short intervals. The kernel kills a real-time process that computes for 10 ms
/// without a pause, by keepalived's default; so that it is not killed for being busy it is given a second.
pub(super) const TUNED: &dyn Contestant = &Theirs {
    name: "keepalived tuned",
    globals: "  vrrp_rt_priority 50\n  vrrp_rlimit_rttime 1000000\n  vrrp_no_swap\n",
};
/// FRR's vrrpd.
pub(super) const FRR: &dyn Contestant = &Frrs;

/// All of them.
pub(super) const CONTESTANTS: [&dyn Contestant; 6] = [XDP, TC, SOCKET, PLAIN, TUNED, FRR];

#[derive(Debug)]
struct Ours {
    name: &'static str,
    datapath: &'static str,
}

impl Contestant for Ours {
    fn name(&self) -> &'static str {
        self.name
    }

    fn programs(&self) -> &'static [&'static str] {
        &["xvrrp"]
    }

    fn obstacle(&self, routers: &Routers) -> Option<&'static str> {
        const SLOTS: usize = vrrp_common::abi::SLOTS as usize;
        (self.datapath != "socket" && routers.count() > SLOTS)
            .then_some("the kernel's maps have room for 1024 virtual routers")
    }

    fn start(&self, host: &Host, routers: &Routers, priority: u8) -> Result<Box<dyn Router>> {
        let globals = format!("  datapath {}\n", self.datapath);
        Ok(Box::new(Xvrrp::start(host, &routers.config(priority, &globals))?))
    }
}

#[derive(Debug)]
struct Theirs {
    name: &'static str,
    globals: &'static str,
}

impl Contestant for Theirs {
    fn name(&self) -> &'static str {
        self.name
    }

    fn programs(&self) -> &'static [&'static str] {
        &["keepalived"]
    }

    fn obstacle(&self, _: &Routers) -> Option<&'static str> {
        let is_installed = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin", "/sbin"]
            .iter()
            .any(|place| Path::new(place).join("keepalived").is_file());
        (!is_installed).then_some(ABSENT)
    }

    fn start(&self, host: &Host, routers: &Routers, priority: u8) -> Result<Box<dyn Router>> {
        Ok(Box::new(Keepalived::start(host, &routers.config(priority, self.globals))?))
    }
}

#[derive(Debug)]
struct Frrs;

impl Contestant for Frrs {
    fn name(&self) -> &'static str {
        "FRR"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["vrrpd"]
    }

    fn obstacle(&self, routers: &Routers) -> Option<&'static str> {
        if !Path::new("/usr/lib/frr/vrrpd").is_file() {
            return Some(ABSENT);
        }
        if routers.has_service {
            return Some("it has no checks of its own");
        }
        (routers.count() != 1 || routers.families != [Family::V4])
            .then_some("each of its virtual routers needs a macvlan of its own; one is compared")
    }

    fn start(&self, host: &Host, routers: &Routers, priority: u8) -> Result<Box<dyn Router>> {
        // Its address stays on the host of a Backup, whose other interfaces would answer for it.
        host.sysctl("net.ipv4.conf.all.arp_ignore", "1")?;
        let interval_ms = u16::try_from(routers.interval.as_millis()).context("interval")?;
        let address = routers.asked_for().to_string();
        Ok(Box::new(Frr::start(host, FrrRouter { priority, interval_ms, address: &address })?))
    }
}
