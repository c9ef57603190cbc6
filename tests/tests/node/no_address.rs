//! `no_virtual_ipaddress`: routers whose advertisements carry no address elect one of themselves, and a router
//! with addresses ignores them. Beside keepalived: see `keepalived.rs`.

use anyhow::{Result, ensure};
use vrrp_tests::{
    conf::{Conf, INSTANCE},
    init::Exit,
    peers::{Router, Xvrrp},
    story, wait_until,
    witness::longest_gap,
};

use crate::pair::{CASTOR_MAC, FAST, POLLUX_MAC, Pair, WITNESSES, reigns};

fn v3(priority: u8) -> Conf {
    Conf::fast(priority).without_addresses()
}

#[test]
fn routers_without_addresses_elect_one_of_themselves() -> Result<()> {
    let v6 = |priority| v3(priority).and("native_ipv6");
    for (name, conf) in [("no address, IPv4", v3 as fn(u8) -> Conf), ("no address, IPv6", v6)] {
        story(name, WITNESSES, |lab| {
            let pair = Pair::new(lab)?;
            let capture = pair.watch()?;
            let pollux = Xvrrp::start(&pair.pollux, &conf(100).text())?;
            pollux.wait_active(INSTANCE, FAST)?;
            let castor = Xvrrp::start(&pair.castor, &conf(150).text())?;
            reigns(&castor, &pollux)?;
            castor.shut_down()?;
            pollux.wait_active(INSTANCE, FAST)?;
            let castor = Xvrrp::start(&pair.castor, &conf(150).text())?;
            reigns(&castor, &pollux)?;
            let recording = capture.stop()?;
            let gap = longest_gap(&recording.adverts()?);
            ensure!(gap < 0.5, "nobody advertised for {gap} s");
            assert_eq!(recording.announcements()?, [], "there is nothing to announce");
            for mac in [CASTOR_MAC, POLLUX_MAC] {
                assert_eq!(recording.complaints(mac)?, "", "from {mac}");
            }
            let counters = &pollux.router(INSTANCE)?["counters"];
            assert_eq!(counters["dropped"]["count-zero"], 0, "{counters}");
            assert_eq!(counters["differing_list"], 0, "{counters}");
            Ok(())
        })?;
    }
    Ok(())
}

/// RFC 9568 §5.2.5. The other way round it is another list, which counts.
#[test]
fn a_router_with_addresses_ignores_one_without() -> Result<()> {
    story("none and some", &[], |lab| {
        let pair = Pair::new(lab)?;
        let castor = Xvrrp::start(&pair.castor, &v3(150).text())?;
        castor.wait_active(INSTANCE, FAST)?;
        let pollux = Xvrrp::start(&pair.pollux, &Conf::fast(100).text())?;
        pair.wait_owners(&["pollux"], FAST)?;
        wait_until(FAST, "pollux has refused some", || Ok(pollux.dropped(INSTANCE, "count-zero")? >= 10))?;
        assert_eq!(pollux.router(INSTANCE)?["peers"].to_string(), "[]");
        ensure!(castor.counter(INSTANCE, "differing_list")? > 0, "{}", castor.router(INSTANCE)?);
        ensure!(castor.is_active(INSTANCE)?, "castor yielded to a lower priority");

        // Once both have none there is one Active again.
        let output = pollux.reload(&v3(100).text())?;
        assert_eq!(output.exit, Exit::Code(0), "{output:?}");
        reigns(&castor, &pollux)?;
        pair.wait_owners(&[], FAST)
    })
}
