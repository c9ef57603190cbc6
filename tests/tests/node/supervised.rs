//! Under a supervisor: it is told when the node is ready and when it stops, and its watchdog is fed only while every
//! thread turns.

use std::time::Duration;

use anyhow::{Result, ensure};
use vrrp_tests::{
    conf::{Conf, INSTANCE},
    holds_for,
    peers::{Router as _, Supervisor, Xvrrp},
    story, wait_until,
};

use crate::pair::FAST;

const WATCHDOG: Duration = Duration::from_millis(200);

#[test]
fn a_supervisor_is_told_and_one_thread_that_stands_starves_its_watchdog() -> Result<()> {
    story("supervised", &[], |lab| {
        let castor = lab.host("castor")?;
        let supervisor = Supervisor::start(&castor, WATCHDOG)?;
        let node = Xvrrp::start_under(&supervisor, &castor, &Conf::fast(100).text())?;
        supervisor.wait_for("READY=1")?;
        node.wait_active(INSTANCE, FAST)?;
        supervisor.wait_for("STATUS=1 Active, 0 Backup, 0 Fault")?;
        assert_eq!(supervisor.heard("STOPPING=1")?, 0);
        for thread in ["xvrrp", "address", "service"] {
            wait_fed(&supervisor)?;
            let held = supervisor.hold(node.process(), thread)?;
            wait_until(FAST, &format!("nothing is fed while {thread} stands"), || starves(&supervisor))?;
            drop(held);
        }
        wait_fed(&supervisor)?;
        assert_eq!(supervisor.heard("READY=1")?, 1, "a node is ready once");
        node.shut_down()?;
        supervisor.wait_for("STOPPING=1")?;
        ensure!(supervisor.heard("STATUS=stopping; 0 Active, 0 Backup, 0 Fault")? > 0, "no word on the stop");
        Ok(())
    })
}

/// A good file and a bad one: the node is ready again either way.
#[test]
fn a_supervisor_is_told_of_a_reload() -> Result<()> {
    story("supervised reload", &[], |lab| {
        let castor = lab.host("castor")?;
        let supervisor = Supervisor::start(&castor, Duration::from_secs(60))?;
        let node = Xvrrp::start_under(&supervisor, &castor, &Conf::fast(100).text())?;
        supervisor.wait_for("READY=1")?;
        for (ready, priority) in [(2, "120"), (3, "256")] {
            node.reload(&Conf::fast(100).text().replace("priority 100", &format!("priority {priority}")))?;
            wait_until(FAST, "it is ready again", || Ok(supervisor.heard("READY=1")? == ready))?;
            assert_eq!(supervisor.heard("RELOADING=1")?, ready - 1);
        }
        let said = supervisor.said()?;
        let order = said.iter().filter(|line| line.ends_with("READY=1") || line.ends_with("RELOADING=1"));
        let order: Vec<&str> = order.map(String::as_str).collect();
        assert_eq!(order.join(" "), "READY=1 RELOADING=1 READY=1 RELOADING=1 READY=1", "{said:?}");
        let stamped = said.iter().filter(|line| line.starts_with("MONOTONIC_USEC=")).count();
        assert_eq!(stamped, 2, "systemd insists on the time: {said:?}");
        Ok(())
    })
}

fn fed(supervisor: &Supervisor) -> Result<usize> {
    supervisor.heard("WATCHDOG=1")
}

fn wait_fed(supervisor: &Supervisor) -> Result<()> {
    let before = fed(supervisor)?;
    wait_until(FAST, "the watchdog is fed", || Ok(fed(supervisor)? >= before + 3))
}

/// Whether the watchdog would have bitten: nothing for longer than it waits.
fn starves(supervisor: &Supervisor) -> Result<bool> {
    let before = fed(supervisor)?;
    Ok(holds_for(2 * WATCHDOG, "nothing is fed", || Ok(fed(supervisor)? == before)).is_ok())
}
