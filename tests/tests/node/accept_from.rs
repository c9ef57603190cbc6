//! `accept_from`: who is outside of it is counted, and is believed nothing.

use anyhow::{Result, ensure};
use vrrp_tests::{
    conf::{Conf, INSTANCE},
    junk,
    peers::{Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::{FAST, Pair};

/// Priority 254 for the usual router, with the checksum over the message only: valid from any address.
const BETTER: &str = "31 33 fe 01 00 0a 0e 5c c0 00 02 64";
/// castor is 192.0.2.1, pollux 192.0.2.2, the stranger 192.0.2.3.
const ROUTERS: &str = "accept_from { 192.0.2.1 192.0.2.2 }";

#[test]
fn a_stranger_outside_accept_from_takes_nothing() -> Result<()> {
    story("accept_from", &[], |lab| {
        let pair = Pair::new(lab)?;
        let stranger = lab.host("stranger")?;
        let castor = Xvrrp::start(&pair.castor, &Conf::fast(101).and(ROUTERS).text())?;
        pair.wait_owners(&["castor"], FAST)?;
        let pollux = Xvrrp::start(&pair.pollux, &Conf::fast(100).and(ROUTERS).text())?;
        wait_until(FAST, "pollux hears castor", || Ok(pollux.counter(INSTANCE, "accepted")? > 0))?;
        junk::send(&stranger, 255, BETTER, 25)?;
        for node in [&castor, &pollux] {
            wait_until(
                FAST,
                "the stranger is counted",
                || Ok(node.dropped(INSTANCE, "not-admitted")? == 25),
            )?;
        }
        assert_eq!(castor.counter(INSTANCE, "became_active")?, 1);
        let refusals = castor.events()?["refusals"].to_string();
        ensure!(refusals.contains("192.0.2.3"), "{refusals}");
        pair.owners_stay(&["castor"])?;
        // The control: without the list the same message takes the address away.
        castor.shut_down()?;
        let castor = Xvrrp::start(&pair.castor, &Conf::fast(101).text())?;
        castor.wait_active(INSTANCE, FAST)?;
        junk::send(&stranger, 255, BETTER, 1)?;
        wait_until(FAST, "castor yielded", || Ok(castor.counter(INSTANCE, "better")? == 1))
    })
}
