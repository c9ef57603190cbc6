//! The virtual router's own MAC address: what neighbours learn, and what is left behind.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use vrrp_tests::{
    Host,
    conf::{ADDRESS, Conf, INSTANCE},
    peers::{Keepalived, Router, Xvrrp},
    story, wait_until,
};

use crate::pair::{CASTOR_MAC, FAST, PEERS, POLLUX_MAC, Pair, WITNESSES};

/// RFC 9568 §7.3, with VRID 51.
const VIRTUAL_MAC: &str = "00:00:5e:00:01:33";
const VIRTUAL_MAC_V6: &str = "00:00:5e:00:02:33";
const ADDRESS_V6: &str = "2001:db8::100";
/// What is changed below a macvlan.
const SWITCHES: [&str; 5] =
    ["eth0/arp_ignore", "eth0/arp_filter", "eth0/arp_announce", "eth0/rp_filter", "all/rp_filter"];

fn conf(priority: u8) -> Conf {
    Conf::fast(priority).and("use_vmac")
}

fn conf_v6(priority: u8) -> Conf {
    conf(priority).moving(&["fe80::100/64", "2001:db8::100/64"])
}

/// The address answers (that nobody serves there), and the client knows it by this hardware address.
fn knows(client: &Host, address: &str, mac: &str) -> Result<()> {
    let ask = format!("timeout 1 bash -c ': >/dev/tcp/{address}/9' 2>&1 | grep -q refused");
    wait_until(FAST, &format!("{address} answers"), || Ok(client.sh(&ask).is_ok()))?;
    let entry = client.sh(&format!("ip neigh show {address}"))?;
    ensure!(entry.contains(mac), "{address} is not at {mac}: {entry}");
    Ok(())
}

/// The strict filter of a host stays as strict as it was, but for the macvlan.
#[test]
fn neighbours_see_one_mac_address_whoever_is_active() -> Result<()> {
    story("a virtual MAC", WITNESSES, |lab| {
        let pair = Pair::new(lab)?;
        let client = lab.host("observer")?;
        pair.castor.sysctl("net.ipv4.conf.all.rp_filter", "1")?;
        let capture = pair.watch()?;
        let _castor = pair.start_castor(&conf(101))?;
        let pollux = Xvrrp::start(&pair.pollux, &conf(100).text())?;
        pair.wait_owners(&["castor"], FAST)?;
        knows(&client, ADDRESS, VIRTUAL_MAC)?;
        // The host speaks of its own accord, to somebody whom it has to ask for first.
        let stranger = lab.host("stranger")?.address();
        pair.castor.sh(&format!("ip route add {stranger} dev eth0 src {ADDRESS}"))?;
        pair.castor.sh(&format!("bash -c 'echo >/dev/udp/{stranger}/9'"))?;
        wait_until(FAST, "pollux hears castor", || Ok(pollux.counter(INSTANCE, "accepted")? > 0))?;

        lab.cut_carrier(&pair.castor)?;
        pair.wait_owners(&["pollux"], FAST)?;
        knows(&client, ADDRESS, VIRTUAL_MAC)?;
        let recording = capture.stop()?;
        let one = BTreeSet::from([VIRTUAL_MAC.to_owned()]);
        assert_eq!(recording.hardware_sources("vrrp")?, one, "who advertised?");
        let told = recording.hardware_sources(&format!("arp.src.proto_ipv4 == {ADDRESS}"))?;
        assert_eq!(told, one, "who told where the address is?");
        Ok(())
    })
}

#[test]
fn ipv6_neighbours_too_and_no_address_is_made_from_it() -> Result<()> {
    story("a virtual MAC, IPv6", WITNESSES, |lab| {
        let pair = Pair::of(lab, ADDRESS_V6)?;
        let client = lab.host("observer")?;
        client.sh("ip address add 2001:db8::9/64 dev eth0 nodad")?;
        let capture = pair.watch()?;
        let castor = pair.start_castor(&conf_v6(101))?;
        let _pollux = pair.start_pollux(&conf_v6(100))?;
        pair.wait_owners(&["castor"], FAST)?;
        knows(&client, ADDRESS_V6, VIRTUAL_MAC_V6)?;
        let made =
            pair.castor.sh("ip -6 -o address show dev vrrp6.51 scope link | grep -v fe80::100 || true")?;
        assert_eq!(made, "", "addresses that nobody asked for");
        castor.shut_down()?;
        pair.wait_owners(&["pollux"], FAST)?;
        knows(&client, ADDRESS_V6, VIRTUAL_MAC_V6)?;
        let recording = capture.stop()?;
        let one = BTreeSet::from([VIRTUAL_MAC_V6.to_owned()]);
        assert_eq!(recording.hardware_sources("vrrp")?, one);
        let filter = format!("icmpv6.type == 136 && icmpv6.nd.na.target_address == {ADDRESS_V6}");
        assert_eq!(recording.hardware_sources(&filter)?, one);
        assert_eq!(recording.complaints(VIRTUAL_MAC_V6)?, "");
        Ok(())
    })
}

