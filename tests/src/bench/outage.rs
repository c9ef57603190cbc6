//! A client's outage when the Active's link is cut, at a short advertisement interval.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use super::{MAKES, Spread, milliseconds, print};
use crate::{
    Host, Lab,
    conf::{ADDRESS, Conf},
    peers::{Pinger, Router},
    scenario::Make,
    story::poll_until,
};

const LIMIT: Duration = Duration::from_secs(15);
/// Looking is work too, on the cores that the routers need.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Between rounds, and after an outage: nothing may be on its way any more.
const CALM: Duration = Duration::from_millis(300);

#[derive(Args, Debug)]
pub(super) struct Outage {
    /// Rounds of each make, taken in turn
    #[arg(long, default_value_t = 30)]
    rounds: u32,
    /// Seconds between advertisements
    #[arg(long, default_value = "0.01")]
    interval: String,
}

/// Two routers of one make and a client; castor is Active between rounds.
struct Rig {
    make: Make,
    lab: Lab,
    castor: Host,
    client: Host,
    gaps: Vec<Duration>,
    worst_lateness: Duration,
    _routers: [Box<dyn Router>; 2],
}

impl Outage {
    pub(super) fn run(&self) -> Result<()> {
        let mut rigs =
            MAKES.into_iter().map(|make| Rig::new(make, &self.interval)).collect::<Result<Vec<_>>>()?;
        for _ in 0..self.rounds {
            for rig in &mut rigs {
                rig.round().with_context(|| rig.lab.logs())?;
            }
        }
        print(&format!(
            "client outage, link of the Active cut, {} s between advertisements:",
            self.interval
        ))?;
        for rig in rigs {
            rig.report()?;
        }
        Ok(())
    }
}

impl Rig {
    fn new(make: Make, interval: &str) -> Result<Self> {
        let lab = Lab::new("outage")?;
        let [castor, pollux, client] = [lab.host("castor")?, lab.host("pollux")?, lab.host("client")?];
        let routers = [
            make.start(&castor, &Conf::v3(200, interval).text())?,
            make.start(&pollux, &Conf::v3(100, interval).text())?,
        ];
        let rig = Self {
            make,
            lab,
            castor,
            client,
            gaps: Vec::new(),
            worst_lateness: Duration::ZERO,
            _routers: routers,
        };
        rig.wait_owner("castor")?;
        Ok(rig)
    }

    fn round(&mut self) -> Result<()> {
        let address = ADDRESS.parse().context("the address of the stories")?;
        let pinger = Pinger::start(&self.client, address)?;
        self.lab.cut_carrier(&self.castor)?;
        self.wait_owner("pollux")?;
        self.stays("pollux")?;
        let ping = pinger.stop()?;
        self.gaps.push(Duration::from_nanos(ping.longest_gap));
        self.worst_lateness = self.worst_lateness.max(Duration::from_nanos(ping.worst_lateness));
        self.lab.heal(&self.castor)?;
        self.wait_owner("castor")?;
        self.stays("castor")
    }

    fn wait_owner(&self, owner: &str) -> Result<()> {
        let owned = poll_until(LIMIT, LOOK_EVERY, || Ok(self.lab.owners(ADDRESS)? == [owner]))?;
        ensure!(owned, "{:?}: {owner} does not own {ADDRESS} after {LIMIT:?}", self.make);
        Ok(())
    }

    fn stays(&self, owner: &str) -> Result<()> {
        let lost = poll_until(CALM, LOOK_EVERY, || Ok(self.lab.owners(ADDRESS)? != [owner]))?;
        ensure!(!lost, "{:?}: {owner} did not keep {ADDRESS}", self.make);
        Ok(())
    }

    fn report(self) -> Result<()> {
        let Self { make, gaps, worst_lateness, .. } = self;
        let Spread { median, worst } = Spread::of(gaps.clone()).context("no rounds")?;
        print(&format!(
            "  {:<12} median {:>9}  worst {:>9}  of {} rounds; the probe itself was late by {} at worst",
            format!("{make:?}"),
            milliseconds(median),
            milliseconds(worst),
            gaps.len(),
            milliseconds(worst_lateness),
        ))
    }
}
