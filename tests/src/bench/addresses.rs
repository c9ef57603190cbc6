//! Takeover with many addresses: the advertisements that follow must leave on time meanwhile.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use super::{MAKES, Spread, milliseconds, print};
use crate::{
    Host, Lab,
    scenario::Make,
    story::poll_until,
    witness::{Capture, longest_gap},
};

const LIMIT: Duration = Duration::from_secs(60);
/// Looking at many addresses is work for the kernel too, under the very lock that adding them needs.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Advertisements of each virtual router that must be seen: a gap is known only when it has ended.
const SEEN: usize = 6;
/// Reading the capture is more work still.
const READ_EVERY: Duration = Duration::from_secs(1);
/// A network of addresses to each virtual router: one advertisement names 255 at most.
const NETWORKS: [&str; 2] = ["198.51.100", "203.0.113"];

#[derive(Args, Debug)]
pub(super) struct Addresses {
    /// Rounds of each make, taken in turn
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Addresses of each of the two virtual routers, 1 to 250
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..=250))]
    addresses: u32,
}

impl Addresses {
    pub(super) fn run(&self) -> Result<()> {
        let mut gaps = [Vec::new(), Vec::new()];
        for _ in 0..self.rounds {
            for (make, gaps) in MAKES.into_iter().zip(&mut gaps) {
                gaps.push(self.takeover(make)?);
            }
        }
        print(&format!(
            "longest time between advertisements, 0.1 s configured, while two virtual routers take {} addresses each:",
            self.addresses
        ))?;
        for (make, gaps) in MAKES.into_iter().zip(gaps) {
            let Spread { median, worst } = Spread::of(gaps).context("no rounds")?;
            let make = format!("{make:?}");
            print(&format!(
                "  {make:<12} median {:>10}  worst {:>10}",
                milliseconds(median),
                milliseconds(worst)
            ))?;
        }
        Ok(())
    }

    /// A router alone takes its addresses; the worst gap in what it advertises, from its first advertisement
    /// until all addresses are there and a little longer.
    fn takeover(&self, make: Make) -> Result<Duration> {
        let lab = Lab::new("addresses")?;
        let castor = lab.host("castor")?;
        let capture = Capture::start(&lab.host("witness")?)?;
        let _router = make.start(&castor, &self.config())?;
        let all = poll_until(LIMIT, LOOK_EVERY, || self.are_there(&castor))?;
        ensure!(all, "{make:?} has not taken all addresses in {LIMIT:?}\n{}", lab.logs());
        let ended = poll_until(LIMIT, READ_EVERY, || {
            let adverts = capture.so_far().adverts()?;
            let seen = |vrid| adverts.iter().filter(|advert| usize::from(advert.vrid) == vrid).count();
            Ok((1..=NETWORKS.len()).all(|vrid| seen(vrid) >= SEEN))
        })?;
        ensure!(ended, "{make:?} has not advertised {SEEN} times in {LIMIT:?}\n{}", lab.logs());
        let adverts = capture.stop()?.adverts()?;
        let worst = (1..=NETWORKS.len()).map(|vrid| {
            let of_router = adverts.iter().filter(|advert| usize::from(advert.vrid) == vrid);
            longest_gap(&of_router.copied().collect::<Vec<_>>())
        });
        Ok(Duration::from_secs_f64(worst.fold(0.0, f64::max)))
    }

    fn are_there(&self, host: &Host) -> Result<bool> {
        let lines = host.check(&["ip", "-oneline", "-4", "address", "show", "dev", "eth0"])?.lines().count();
        // All of them and the host's own.
        Ok(lines > NETWORKS.len() * self.addresses as usize)
    }

    fn config(&self) -> String {
        (1..).zip(NETWORKS).map(|(vrid, network)| self.router(vrid, network)).collect()
    }

    fn router(&self, vrid: u8, network: &str) -> String {
        let addresses: Vec<String> = (1..=self.addresses).map(|last| format!("{network}.{last}")).collect();
        format!(
            "vrrp_instance VI_{vrid} {{\n  interface eth0\n  virtual_router_id {vrid}\n  version 3\n  advert_int 0.1\n  \
             virtual_ipaddress {{\n    {}\n  }}\n}}\n",
            addresses.join("\n    ")
        )
    }
}
