//! When the routers of a node start.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use vrrp_tests::{
    conf::{ADDRESS, Conf, INSTANCE},
    peers::Xvrrp,
    story, wait_until,
};

use crate::pair::{A_WHILE, FAST, Pair};

/// 2 s, and then an Active_Down_Interval of 0.1 s x (3 + 155/256) = 0.361 s (RFC 9568 6.1).
const EARLIEST: Duration = Duration::from_millis(2361);

#[test]
fn routers_wait_for_the_delay_and_then_for_the_active_router() -> Result<()> {
    story("startup delay", &[], |lab| {
        let pair = Pair::new(lab)?;
        let text = format!("global_defs {{\n    vrrp_startup_delay 2\n}}\n{}", Conf::fast(101).text());
        let asked = Instant::now();
        let castor = Xvrrp::start(&pair.castor, &text)?;
        std::thread::sleep(A_WHILE);
        if asked.elapsed() < Duration::from_secs(2) {
            ensure!(castor.router(INSTANCE)?["state"] == "initialize", "{}", castor.router(INSTANCE)?);
        }
        wait_until(FAST, "castor holds the address", || pair.castor.owns(ADDRESS))?;
        let took = asked.elapsed();
        ensure!(took >= EARLIEST, "it was Active after {took:?}");
        Ok(())
    })
}
