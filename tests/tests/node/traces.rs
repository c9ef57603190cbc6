//! What is left of a node on its host: after a clean stop and after `xvrrp cleanup`, nothing; to the next node, only
//! what that one wants too.

use anyhow::{Result, ensure};
use vrrp_tests::{
    Host,
    conf::{ADDRESS, Conf},
    init::Exit,
    peers::{Census, Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::{A_WHILE, CASTOR_MAC, FAST};

/// A node that makes, sets and switches all that one can.
const EVERYTHING: &str = "static_routes {
    203.0.113.0/24 via 192.0.2.9 dev eth0
}
";
const ROUTING: &str = "virtual_routes {
        198.18.0.0/24 via 192.0.2.9 dev eth0
        2001:db8:5::/48 dev eth0
    }
    virtual_rules {
        from 192.0.2.100 table 7
    }";

fn everything() -> String {
    let conf = Conf::fast(101).node("datapath tc").node("tc_hook clsact").and("use_vmac").and(ROUTING);
    EVERYTHING.to_owned() + &conf.text()
}

/// With its own hooks, whatever `XVRRP_DATAPATH` says.
fn start(host: &Host, text: &str) -> Result<Xvrrp> {
    let file = host.write_file("traces.conf", text)?;
    Xvrrp::start_with(host, &["-f", &file])
}

fn kill(node: &Xvrrp) -> Result<()> {
    node.kill()?;
    wait_until(FAST, "the killed node has ended", || Ok(node.process().exit()?.is_some()))
}

