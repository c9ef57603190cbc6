//! Routes and rules that stand with the addresses, beside real keepalived with the same file.

use anyhow::{Result, ensure};
use vrrp_tests::{
    Host,
    conf::{Conf, INSTANCE},
    peers::{Keepalived, Router, Xvrrp},
    story, wait_until,
};

use crate::pair::{FAST, PEERS, Pair};

const STATICS: &str = "static_ipaddress {
    198.51.100.7/24 dev eth0
}
static_routes {
    203.0.113.0/24 via 192.0.2.9 dev eth0
}
static_rules {
    from 198.51.100.0/24 table 7
}
";

/// One of every kind; the third needs the virtual address to be there.
const ROUTES: &str = "virtual_routes {
        default via 192.0.2.9
        192.0.2.64/28 dev eth0
        198.18.0.0/24 via 192.0.2.9 src 192.0.2.100 metric 50 table 7
        198.18.1.0/24 via 203.0.113.9 dev eth0 onlink
        blackhole 198.18.7.0/24
        2001:db8:5::/48 via fe80::9 dev eth0
        198.18.2.0/24 metric 7 nexthop via 192.0.2.9 dev eth0 weight 3 nexthop via 192.0.2.10
        198.18.3.0/24 via 192.0.2.9 or 192.0.2.10
        2001:db8:6::/48 nexthop via fe80::9 dev eth0 nexthop via fe80::a dev eth0 weight 256
        198.18.4.0/24 dev eth0 mtu lock 1400 advmss 1000 hoplimit 10 rtt 300ms rttvar 2s rto_min 1s initcwnd 20 features ecn
        198.18.5.0/24 dev eth0 tos 0x10 realms 5/6
        2001:db8:7::/48 via fe80::9 dev eth0 mtu 1400 hoplimit 10 pref high
        throw 198.18.6.0/24
    }
    virtual_rules {
        from 192.0.2.100 table 7
        to 198.18.0.0/16 lookup 700
        from 2001:db8::/64 table 8 priority 99
        not from 10.6.0.0/16 table 100 priority 13
        from 10.2.0.0/16 ipproto UDP sport 5-5 dport 5-10 uidrange 1-5 tos 0x10 table 100 realms 30/20 priority 14
        from 2001:db8:9::/64 l3mdev ipproto 89 priority 15
        iif eth0 goto 40 priority 16
        from 10.8.0.0/16 prohibit priority 17
        from 10.8.0.0/16 suppress_prefixlength 0 suppress_ifgroup 4 table 9 priority 18
        fwmark 0x5/0xff iif eth0 table 9
    }";

fn conf(priority: u8) -> String {
    format!("{STATICS}{}", Conf::fast(priority).and(ROUTES).text())
}

/// All but the kernel's own.
fn routing(host: &Host) -> Result<String> {
    host.sh("for family in -4 -6; do
             ip $family route show table all | grep -v 'proto kernel' | sed 's/ *$//'
             ip $family rule
         done; ip -4 -o address show dev eth0 | grep -o 'inet [^ ]*'")
}

fn wait_for(host: &Host, what: &str, expected: &str) -> Result<()> {
    let found = || routing(host);
    wait_until(FAST, what, || Ok(found()? == expected)).map_err(|error| {
        error.context(format!("expected:\n{expected}\nfound:\n{}", found().unwrap_or_default()))
    })
}

/// The host has a default route already: the virtual one stands before it, and goes alone.
#[test]
fn routes_and_rules_are_those_that_keepalived_sets() -> Result<()> {
    story("routes and rules", PEERS, |lab| {
        let castor = lab.host("castor")?;
        castor.sh("ip route add default via 192.0.2.5")?;
        let before = routing(&castor)?;
        let keepalived = Keepalived::start(&castor, &conf(101))?;
        wait_until(FAST, "keepalived has set all", || Ok(routing(&castor)?.contains("fwmark 0x5/0xff")))?;
        let expected = routing(&castor)?;
        ensure!(expected.matches("proto keepalived").count() == 25, "{expected}");
        keepalived.shut_down()?;
        wait_for(&castor, "keepalived has removed all", &before)?;

        let node = Xvrrp::start(&castor, &conf(101))?;
        wait_for(&castor, "the node has set the same", &expected)?;
        castor.sh(
            "ip route del 198.18.0.0/24 table 7; ip -6 rule del priority 99; ip route del 198.18.2.0/24
             ip route del 198.18.4.0/24; ip rule del priority 14",
        )?;
        wait_for(&castor, "what somebody removed is back", &expected)?;
        let router = node.router(INSTANCE)?;
        let entries = router["routing"].as_array().map_or(&[][..], Vec::as_slice);
        ensure!(entries.len() == 23 && entries.iter().all(|entry| entry["held"] == true), "{entries:?}");
        let restored: u64 = entries.iter().filter_map(|entry| entry["restored"].as_u64()).sum();
        assert_eq!(restored, 5);
        node.shut_down()?;
        wait_for(&castor, "the node has removed all", &before)
    })
}

/// A link that was down takes its routes along, and the kernel does not tell.
#[test]
fn routes_come_back_with_their_link_and_leave_with_a_node_that_died() -> Result<()> {
    story("routes of the dead", &[], |lab| {
        let pair = Pair::new(lab)?;
        let before = routing(&pair.castor)?;
        let castor = Xvrrp::start(&pair.castor, &conf(101))?;
        wait_until(FAST, "castor has its routes", || Ok(routing(&pair.castor)?.contains("198.18.7.0/24")))?;
        let expected = routing(&pair.castor)?;
        pair.castor.sh("ip link set eth0 down")?;
        wait_until(
            FAST,
            "castor has no virtual rule",
            || Ok(!routing(&pair.castor)?.contains("lookup 700")),
        )?;
        pair.castor.sh("ip link set eth0 up")?;
        wait_for(&pair.castor, "castor has its routes again", &expected)?;

        castor.kill()?;
        let _pollux = pair.start_pollux(&Conf::fast(200))?;
        wait_until(FAST, "pollux is Active", || pair.pollux.owns("192.0.2.100"))?;
        ensure!(routing(&pair.castor)? == expected, "who removed the routes of the dead?");
        let castor = Xvrrp::start(&pair.castor, &conf(101))?;
        wait_until(FAST, "castor has removed the leftovers", || {
            Ok(!routing(&pair.castor)?.contains("198.18."))
        })?;
        castor.shut_down()?;
        let after = routing(&pair.castor)?;
        ensure!(!after.contains("keepalived"), "left behind:\n{after}");
        assert_eq!(after, before);
        Ok(())
    })
}
