//! Faults that pass, that come one after the other, or that meet one part of the daemon only: one owner all the same.

use std::{thread::sleep, time::Duration};

use anyhow::{Result, ensure};
use vrrp_tests::{
    Host,
    conf::{ADDRESS, Conf},
    lab::binary,
    peers::{Census, Router},
    story,
};

use crate::{
    guard::{Case, go_on, nothing, stop},
    pair::{CASTOR_MAC, FAST, POLLUX_MAC, Pair},
};

/// Castor's priority and pollux's.
const BETTER: [u8; 2] = [101, 100];
const WORSE: [u8; 2] = [100, 101];

/// Castor runs again when pollux has taken over, and this long after it: it looks before it speaks.
fn goes_on(name: &'static str, priorities: [u8; 2], after: Duration) -> Result<()> {
    Case { priorities, ..Case::new(name) }.tell(stop, |host, node| {
        sleep(after);
        go_on(host, ADDRESS, node)
    })
}

#[test]
fn an_owner_that_goes_on_after_half_a_second_looks_before_it_speaks() -> Result<()> {
    goes_on("goes on, better", BETTER, Duration::ZERO)
}

#[test]
fn an_owner_that_goes_on_after_half_a_second_leaves_it_to_its_better() -> Result<()> {
    goes_on("goes on, worse", WORSE, Duration::ZERO)
}

#[test]
fn an_owner_that_goes_on_after_two_seconds_looks_before_it_speaks() -> Result<()> {
    goes_on("2 s, better", BETTER, Duration::from_secs(2))
}

#[test]
fn an_owner_that_goes_on_after_two_seconds_leaves_it_to_its_better() -> Result<()> {
    goes_on("2 s, worse", WORSE, Duration::from_secs(2))
}

#[test]
fn an_owner_that_goes_on_after_ten_seconds_looks_before_it_speaks() -> Result<()> {
    goes_on("10 s, better", BETTER, Duration::from_secs(10))
}

#[test]
fn an_owner_that_goes_on_after_ten_seconds_leaves_it_to_its_better() -> Result<()> {
    goes_on("10 s, worse", WORSE, Duration::from_secs(10))
}

/// Holds one thread of the node still for some seconds; all others run.
fn hold(host: &Host, node: &dyn Router, thread: &str, seconds: u32) -> Result<()> {
    let probe = binary("lab-probe")?.display().to_string();
    let (pid, seconds) = (node.process().pid().to_string(), seconds.to_string());
    let output = host.run(&["timeout", &seconds, &probe, "hold", &pid, thread])?;
    ensure!(output.stdout.contains("held"), "{output:?}");
    Ok(())
}

#[test]
fn an_owner_whose_protocol_thread_does_not_run_is_silent() -> Result<()> {
    Case::new("no protocol thread").tell(|host, node| hold(host, node, "xvrrp", 1), nothing)
}

/// Nobody runs the check any more: its last result is not believed for ever.
#[test]
fn an_owner_whose_service_thread_does_not_run_gives_up() -> Result<()> {
    let check = &["script \"/bin/true\"", "interval 1", "timeout 1"];
    let case = Case { check, ..Case::new("no service thread") };
    case.tell(|host, node| hold(host, node, "service", 6), nothing)
}

/// The last time it stays down.
#[test]
fn an_owner_whose_link_flaps_is_one_of_one() -> Result<()> {
    let flap = |host: &Host, _: &dyn Router| {
        for _ in 0..5 {
            host.link_down("eth0")?;
            sleep(Duration::from_millis(150));
            host.link_up("eth0")?;
            sleep(Duration::from_millis(150));
        }
        host.link_down("eth0")
    };
    let mend = |host: &Host, _: &dyn Router| {
        host.link_up("eth0")?;
        sleep(Duration::from_millis(500));
        ensure!(!host.owns(ADDRESS)?, "it took the address again");
        Ok(())
    };
    Case::new("link flaps").tell(flap, mend)
}

/// The better one comes: its advertisement closes the other's addresses before its own are open.
#[test]
fn an_ordinary_preemption_has_no_two_owners() -> Result<()> {
    story("preempted", &[], |lab| {
        let pair = Pair::new(lab)?;
        let client = lab.host("client")?;
        let _pollux = pair.start_pollux(&Conf::fast(100))?;
        pair.wait_owners(&["pollux"], FAST)?;
        let census = Census::start(&client, ADDRESS, &[CASTOR_MAC, POLLUX_MAC])?;
        let _castor = pair.start_castor(&Conf::fast(101))?;
        pair.wait_owners(&["castor"], FAST)?;
        sleep(Duration::from_millis(500));
        let turns = census.stop()?;
        ensure!(turns.answers(CASTOR_MAC) > 100 && turns.answers(POLLUX_MAC) > 0, "{turns:?}");
        ensure!(turns.late(&[POLLUX_MAC], CASTOR_MAC) == 0, "two owners: {turns:?}");
        Ok(())
    })
}
