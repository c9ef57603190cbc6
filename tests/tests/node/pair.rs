//! What most stories begin with: castor and pollux, and somebody who watches.

use std::time::Duration;

use anyhow::Result;
use vrrp_tests::{
    Host, Lab,
    conf::{ADDRESS, Conf, INSTANCE},
    holds_for,
    peers::Router,
    rights::Needs,
    scenario::Make,
    wait_until,
    witness::Capture,
};

/// The node under test. Most stories hold for any sound VRRP router.
pub(crate) const OURS: Make = Make::Xvrrp;

/// A takeover with 0.1 s between advertisements takes 0.4 s; this allows for a busy machine.
pub(crate) const FAST: Duration = Duration::from_secs(10);
/// With 1 s between advertisements it takes 4 s.
pub(crate) const SLOW: Duration = Duration::from_secs(20);
/// Long enough for ten advertisements: what was to change at 0.1 s would have changed.
pub(crate) const A_WHILE: Duration = Duration::from_secs(1);

/// Packages that stories with witnesses need.
pub(crate) const WITNESSES: Needs<'static> = &["tcpdump", "tshark"];
/// ... and those with keepalived.
pub(crate) const PEERS: Needs<'static> = &["keepalived", "tcpdump", "tshark"];

/// Hardware address of castor's `eth0`.
pub(crate) const CASTOR_MAC: &str = "02:00:00:00:00:01";
/// Hardware address of pollux's `eth0`.
pub(crate) const POLLUX_MAC: &str = "02:00:00:00:00:02";

/// Waits until the better one alone is Active, and watches that it stays so. For routers that an address does not tell of.
pub(crate) fn reigns(better: &dyn Router, worse: &dyn Router) -> Result<()> {
    let what = format!("{} alone is Active", better.host().name());
    let settled = || Ok(better.is_active(INSTANCE)? && !worse.is_active(INSTANCE)?);
    wait_until(FAST, &what, settled)?;
    holds_for(A_WHILE, &what, settled)
}

/// Castor is 192.0.2.1, pollux 192.0.2.2.
pub(crate) struct Pair<'a> {
    pub(crate) lab: &'a Lab,
    address: &'static str,
    pub(crate) castor: Host,
    pub(crate) pollux: Host,
}

impl<'a> Pair<'a> {
    /// Two hosts that will share the usual address.
    pub(crate) fn new(lab: &'a Lab) -> Result<Self> {
        Self::of(lab, ADDRESS)
    }

    /// Two hosts that will share this address.
    pub(crate) fn of(lab: &'a Lab, address: &'static str) -> Result<Self> {
        Ok(Self { lab, address, castor: lab.host("castor")?, pollux: lab.host("pollux")? })
    }

    /// Our node on castor.
    pub(crate) fn start_castor(&self, conf: &Conf) -> Result<Box<dyn Router>> {
        OURS.start(&self.castor, &conf.text())
    }

    /// Our node on pollux.
    pub(crate) fn start_pollux(&self, conf: &Conf) -> Result<Box<dyn Router>> {
        OURS.start(&self.pollux, &conf.text())
    }

    /// Both, castor with priority 101 and pollux with 100, at 0.1 s; castor owns the address.
    pub(crate) fn start_fast(&self) -> Result<[Box<dyn Router>; 2]> {
        let routers = [self.start_castor(&Conf::fast(101))?, self.start_pollux(&Conf::fast(100))?];
        self.wait_owners(&["castor"], FAST)?;
        Ok(routers)
    }

    /// Waits until exactly these hosts have the address.
    pub(crate) fn wait_owners(&self, expected: &[&str], limit: Duration) -> Result<()> {
        let what = format!("{} is on {expected:?}", self.address);
        wait_until(limit, &what, || Ok(self.lab.owners(self.address)? == expected))
    }

    /// Watches that the address stays where it is.
    pub(crate) fn owners_stay(&self, expected: &[&str]) -> Result<()> {
        let what = format!("{} is on {expected:?}", self.address);
        holds_for(A_WHILE, &what, || Ok(self.lab.owners(self.address)? == expected))
    }

    /// A capture on a third host: what a neighbour sees.
    pub(crate) fn watch(&self) -> Result<Capture> {
        Capture::start(&self.lab.host("client")?)
    }
}
