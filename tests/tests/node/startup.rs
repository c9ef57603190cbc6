//! When the routers of a node start, and how its threads are scheduled then.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use vrrp_tests::{
    conf::{ADDRESS, Conf, INSTANCE},
    peers::{Router as _, Xvrrp},
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

/// As `sched_getscheduler` numbers `SCHED_RR`.
const ROUND_ROBIN: &str = "2";

/// What the kernel says of the threads, not what the node says of itself.
#[test]
fn threads_run_with_the_priority_and_on_the_cpus_of_the_file() -> Result<()> {
    story("rt_priority and cpu_affinity", &[], |lab| {
        let castor = lab.host("castor")?;
        let conf = Conf::fast(101).node("vrrp_rt_priority 7").node("vrrp_cpu_affinity 0");
        let node = Xvrrp::start(&castor, &conf.text())?;
        let pid = node.process().pid();
        let main = castor.check(&["cat", &format!("/proc/{pid}/stat")])?;
        // The name is in parentheses and may hold blanks; the third field follows it.
        let fields: Vec<&str> = main.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        assert_eq!(fields[40 - 3..=41 - 3], ["7", ROUND_ROBIN], "rt_priority and policy in {main}");
        let status = castor.sh(&format!("cat /proc/{pid}/task/*/status"))?;
        let cpus: Vec<&str> =
            status.lines().filter_map(|line| line.strip_prefix("Cpus_allowed_list:")).collect();
        ensure!(cpus.len() > 3 && cpus.iter().all(|list| list.trim() == "0"), "{cpus:?}");
        Ok(())
    })
}