/// A macvlan takes for itself what comes from its own MAC address, so that a socket below it must look earlier.
#[test]
fn a_socket_hears_the_other_router_with_the_same_mac_address() -> Result<()> {
    story("one MAC address at both ends", &[], |lab| {
        let pair = Pair::new(lab)?;
        let _castor = pair.start_castor(&conf(101))?;
        let pollux = Xvrrp::start(&pair.pollux, &conf(100).and("datapath socket").text())?;
        pair.wait_owners(&["castor"], FAST)?;
        wait_until(FAST, "pollux hears castor", || Ok(pollux.counter(INSTANCE, "accepted")? > 5))?;
        pair.owners_stay(&["castor"])
    })
}

/// Elections are as without. (A host that keepalived serves may ask with the address and its interface's own MAC
/// address, and so teach it to its neighbours; ours does not.)
#[test]
fn with_keepalived_at_the_other_end_the_mac_address_comes_back() -> Result<()> {
    story("a virtual MAC beside keepalived", PEERS, |lab| {
        let pair = Pair::new(lab)?;
        let client = lab.host("observer")?;
        let castor = Keepalived::start(&pair.castor, &conf(101).text())?;
        let pollux = Xvrrp::start(&pair.pollux, &conf(100).text())?;
        pair.wait_owners(&["castor"], FAST)?;
        pair.owners_stay(&["castor"])?;
        castor.shut_down()?;
        pair.wait_owners(&["pollux"], FAST)?;
        knows(&client, ADDRESS, VIRTUAL_MAC)?;
        let _castor = Keepalived::start(&pair.castor, &conf(101).text())?;
        pair.wait_owners(&["castor"], FAST)?;
        pair.owners_stay(&["castor"])?;
        assert_eq!(pollux.router(INSTANCE)?["virtual_mac"]["mac"], VIRTUAL_MAC);
        Ok(())
    })
}

/// `vmac_xmit_base`: the addresses have the virtual MAC address, and advertisements the interface's own.
#[test]
fn advertisements_leave_with_the_interface_s_own_mac_address_where_that_is_asked_for() -> Result<()> {
    story("vmac_xmit_base", WITNESSES, |lab| {
        let pair = Pair::new(lab)?;
        let capture = pair.watch()?;
        let castor = pair.start_castor(&conf(101).and("vmac_xmit_base"))?;
        let _pollux = pair.start_pollux(&conf(100).and("vmac_xmit_base"))?;
        pair.wait_owners(&["castor"], FAST)?;
        castor.shut_down()?;
        pair.wait_owners(&["pollux"], FAST)?;
        let recording = capture.stop()?;
        let own = BTreeSet::from([CASTOR_MAC.to_owned(), POLLUX_MAC.to_owned()]);
        assert_eq!(recording.hardware_sources("vrrp")?, own);
        let announced = recording.announcements()?;
        ensure!(!announced.is_empty() && announced.iter().all(|one| one.mac == VIRTUAL_MAC), "{announced:?}");
        Ok(())
    })
}

fn switches(host: &Host) -> Result<Vec<String>> {
    SWITCHES.iter().map(|name| host.sh(&format!("cat /proc/sys/net/ipv4/conf/{name}"))).collect()
}

fn macvlan(host: &Host) -> Result<String> {
    host.sh("ip -o link show type macvlan | cut -d: -f 1,2")
}

/// After SIGKILL the interface stays; the next run goes on with it, and removes it at its end. One that is in the
/// way, of another kind, is replaced if it is a macvlan.
#[test]
fn nothing_is_left_of_it_and_a_leftover_is_adopted() -> Result<()> {
    story("macvlans come and go", &[], |lab| {
        let castor = lab.host("castor")?;
        castor.sysctl("net.ipv4.conf.all.rp_filter", "1")?;
        let before = switches(&castor)?;
        castor.sh("ip link add link eth0 name vrrp.51 type macvlan mode bridge")?;
        let node = Xvrrp::start(&castor, &conf(101).text())?;
        node.wait_owns(ADDRESS, FAST)?;
        let made = castor.sh("ip -d link show vrrp.51")?;
        ensure!(made.contains(VIRTUAL_MAC) && made.contains("mode private"), "{made}");
        ensure!(switches(&castor)? != before, "nothing was switched");
        castor.sh("ip link del vrrp.51")?;
        wait_until(FAST, "it is made again, with its address", || {
            Ok(castor.sh("ip -o address show dev vrrp.51 || true")?.contains(ADDRESS))
        })?;
        node.shut_down()?;
        assert_eq!(macvlan(&castor)?, "");
        assert_eq!(switches(&castor)?, before);

        let node = Xvrrp::start(&castor, &conf(101).text())?;
        node.wait_owns(ADDRESS, FAST)?;
        let left = macvlan(&castor)?;
        node.kill()?;
        wait_until(FAST, "it is dead", || Ok(node.process().exit()?.is_some()))?;
        assert_eq!(macvlan(&castor)?, left);
        let node = Xvrrp::start(&castor, &conf(101).text())?;
        node.wait_owns(ADDRESS, FAST)?;
        assert_eq!(macvlan(&castor)?, left, "it is another one");
        node.shut_down()?;
        assert_eq!(macvlan(&castor)?, "");
        Ok(())
    })
}
