//! Containers come and go on the hosts. Whoever removes their interfaces holds the kernel's lock for all interfaces
//! (rtnl), of every network namespace, for a second; no advertisement and no takeover may wait for it. A program of its
//! own, because other stories' keepalived does wait for it. The removal has a processor of its own: on a kernel without
//! preemption whoever shares one with it waits for the processor, whatever he does.

use std::{
    thread::available_parallelism,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use vrrp_tests::{
    Host,
    conf::{ADDRESS, Conf},
    peers::{Router as _, Xvrrp},
    rights::leave_out,
    story,
    witness::{Advert, Capture, longest_gap},
};

/// Enough for the kernel to be busy with their removal for most of a second.
const PAIRS: usize = 1000;
/// The lock must be held for longer than a takeover may take, or nothing is shown.
const HELD: Duration = Duration::from_millis(500);
/// At 0.1 s a takeover takes Active_Down_Interval (0.361 s) and at most 20 ms until a silence is believed.
const TAKEOVER: f64 = 0.45;
const LIMIT: Duration = Duration::from_secs(20);

/// A host with many interfaces, as containers have them.
struct Crowd(Host);

impl Crowd {
    fn come(&self) -> Result<()> {
        let pair =
            |n| format!("link add v{n} type veth peer name w{n}\nlink set v{n} group 7 master bridge\n");
        let pairs: String = (0..PAIRS).map(pair).collect();
        let batch = format!("link add bridge group 7 type bridge\n{pairs}");
        let batch = self.0.write_file("links", &batch)?;
        self.0.check(&["ip", "-batch", &batch]).map(drop)
    }

    /// All go at once; something else happens meanwhile.
    fn go_while(&self, something: impl FnOnce() -> Result<()>) -> Result<()> {
        let begin = Instant::now();
        let removal = self.0.spawn("removal", &["taskset", "-c", "1", "ip", "link", "del", "group", "7"])?;
        something()?;
        removal.wait(LIMIT)?;
        let held = begin.elapsed();
        ensure!(held > HELD, "{PAIRS} links were removed in {held:?}: nobody had to wait");
        Ok(())
    }
}

fn churn(datapath: &[&str]) -> Result<()> {
    let name = format!("churn, {}", datapath.join(", "));
    if available_parallelism()?.get() < 2 {
        return leave_out(&name, "it needs two processors");
    }
    story(&name, &["tcpdump", "tshark"], |lab| {
        let (castor, pollux) = (lab.host("castor")?, lab.host("pollux")?);
        let (crowd, client) = (Crowd(lab.host("crowd")?), lab.host("client")?);
        let conf = |priority| {
            let pinned = Conf::fast(priority).node("vrrp_cpu_affinity 0");
            datapath.iter().copied().fold(pinned, Conf::node).text()
        };
        let first = Xvrrp::start(&castor, &conf(101))?;
        let second = Xvrrp::start(&pollux, &conf(100))?;
        first.wait_owns(ADDRESS, LIMIT)?;

        crowd.come()?;
        let capture = Capture::start(&client)?;
        crowd.go_while(|| Ok(()))?;
        let adverts = capture.stop()?.adverts()?;
        ensure!(adverts.iter().all(|advert| advert.priority == 101), "somebody else took over");
        let gap = longest_gap(&adverts);
        ensure!(gap < 0.2, "while interfaces were removed nobody advertised for {gap} s");

        let capture = Capture::start(&client)?;
        crowd.come()?;
        crowd.go_while(|| first.process().signal_group(Signal::SIGKILL))?;
        second.wait_owns(ADDRESS, LIMIT)?;
        let gap = until_another_speaks(&capture.stop()?.adverts()?)?;
        ensure!(gap < TAKEOVER, "while interfaces were removed the takeover took {gap} s");
        Ok(())
    })
}

/// Seconds between the last advertisement of the first sender and the first one of another.
fn until_another_speaks(adverts: &[Advert]) -> Result<f64> {
    let first = adverts.first().context("nobody advertised")?;
    let other = adverts.iter().position(|advert| advert.source != first.source);
    let other = other.context("nobody else advertised")?;
    Ok(adverts[other].at - adverts[other - 1].at)
}

#[test]
fn heard_by_xdp() -> Result<()> {
    churn(&["datapath xdp"])
}

#[test]
fn heard_by_tcx() -> Result<()> {
    churn(&["datapath tc", "tc_hook tcx"])
}

#[test]
fn heard_by_clsact() -> Result<()> {
    churn(&["datapath tc", "tc_hook clsact"])
}

#[test]
fn heard_by_sockets() -> Result<()> {
    churn(&["datapath socket"])
}
