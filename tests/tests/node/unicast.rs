//! Unicast: peers are heard, within their TTL, across a router too; strangers never are.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};
use vrrp_tests::{
    Host, Lab,
    conf::{Conf, INSTANCE},
    holds_for, junk,
    peers::{Keepalived, Router, Xvrrp},
    story, wait_until,
};

use crate::pair::{A_WHILE, FAST, Pair};

/// Priority 254 for the usual router, with the checksum over the message only: valid from any address.
const BETTER: &str = "31 33 fe 01 00 0a 0e 5c c0 00 02 64";
/// For a second.
const TIMES: u32 = 25;

fn with_peer(conf: Conf, own: Ipv4Addr, peer: &str) -> String {
    let peers = format!("unicast_peer {{\n        {peer}\n    }}");
    conf.and(&format!("unicast_src_ip {own}")).and(&peers).text()
}

/// keepalived believes such a stranger unless it is told to check (`vrrp_check_unicast_src`), and then nobody has
/// the address.
#[test]
fn a_stranger_is_refused_and_counted() -> Result<()> {
    story("a unicast stranger", &[], |lab| {
        let pair = Pair::new(lab)?;
        let stranger = lab.host("stranger")?;
        let (castors, polluxes) = (pair.castor.address(), pair.pollux.address());
        let castor = Xvrrp::start(&pair.castor, &with_peer(Conf::fast(101), castors, &polluxes.to_string()))?;
        pair.wait_owners(&["castor"], FAST)?;
        let pollux = Xvrrp::start(&pair.pollux, &with_peer(Conf::fast(100), polluxes, &castors.to_string()))?;
        wait_until(FAST, "pollux hears castor", || Ok(pollux.counter(INSTANCE, "accepted")? > 0))?;
        for (node, address) in [(&castor, castors), (&pollux, polluxes)] {
            let transitions = node.transitions(INSTANCE)?;
            junk::send_to(&stranger, address, 255, BETTER, TIMES)?;
            wait_until(FAST, "the stranger is counted", || {
                Ok(node.dropped(INSTANCE, "unknown-peer")? == u64::from(TIMES))
            })?;
            assert_eq!(node.transitions(INSTANCE)?, transitions);
        }
        pair.owners_stay(&["castor"])?;
        // The control: from a peer the same message does take the address away.
        pollux.shut_down()?;
        junk::send_to(&pair.pollux, castors, 255, BETTER, 1)?;
        wait_until(FAST, "castor yielded", || Ok(castor.counter(INSTANCE, "better")? == 1))
    })
}

#[test]
fn advertisements_leave_with_the_ttl_of_the_file() -> Result<()> {
    story("unicast_ttl", &[], |lab| {
        let pair = Pair::new(lab)?;
        let (castors, polluxes) = (pair.castor.address(), pair.pollux.address());
        let conf = with_peer(Conf::fast(101).and("unicast_ttl 5"), castors, &polluxes.to_string());
        let castor = Xvrrp::start(&pair.castor, &conf)?;
        castor.wait_active(INSTANCE, FAST)?;
        let heard = |ttl: &str| with_peer(Conf::fast(100), polluxes, &format!("{castors} {ttl}"));
        let pollux = Xvrrp::start(&pair.pollux, &heard("min_ttl 5 max_ttl 5"))?;
        wait_until(FAST, "pollux hears castor", || Ok(pollux.counter(INSTANCE, "accepted")? > 0))?;
        assert_eq!(pollux.dropped(INSTANCE, "ttl")?, 0);
        // The control: it was not more than that.
        pollux.reload(&heard("min_ttl 6"))?;
        wait_until(FAST, "pollux misses a TTL of 6", || Ok(pollux.dropped(INSTANCE, "ttl")? > 0))
    })
}

#[test]
fn a_routed_peer_counts_within_its_ttl() -> Result<()> {
    story("a routed peer", &["keepalived"], |lab| {
        let (castor, pollux) = routed(lab)?;
        let castors = |priority, ttl| {
            with_peer(routed_conf(priority), castor.address(), &format!("198.51.100.2 {ttl}"))
        };
        let keepalived =
            Keepalived::start(&pollux, &with_peer(routed_conf(100), POLLUX, &castor.address().to_string()))?;
        keepalived.wait_active(INSTANCE, FAST)?;
        let node = Xvrrp::start(&castor, &castors(150, "min_ttl 254 max_ttl 254"))?;
        wait_only(&node, &keepalived)?;
        node.shut_down()?;
        wait_until(FAST, "keepalived takes over", || keepalived.is_active(INSTANCE))?;
        let node = Xvrrp::start(&castor, &castors(50, "min_ttl 254 max_ttl 254"))?;
        holds_for(A_WHILE, "keepalived alone is Active", || {
            Ok(keepalived.is_active(INSTANCE)? && !node.is_active(INSTANCE)?)
        })?;
        ensure!(node.counter(INSTANCE, "accepted")? > 0, "keepalived was not heard");
        assert_eq!(node.dropped(INSTANCE, "ttl")?, 0);
        node.shut_down()?;
        // The control: a router took one off, so 255 is asking too much.
        let node = Xvrrp::start(&castor, &castors(50, "min_ttl 255"))?;
        node.wait_active(INSTANCE, FAST)?;
        ensure!(node.dropped(INSTANCE, "ttl")? > 0, "packets with TTL 254 were not counted");
        Ok(())
    })
}

const POLLUX: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

fn routed_conf(priority: u8) -> Conf {
    Conf::fast(priority).moving(&["203.0.113.100"])
}

/// Castor in 192.0.2.0/24 and pollux in 198.51.100.0/24, with a router between them.
fn routed(lab: &Lab) -> Result<(Host, Host)> {
    let (castor, pollux, router) = (lab.host("castor")?, lab.host("pollux")?, lab.host("router")?);
    router.sh("ip address add 198.51.100.3/24 dev eth0
         for way in all default eth0; do echo 0 >/proc/sys/net/ipv4/conf/$way/send_redirects; done
         echo 1 >/proc/sys/net/ipv4/ip_forward")?;
    castor.sh("ip route add 198.51.100.0/24 via 192.0.2.3")?;
    pollux.sh("ip address del 192.0.2.2/24 dev eth0
         ip address add 198.51.100.2/24 dev eth0
         ip route add 192.0.2.0/24 via 198.51.100.3")?;
    Ok((castor, pollux))
}

fn wait_only(better: &dyn Router, worse: &dyn Router) -> Result<()> {
    let what = format!("{} alone is Active", better.host().name());
    wait_until(FAST, &what, || Ok(better.is_active(INSTANCE)? && !worse.is_active(INSTANCE)?))
}
