//! What is left of a node that was asked to stop: nothing.

use anyhow::Result;
use vrrp_tests::{
    conf::{ADDRESS, Conf},
    init::Exit,
    story,
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
