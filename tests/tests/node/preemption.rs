//! Whether and when a better router takes over from one that works.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use vrrp_tests::{conf::Conf, story};

use crate::pair::{FAST, Pair, WITNESSES};

#[test]
fn a_better_router_preempts() -> Result<()> {
    story("preempt", &[], |lab| {
        let pair = Pair::new(lab)?;
        let _pollux = pair.start_pollux(&Conf::fast(100))?;
        pair.wait_owners(&["pollux"], FAST)?;
        let _castor = pair.start_castor(&Conf::fast(101))?;
        pair.wait_owners(&["castor"], FAST)?;
        pair.owners_stay(&["castor"])
    })
}

#[test]
fn nopreempt_waits_until_it_is_needed() -> Result<()> {
    story("nopreempt", &[], |lab| {
        let pair = Pair::new(lab)?;
        let pollux = pair.start_pollux(&Conf::fast(100))?;
        pair.wait_owners(&["pollux"], FAST)?;
        let _castor = pair.start_castor(&Conf::fast(101).and("nopreempt"))?;
        pair.owners_stay(&["pollux"])?;
        pollux.shut_down()?;
        pair.wait_owners(&["castor"], FAST)
    })
}

#[test]
fn preempt_delay_is_kept() -> Result<()> {
    story("preempt_delay", WITNESSES, |lab| {
        let pair = Pair::new(lab)?;
        let _pollux = pair.start_pollux(&Conf::fast(100))?;
        pair.wait_owners(&["pollux"], FAST)?;
        let capture = pair.watch()?;
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs_f64());
        let before = clock()?;
        let _castor = pair.start_castor(&Conf::fast(101).and("preempt_delay 1"))?;
        // A busy host takes its time until the node listens; from then on it counts.
        let started = clock()?;
        pair.wait_owners(&["castor"], FAST)?;
        let adverts = capture.stop()?.adverts_from(pair.castor.address())?;
        let at = adverts.first().context("castor did not advertise")?.at;
        ensure!(at - before >= 1.0, "castor took over after {} s", at - before);
        ensure!(at - started < 4.0, "castor took over {} s after it listened", at - started);
        Ok(())
    })
}
