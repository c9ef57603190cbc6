//! How often a node wakes: by deadlines and news, not by packets.

use std::{thread, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use vrrp_common::wire::Family;
use vrrp_tests::{
    Host, Process,
    lab::binary,
    peers::{Router as _, Xvrrp},
    probe::addresses,
    story, wait_until,
};

use crate::pair::FAST;

const ROUTERS: u8 = 100;

/// Every router is advertised for every 100 ms, one after the other. Active_Down_Interval is 361 ms at priority 100,
/// so that a Backup has to look once in 261 ms: 12 times in 3 s, for all of them together. Its housekeeping and a
/// busy machine are allowed as many again.
#[test]
fn a_backup_of_many_wakes_as_seldom_as_one_of_one() -> Result<()> {
    story("wakes", &[], |lab| {
        let [castor, stranger] = [lab.host("castor")?, lab.host("stranger")?];
        let neighbour = advertise(&stranger)?;
        let routers: String = (1..=ROUTERS).map(instance).collect();
        let node = Xvrrp::start(&castor, &format!("global_defs {{\n  datapath xdp\n}}\n{routers}"))?;
        wait_until(FAST, "it hears the last one", || {
            Ok(node.router(&format!("VI_{ROUTERS}"))?["state"] == "backup"
                && !neighbour.log()?.contains("error"))
        })?;
        let woken = wait_for_quiet(&castor, &node)?;
        ensure!((5..=24).contains(&woken), "the protocol thread woke {woken} times in 3 s");
        Ok(())
    })
}

/// Sleeps of the protocol thread in 3 s in which the neighbour was not late, as it may be on a busy machine.
fn wait_for_quiet(host: &Host, node: &Xvrrp) -> Result<u64> {
    for _ in 0..10 {
        let before = (sent(node)?, turns(host, node)?);
        // Not a state to wait for: this is the time that wakes are counted in.
        thread::sleep(Duration::from_secs(3));
        let woken = turns(host, node)? - before.1;
        if sent(node)? == before.0 {
            return Ok(woken);
        }
    }
    bail!("the neighbour was late in each of ten times 3 s")
}

/// Advertisements sent by all routers: a Backup sends none.
fn sent(node: &Xvrrp) -> Result<u64> {
    let status = node.status()?;
    let routers = status["routers"].as_array().context("status has no list of routers")?;
    routers.iter().map(|router| router["counters"]["sent"].as_u64().context("no counter sent")).sum()
}

fn advertise(host: &Host) -> Result<Process> {
    let program = binary("lab-probe")?;
    let program = program.to_str().context("the path of lab-probe is not UTF-8")?;
    let [rate, last] = [(u32::from(ROUTERS) * 10).to_string(), ROUTERS.to_string()];
    let what = [
        "send",
        "--kind",
        "active",
        "--rate",
        &rate,
        "--vrids",
        "1",
        &last,
        "--interval",
        "100",
        "--host",
        "2",
    ];
    host.spawn("neighbour", &[&[program], &what[..]].concat())
}

/// How often the protocol thread went to sleep. That others took its processor does not count.
fn turns(host: &Host, node: &Xvrrp) -> Result<u64> {
    let pid = node.process().pid();
    let text = host.check(&["cat", &format!("/proc/{pid}/task/{pid}/status")])?;
    let count = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count
        .with_context(|| format!("{text:?} counts no sleeps"))?
        .trim()
        .parse()
        .context("voluntary_ctxt_switches")
}

fn instance(vrid: u8) -> String {
    let address = addresses(Family::V4, vrid)[0];
    format!(
        "vrrp_instance VI_{vrid} {{\n  interface eth0\n  version 3\n  virtual_router_id {vrid}\n  advert_int 0.1\n  \
         virtual_ipaddress {{\n    {address}\n  }}\n}}\n"
    )
}
