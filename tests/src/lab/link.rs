//! Cables and switch ports: plugging in, cutting in the two ways that a cable or a switch can fail, healing.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Host, Lab};

impl Lab {
    /// Gives the host another interface on the switch, up and without addresses.
    pub fn connect(&self, host: &Host, interface: &str) -> Result<()> {
        let port = port(host, interface);
        let last = interface.trim_start_matches(char::is_alphabetic);
        let mac = format!("02:00:00:00:{:02x}:{:02x}", last.parse::<u8>().unwrap_or(0), host.number());
        // Made in the switch's namespace with the peer in the host's: no name ever appears anywhere else.
        self.switch_ip(&[
            "link",
            "add",
            "name",
            &port,
            "type",
            "veth",
            "peer",
            "name",
            interface,
            "address",
            &mac,
            "netns",
            &format!("/proc/{}/ns/net", host.pid()),
        ])?;
        self.switch_ip(&["link", "set", "dev", &port, "master", "br0", "up"])?;
        host.link_up(interface)
    }

    /// Cuts the cable to `eth0`: the host sees its carrier go.
    pub fn cut_carrier(&self, host: &Host) -> Result<()> {
        self.switch_ip(&["link", "set", "dev", &port(host, "eth0"), "down"])
    }

    /// Cuts behind the switch port of `eth0`: nothing passes, and the host sees nothing change.
    pub fn cut_silently(&self, host: &Host) -> Result<()> {
        self.switch_ip(&["link", "set", "dev", &port(host, "eth0"), "nomaster"])
    }

    /// Mends either cut.
    pub fn heal(&self, host: &Host) -> Result<()> {
        self.switch_ip(&["link", "set", "dev", &port(host, "eth0"), "master", "br0", "up"])
    }

    /// What one of these hosts sends reaches no other of them.
    pub fn keep_apart(&self, hosts: &[&Host]) -> Result<()> {
        hosts.iter().try_for_each(|host| {
            self.switch_ip(&[
                "link",
                "set",
                "dev",
                &port(host, "eth0"),
                "type",
                "bridge_slave",
                "isolated",
                "on",
            ])
        })
    }

    /// Lets both ends of the cable of `eth0` take frames of this size.
    pub fn set_mtu(&self, host: &Host, mtu: u32) -> Result<()> {
        let mtu = mtu.to_string();
        self.switch_ip(&["link", "set", "dev", &port(host, "eth0"), "mtu", &mtu])?;
        host.check(&["ip", "link", "set", "dev", "eth0", "mtu", &mtu]).map(drop)
    }

    /// Runs `ip` in the switch's network namespace but among the Lab's own processes, so that it can name
    /// other hosts' namespaces by process.
    fn switch_ip(&self, arguments: &[&str]) -> Result<()> {
        let output = Command::new("nsenter")
            .arg(format!("--net=/proc/{}/ns/net", self.switch.pid()))
            .arg("ip")
            .args(arguments)
            .output()
            .context("running nsenter")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "ip {arguments:?} on the switch: {said}");
        Ok(())
    }
}

impl Host {
    /// Sets an interface up, as an administrator would.
    pub fn link_up(&self, interface: &str) -> Result<()> {
        self.check(&["ip", "link", "set", "dev", interface, "up"]).map(drop)
    }

    /// Sets an interface down, as an administrator would.
    pub fn link_down(&self, interface: &str) -> Result<()> {
        self.check(&["ip", "link", "set", "dev", interface, "down"]).map(drop)
    }

    /// Whether an interface has carrier.
    pub fn has_carrier(&self, interface: &str) -> Result<bool> {
        let text = self.check(&["ip", "-oneline", "link", "show", "dev", interface])?;
        Ok(text.contains("LOWER_UP"))
    }
}

/// The switch port that a host's interface is plugged into.
fn port(host: &Host, interface: &str) -> String {
    if interface == "eth0" { host.name().to_owned() } else { format!("{}-{interface}", host.number()) }
}
