//! Programs that Lab hosts run: three kinds of VRRP router and a web server.

mod client;
mod frr;
mod keepalived;
mod nginx;
mod supervisor;
mod systemd;
mod xvrrp;

use std::time::Duration;

use anyhow::Result;
use nix::sys::signal::Signal;

pub use client::{Census, Pinger, http_get};
pub use frr::{Frr, FrrRouter};
pub use keepalived::Keepalived;
pub use nginx::Nginx;
pub use supervisor::Supervisor;
pub use systemd::Systemd;
pub use xvrrp::{Transition, Xvrrp};

use crate::{
    Host, Process,
    story::{SOON, wait_until},
};

/// A VRRP router of any make, as far as stories treat them alike.
pub trait Router {
    /// Where it runs.
    fn host(&self) -> &Host;
    /// Its process.
    fn process(&self) -> &Process;
    /// Whether the virtual router of this name is Active (keepalived: MASTER) by its own account.
    fn is_active(&self, instance: &str) -> Result<bool>;

    /// Asks it to end (SIGTERM) and waits until it has.
    fn shut_down(&self) -> Result<()> {
        self.process().terminate(SOON).map(drop)
    }

    /// Kills it and its children without warning.
    fn kill(&self) -> Result<()> {
        self.process().signal_group(Signal::SIGKILL)
    }

    /// Waits until it says that it is Active.
    fn wait_active(&self, instance: &str, limit: Duration) -> Result<()> {
        let what = format!("{}: {instance} is Active", self.host().name());
        wait_until(limit, &what, || self.is_active(instance))
    }

    /// Waits until its host has the address.
    fn wait_owns(&self, address: &str, limit: Duration) -> Result<()> {
        let what = format!("{} owns {address}", self.host().name());
        wait_until(limit, &what, || self.host().owns(address))
    }

    /// Waits until its host does not have the address.
    fn wait_lets_go(&self, address: &str, limit: Duration) -> Result<()> {
        let what = format!("{} does not own {address}", self.host().name());
        wait_until(limit, &what, || Ok(!self.host().owns(address)?))
    }
}
