//! Many virtual routers on one interface, in one process.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use vrrp_tests::{
    Host,
    peers::{Router as _, Xvrrp},
    story, wait_until, wait_until_every,
};

use crate::pair::{FAST, Pair};

/// All of them within this, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
/// The status of 510 routers is a long text.
const PAUSE: Duration = Duration::from_millis(500);

#[test]
fn twenty_routers_move_together() -> Result<()> {
    story("twenty routers", &[], |lab| {
        let pair = Pair::new(lab)?;
        let conf = |priority| -> String {
            (1..=20).map(|vrid| instance(vrid, priority, "0.1", &format!("198.51.100.{vrid}"))).collect()
        };
        let castor = Xvrrp::start(&pair.castor, &conf(101))?;
        let _pollux = Xvrrp::start(&pair.pollux, &conf(100))?;
        wait_until(FAST, "castor owns all", || own(&pair.castor, 20, &pair.pollux))?;
        castor.shut_down()?;
        wait_until(FAST, "pollux owns all", || own(&pair.pollux, 20, &pair.castor))?;
        let _castor = Xvrrp::start(&pair.castor, &conf(101))?;
        wait_until(FAST, "castor owns all again", || own(&pair.castor, 20, &pair.pollux))
    })
}

/// Whether one host has all addresses of 198.51.100.0/24 and the other none.
fn own(owner: &Host, all: usize, other: &Host) -> Result<bool> {
    let count = |host: &Host| -> Result<usize> {
        let ours = |text: String| text.starts_with("198.51.100.");
        Ok(host.addresses()?.into_iter().filter(|one| ours(one.address.to_string())).count())
    };
    Ok(count(owner)? == all && count(other)? == 0)
}

#[test]
fn all_vrids_in_both_families() -> Result<()> {
    story("510 routers", &[], |lab| {
        let pair = Pair::new(lab)?;
        let castor = Xvrrp::start(&pair.castor, &all(200))?;
        wait_until_every(PAUSE, LIMIT, "castor is Active for all", || {
            Ok(routers(&castor)?.iter().filter(|router| router["state"] == "active").count() == 510)
        })?;
        let pollux = Xvrrp::start(&pair.pollux, &all(100))?;
        // Three advertisements of each: nobody's timer ran out meanwhile, and no router was taken for another.
        wait_until_every(PAUSE, LIMIT, "pollux hears each", || {
            let heard = |router: &Value| router["counters"]["accepted"].as_u64() >= Some(3);
            Ok(routers(&pollux)?.iter().filter(|router| heard(router)).count() == 510)
        })?;
        for router in routers(&pollux)? {
            let counters = &router["counters"];
            assert_eq!(router["state"], "backup", "{router}");
            assert_eq!((&counters["became_active"], &counters["differing_list"]), (&0.into(), &0.into()));
        }
        Ok(())
    })
}

/// Every VRID in both families, each with an address of its own.
fn all(priority: u8) -> String {
    (1..=255)
        .flat_map(|vrid| [format!("198.51.100.{vrid}"), format!("fe80::1:{vrid:x}")].map(|one| (vrid, one)))
        .map(|(vrid, address)| instance(vrid, priority, "1", &address))
        .collect()
}

fn instance(vrid: u8, priority: u8, interval: &str, address: &str) -> String {
    let family = if address.contains(':') { 6 } else { 4 };
    format!(
        "vrrp_instance V{family}_{vrid} {{\n interface eth0\n version 3\n virtual_router_id {vrid}\n \
         priority {priority}\n advert_int {interval}\n virtual_ipaddress {{\n {address}\n }}\n}}\n"
    )
}

fn routers(node: &Xvrrp) -> Result<Vec<Value>> {
    node.status()?["routers"].as_array().cloned().context("status has no list of routers")
}
