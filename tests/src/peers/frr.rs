//! FRR's vrrpd, with the zebra that it needs: another implementation to speak with. It speaks VRRPv3 only.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::Router;
use crate::{Host, Process};

/// FRR's home on the host: configuration, sockets and process files.
const HOME: &str = "/run/frr";

/// What FRR is to do on `eth0`, with VRID 51.
#[derive(Clone, Copy, Debug)]
pub struct FrrRouter<'a> {
    /// 1 to 254.
    pub priority: u8,
    /// Milliseconds, a multiple of 10.
    pub interval_ms: u16,
    /// The address that it moves, IPv4 or IPv6.
    pub address: &'a str,
}

/// A running vrrpd and its zebra.
#[derive(Debug)]
pub struct Frr {
    host: Host,
    family: &'static str,
    // Dropped, and so killed, before the zebra that it talks to.
    vrrpd: Process,
    _zebra: Process,
}

impl Frr {
    /// Starts both and waits until the virtual router runs.
    pub fn start(host: &Host, router: FrrRouter<'_>) -> Result<Self> {
        let is_v6 = router.address.contains(':');
        make_device(host, router.address, is_v6)?;
        write_files(host, router, if is_v6 { "ipv6" } else { "ip" })?;
        let zebra = daemon(host, "zebra")?;
        zebra.wait_ready(&format!("{}: zebra listens", host.name()), || {
            Ok(host.run(&["test", "-S", &format!("{HOME}/zserv.api")])?.exit == crate::init::Exit::Code(0))
        })?;
        let vrrpd = daemon(host, "vrrpd")?;
        let frr = Self { host: host.clone(), family: if is_v6 { "v6" } else { "v4" }, vrrpd, _zebra: zebra };
        frr.vrrpd.wait_ready(&format!("{}: FRR's virtual router runs", host.name()), || {
            Ok(frr.state().is_ok_and(|state| state != "Initialize"))
        })?;
        Ok(frr)
    }

    /// `Initialize`, `Backup` or `Master`.
    pub fn state(&self) -> Result<String> {
        let state = &self.router()?["status"];
        state.as_str().map(str::to_owned).with_context(|| format!("no state: {state}"))
    }

    /// What `show vrrp json` says of the virtual router in its family.
    pub fn router(&self) -> Result<Value> {
        let text =
            self.host.check(&["vtysh", "--vty_socket", HOME, "-d", "vrrpd", "-c", "show vrrp json"])?;
        let all: Value = serde_json::from_str(&text).with_context(|| format!("vtysh said {text:?}"))?;
        match &all[0][self.family] {
            Value::Null => bail!("FRR knows no virtual router: {all}"),
            router => Ok(router.clone()),
        }
    }
}

/// FRR finds its virtual router by a macvlan with the virtual router's MAC address and the address to move, and
/// sets it down (protodown) while it is not Active.
fn make_device(host: &Host, address: &str, is_v6: bool) -> Result<()> {
    let (family, prefix, options) = if is_v6 { ("02", 64, "nodad") } else { ("01", 24, "") };
    host.sh(&format!(
        "ip link del vrrp51 2>/dev/null || true
         ip link add link eth0 name vrrp51 type macvlan mode bridge
         ip link set vrrp51 addrgenmode random
         ip link set vrrp51 address 00:00:5e:00:{family}:33
         ip address add {address}/{prefix} dev vrrp51 {options}
         ip link set vrrp51 up"
    ))
    .map(drop)
}

fn write_files(host: &Host, router: FrrRouter<'_>, keyword: &str) -> Result<()> {
    let FrrRouter { priority, interval_ms, address } = router;
    let text = format!(
        "interface eth0\n vrrp 51 version 3\n vrrp 51 priority {priority}\n \
         vrrp 51 advertisement-interval {interval_ms}\n vrrp 51 {keyword} {address}\n"
    );
    let vrrpd = host.write_file("vrrpd.conf", &text)?;
    let zebra = host.write_file("zebra.conf", "hostname lab\n")?;
    host.sh(&format!(
        "rm -rf {HOME}
         install -d -o frr -g frr {HOME}
         install -o frr -g frr {vrrpd} {zebra} {HOME}"
    ))
    .map(drop)
}

fn daemon(host: &Host, name: &str) -> Result<Process> {
    let program = format!("/usr/lib/frr/{name}");
    let (file, process) = (format!("{HOME}/{name}.conf"), format!("{HOME}/{name}.pid"));
    let api = format!("{HOME}/zserv.api");
    let places = ["-f", &file, "-i", &process, "-z", &api, "--vty_socket", HOME];
    host.spawn(name, &[&[&program, "-P", "0", "--log", "stdout"], &places[..]].concat())
}

impl Router for Frr {
    fn host(&self) -> &Host {
        &self.host
    }

    fn process(&self) -> &Process {
        &self.vrrpd
    }

    /// It has one virtual router and no names.
    fn is_active(&self, _: &str) -> Result<bool> {
        Ok(self.state()? == "Master")
    }
}
