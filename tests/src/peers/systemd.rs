//! A real systemd on a Lab host, with the node's units and nothing else. What a supervisor says is played by
//! `supervisor`.

use std::{fs, path::Path, process};

use anyhow::{Context as _, Result};

use super::xvrrp;
use crate::{Host, Process, story::SOON, wait_until};

const BOOT: &str = include_str!("systemd.sh");

/// Process 1 of its own namespaces on a host.
#[derive(Debug)]
pub struct Systemd {
    host: Host,
    cgroup: String,
    /// Shell text: it takes orders from its own process namespace only.
    enter: String,
    booted: Option<Process>,
}

impl Systemd {
    /// Boots it with the units of `dist/systemd`, changed only in the paths of the program and of its file, and in the
    /// time of the watchdog, in seconds.
    pub fn boot(host: &Host, config: &str, watchdog: u32) -> Result<Self> {
        let file = host.write_file("xvrrp.conf", &(xvrrp::datapath(host) + config))?;
        let program = xvrrp::program()?;
        let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist/systemd");
        for name in ["xvrrp.service", "xvrrp-cleanup.service"] {
            let unit = fs::read_to_string(units.join(name)).with_context(|| name.to_owned())?;
            let unit = unit
                .replace("/usr/sbin/xvrrp run", &format!("/usr/sbin/xvrrp run -f {file}"))
                .replace("/usr/sbin/xvrrp", &program)
                .replace("WatchdogSec=10s", &format!("WatchdogSec={watchdog}s"));
            host.write_file(name, &unit)?;
        }
        let boot = host.write_file("systemd.sh", BOOT)?;
        let folder = Path::new(&boot).parent().and_then(Path::to_str).context("no folder")?.to_owned();
        let cgroup = format!("xvrrp-lab-{}-{}", process::id(), host.pid());
        let booted = host.spawn("systemd", &["sh", &boot, &folder, &cgroup])?;
        let enter = format!("exec nsenter -t $(pgrep -P {}) -m -p -C -- systemctl \"$@\"", booted.pid());
        let systemd = Self { host: host.clone(), cgroup, enter, booted: Some(booted) };
        wait_until(SOON, "systemd runs", || Ok(systemd.control(&["is-system-running"]).is_ok()))?;
        Ok(systemd)
    }

    /// `systemctl` with these arguments, which must succeed.
    pub fn control(&self, arguments: &[&str]) -> Result<String> {
        self.host.check(&[&["sh", "-c", &self.enter, "systemctl"], arguments].concat())
    }

    /// A property of the node's unit.
    pub fn property(&self, name: &str) -> Result<String> {
        Ok(self.control(&["show", "xvrrp", "--value", "--property", name])?.trim().to_owned())
    }

    /// Waits until a property of the node's unit has this value.
    pub fn wait_for(&self, name: &str, value: &str) -> Result<()> {
        wait_until(SOON, &format!("{name} is {value}"), || Ok(self.property(name)? == value))
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        drop(self.booted.take());
        // A cgroup that still ends its processes cannot be removed yet; nothing hangs on one that stays.
        let place = "/sys/fs/cgroup";
        let remove = format!(
            "mount -t cgroup2 cgroup2 {place}; for try in 1 2 3 4 5; do
                 find {place}/{} -depth -type d -exec rmdir {{}} + && break; sleep 0.1; done; umount {place}",
            self.cgroup
        );
        drop(self.host.sh(&remove));
    }
}