/// Everything that a node may leave, as a host's own tools see it.
fn traces(host: &Host) -> Result<String> {
    host.sh("bpftool net show; find /sys/fs/bpf /run/xvrrp -mindepth 1 2>/dev/null | sort
         for interface in $(ls /sys/class/net); do
             tc qdisc show dev $interface; tc filter show dev $interface ingress; tc filter show dev $interface egress
         done
         ip -o link | cut -d: -f 2; ip -brief address
         for family in -4 -6; do ip $family route show table all; ip $family rule; done
         cd /proc/sys/net/ipv4/conf; grep . */arp_ignore */arp_filter */arp_announce */rp_filter")
}

fn ensure_same(host: &Host, before: &str, when: &str) -> Result<()> {
    let found = || Ok(traces(host)? == before);
    wait_until(FAST, when, found).map_err(|error| {
        error.context(format!("before:\n{before}\nthen:\n{}", traces(host).unwrap_or_default()))
    })
}

#[test]
fn nothing_that_was_made_set_or_switched_is_left() -> Result<()> {
    story("everything goes", &["bpftool"], |lab| {
        let castor = lab.host("castor")?;
        castor.sysctl("net.ipv4.conf.all.rp_filter", "1")?;
        let before = traces(&castor)?;
        let node = start(&castor, &everything())?;
        node.wait_owns(ADDRESS, FAST)?;
        let seen = || -> Result<bool> {
            let there = traces(&castor)?;
            let all = [
                "clsact",
                "xvrrp_tc",
                "xvrrp_guard_in",
                "vrrp.51",
                "198.18.0.0/24",
                "203.0.113.0/24",
                "lookup 7",
            ];
            Ok(all.iter().all(|one| there.contains(one)))
        };
        wait_until(FAST, "everything is there", seen)?;
        node.stop(&[])?;
        ensure_same(&castor, &before, "nothing is left after a clean stop")?;

        let node = start(&castor, &everything())?;
        wait_until(FAST, "everything is there", seen)?;
        kill(&node)?;
        ensure!(seen()?, "a killed node cannot remove anything");
        assert_eq!(Xvrrp::command(&castor, &["cleanup"])?.exit, Exit::Code(0));
        ensure_same(&castor, &before, "nothing is left after a cleanup")
    })
}

/// The next node hears by other hooks, has no virtual MAC address and no routes: what the first one left of these goes
/// when it starts, and its own when it ends.
#[test]
fn the_next_node_removes_what_it_does_not_want() -> Result<()> {
    story("left to the next", &["bpftool"], |lab| {
        let castor = lab.host("castor")?;
        castor.sysctl("net.ipv4.conf.all.rp_filter", "1")?;
        let before = traces(&castor)?;
        let plain = start(&castor, &Conf::fast(101).text())?;
        plain.wait_owns(ADDRESS, FAST)?;
        let wanted = |text: &str| {
            // Numbers of programs and links, and times, differ.
            let lines = text.lines().map(|line| line.split(" id ").next().unwrap_or(line).to_owned());
            // A loaded program without an interface hears nothing; it is kept for a next time.
            lines.filter(|line| !line.contains("expires") && !line.contains("/xvrrp_tc-")).collect::<Vec<_>>()
        };
        let usual = wanted(&traces(&castor)?);
        plain.stop(&[])?;

        let first = start(&castor, &everything())?;
        wait_until(FAST, "routes are there", || Ok(traces(&castor)?.contains("203.0.113.0/24")))?;
        kill(&first)?;
        let next = start(&castor, &Conf::fast(101).text())?;
        next.wait_owns(ADDRESS, FAST)?;
        wait_until(FAST, "the next node has what it would have had alone", || {
            Ok(wanted(&traces(&castor)?) == usual)
        })
        .map_err(|error| {
            let now = traces(&castor).map(|text| wanted(&text).join("\n")).unwrap_or_default();
            error.context(format!("alone:\n{}\nthen:\n{now}", usual.join("\n")))
        })?;
        next.stop(&[])?;
        ensure_same(&castor, &before, "nothing is left after the next node")
    })
}

/// An owner's addresses are the host's own and stay, but for those that a node added: also one that was killed since.
#[test]
fn what_a_killed_owner_added_goes_and_what_the_host_had_stays() -> Result<()> {
    const OWN: &str = "192.0.2.101";
    story("a killed owner", &[], |lab| {
        let castor = lab.host("castor")?;
        castor.sh(&format!("ip address add {OWN}/32 dev eth0"))?;
        let text = Conf::fast(255).moving(&[ADDRESS, OWN]).text();
        let addresses = || -> Result<[bool; 2]> { Ok([castor.owns(ADDRESS)?, castor.owns(OWN)?]) };
        for next_runs in [true, false] {
            let node = start(&castor, &text)?;
            node.wait_owns(ADDRESS, FAST)?;
            kill(&node)?;
            assert_eq!(addresses()?, [true, true]);
            if next_runs {
                let next = start(&castor, &text)?;
                next.wait_active("VI_1", FAST)?;
                next.stop(&[])?;
            } else {
                assert_eq!(Xvrrp::command(&castor, &["cleanup"])?.exit, Exit::Code(0));
            }
            assert_eq!(addresses()?, [false, true], "next_runs: {next_runs}");
            assert_eq!(castor.sh("ls -A /run/xvrrp")?, "");
        }
        Ok(())
    })
}

/// Another program's filter in a clsact that we made keeps it; a clsact that was there before stays, empty or not.
#[test]
fn what_others_have_in_tc_stays() -> Result<()> {
    story("others in tc", &["bpftool"], |lab| {
        let castor = lab.host("castor")?;
        let text = Conf::fast(101).node("datapath tc").node("tc_hook clsact").text();
        let filter = "tc filter add dev eth0 egress protocol ip prio 9 u32 match u32 0 0 flowid 1:1";
        let shown = || castor.sh("tc qdisc show dev eth0; tc filter show dev eth0 egress");

        let node = start(&castor, &text)?;
        castor.sh(filter)?;
        node.stop(&[])?;
        let left = shown()?;
        ensure!(left.contains("clsact") && left.contains("pref 9") && !left.contains("xvrrp"), "{left}");

        castor.sh("tc qdisc del dev eth0 clsact; tc qdisc add dev eth0 clsact")?;
        let before = shown()?;
        start(&castor, &text)?.stop(&[])?;
        assert_eq!(shown()?, before);
        Ok(())
    })
}

/// A guard that nobody opens any more would be closed for ever.
#[test]
fn a_node_without_a_guard_is_not_closed_by_the_one_of_the_node_before() -> Result<()> {
    for hook in ["tcx", "clsact"] {
        story(&format!("guard off after {hook}"), &[], |lab| {
            let castor = lab.host("castor")?;
            let client = lab.host("client")?;
            let guarded = start(&castor, &Conf::fast(101).node(&format!("tc_hook {hook}")).text())?;
            guarded.wait_owns(ADDRESS, FAST)?;
            kill(&guarded)?;
            let open = start(&castor, &Conf::fast(101).node("guard off").text())?;
            open.wait_owns(ADDRESS, FAST)?;
            let census = Census::start(&client, ADDRESS, &[CASTOR_MAC])?;
            std::thread::sleep(A_WHILE);
            let turns = census.stop()?;
            ensure!(turns.answers(CASTOR_MAC) > 100, "the address is closed: {turns:?}");
            Ok(())
        })?;
    }
    Ok(())
}
