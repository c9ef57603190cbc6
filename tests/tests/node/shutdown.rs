//! How a node ends, and does not: what is left of one that was asked to stop is nothing.

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use vrrp_tests::{
    conf::{ADDRESS, Conf, INSTANCE},
    init::Exit,
    story, wait_until,
};

use crate::pair::{FAST, Pair};

#[test]
fn a_stopped_node_leaves_nothing_behind() -> Result<()> {
    story("clean stop", &["procps"], |lab| {
        let pair = Pair::new(lab)?;
        let traces = || -> Result<_> {
            let said = pair.castor.sh("ip route show table all; ip rule; ip maddr show dev eth0; find /run /sys/fs/bpf -type s -o -type p; ps -eo comm=")?;
            Ok((pair.castor.addresses()?, said))
        };
        let before = traces()?;
        let addresses = [ADDRESS, "198.51.100.7/24 dev eth0 label eth0:1", "203.0.113.9 dev eth0"];
        let castor = pair.start_castor(&Conf::fast(101).moving(&addresses))?;
        castor.wait_owns("203.0.113.9", FAST)?;
        castor.wait_owns("198.51.100.7", FAST)?;
        castor.wait_owns(ADDRESS, FAST)?;
        assert_eq!(castor.process().terminate(FAST)?, Exit::Code(0));
        assert_eq!(traces()?, before);
        Ok(())
    })
}

/// Operators of keepalived send these to reload and to dump; a node that died of them would leave its address.
#[test]
fn signals_for_reload_and_dumps_do_not_end_a_node() -> Result<()> {
    story("signals", &[], |lab| {
        let pair = Pair::new(lab)?;
        let castor = pair.start_castor(&Conf::fast(101))?;
        castor.wait_owns(ADDRESS, FAST)?;
        castor.process().signal(Signal::SIGHUP)?;
        let said = "SIGHUP received";
        wait_until(FAST, said, || Ok(castor.process().log()?.contains(said)))?;
        for (signal, file) in
            [(Signal::SIGUSR1, "/tmp/keepalived.data"), (Signal::SIGUSR2, "/tmp/keepalived.stats")]
        {
            castor.process().signal(signal)?;
            wait_until(FAST, &format!("{signal} is obeyed"), || {
                Ok(pair.castor.run(&["test", "-s", file])?.exit == Exit::Code(0))
            })?;
        }
        ensure!(castor.is_active(INSTANCE)?, "castor is no longer Active");
        assert_eq!(castor.process().terminate(FAST)?, Exit::Code(0));
        Ok(())
    })
}
