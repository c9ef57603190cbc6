//! One owner, whatever happens to the daemon: everybody is asked for the address all the time, and whoever held it is
//! silent before whoever takes it speaks.

use std::{thread::sleep, time::Duration};

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use vrrp_tests::{
    conf::ADDRESS,
    peers::{Census, Router},
    story,
};

use crate::pair::{CASTOR_MAC, FAST, POLLUX_MAC, Pair};

/// What happens to castor, which owns the address, and is over when pollux does.
fn falls_silent(name: &str, fail: impl FnOnce(&Pair<'_>, &dyn Router) -> Result<()>) -> Result<()> {
    story(name, &[], |lab| {
        let pair = Pair::new(lab)?;
        let client = lab.host("client")?;
        let [castor, pollux] = pair.start_fast()?;
        let census = Census::start(&client, ADDRESS, &[CASTOR_MAC, POLLUX_MAC])?;
        fail(&pair, castor.as_ref())?;
        pollux.wait_owns(ADDRESS, FAST)?;
        // Long enough for castor to answer a hundred times, if it does.
        sleep(Duration::from_millis(500));
        let turns = census.stop()?;
        ensure!(turns.answers(CASTOR_MAC) > 0 && turns.answers(POLLUX_MAC) > 100, "{turns:?}");
        ensure!(turns.late(CASTOR_MAC, POLLUX_MAC) == 0, "two owners: {turns:?}");
        Ok(())
    })
}

#[test]
fn a_stopped_owner_is_silent() -> Result<()> {
    falls_silent("guard: SIGSTOP", |_, castor| castor.process().signal(Signal::SIGSTOP))
}
