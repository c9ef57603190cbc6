//! What a router makes of its own interface: delays, a link that is not to count, a source address that goes.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use vrrp_tests::{
    Host,
    conf::{ADDRESS, Conf, INSTANCE},
    holds_for,
    peers::{Keepalived, Router, Xvrrp},
    story, wait_until,
};

use crate::pair::{A_WHILE, FAST};

fn link(host: &Host, state: &str) -> Result<()> {
    host.sh(&format!("ip link set eth0 {state}")).map(drop)
}

fn states(node: &Xvrrp) -> Result<Vec<String>> {
    Ok(node.transitions(INSTANCE)?.into_iter().map(|one| one.to).collect())
}

fn has_given_up(node: &Xvrrp) -> Result<bool> {
    Ok(node.router(INSTANCE)?["state"] == "fault")
}

#[test]
fn a_link_that_comes_back_within_its_delay_was_never_down() -> Result<()> {
    story("delayed links", &[], |lab| {
        let castor = lab.host("castor")?;
        let delays = "interface_up_down_delays {\n    eth0 0.6 0.1\n}\n";
        let conf = delays.to_owned() + &Conf::fast(101).and("down_timer_adverts 10").text();
        let node = Xvrrp::start(&castor, &conf)?;
        node.wait_owns(ADDRESS, FAST)?;
        let before = states(&node)?;
        link(&castor, "down")?;
        link(&castor, "up")?;
        holds_for(A_WHILE, "it was not down", || Ok(states(&node)? == before))?;

        let down = Instant::now();
        link(&castor, "down")?;
        wait_until(FAST, "it is down", || has_given_up(&node))?;
        let waited = down.elapsed();
        ensure!(waited >= Duration::from_millis(600), "it was down after {waited:?}");
        link(&castor, "up")?;
        node.wait_owns(ADDRESS, FAST)
    })
}

#[test]
fn a_link_that_does_not_count_is_let_be_as_by_keepalived() -> Result<()> {
    story("dont_track_primary", &["keepalived"], |lab| {
        let castor = lab.host("castor")?;
        let conf = Conf::fast(101).and("dont_track_primary").text();
        let keepalived = Keepalived::start(&castor, &conf)?;
        keepalived.wait_owns(ADDRESS, FAST)?;
        link(&castor, "down")?;
        holds_for(A_WHILE, "keepalived goes on", || keepalived.is_active(INSTANCE))?;
        link(&castor, "up")?;
        keepalived.shut_down()?;

        let node = Xvrrp::start(&castor, &conf)?;
        node.wait_owns(ADDRESS, FAST)?;
        let before = states(&node)?;
        link(&castor, "down")?;
        holds_for(A_WHILE, "xvrrp goes on", || Ok(states(&node)? == before))?;
        link(&castor, "up")?;
        holds_for(A_WHILE, "xvrrp goes on", || Ok(states(&node)? == before))?;
        // The control: without the word it gives up.
        node.reload(&Conf::fast(101).text())?;
        link(&castor, "down")?;
        wait_until(FAST, "it is down", || has_given_up(&node))
    })
}

#[test]
fn a_source_address_that_is_tracked_is_missed() -> Result<()> {
    story("track_src_ip", &["keepalived"], |lab| {
        const SOURCE: &str = "192.0.2.77/24";
        let castor = lab.host("castor")?;
        let source = |what: &str| castor.sh(&format!("ip address {what} {SOURCE} dev eth0")).map(drop);
        let conf = Conf::fast(101).and("mcast_src_ip 192.0.2.77").and("track_src_ip").text();
        source("add")?;
        let keepalived = Keepalived::start(&castor, &conf)?;
        keepalived.wait_owns(ADDRESS, FAST)?;
        source("del")?;
        // Unlike what its manual says; see the list of differences.
        holds_for(A_WHILE, "keepalived goes on", || keepalived.is_active(INSTANCE))?;
        keepalived.shut_down()?;

        source("add")?;
        let node = Xvrrp::start(&castor, &conf)?;
        node.wait_owns(ADDRESS, FAST)?;
        source("del")?;
        wait_until(FAST, "xvrrp gives up", || has_given_up(&node))?;
        wait_until(FAST, "the address is gone", || Ok(!castor.owns(ADDRESS)?))?;
        source("add")?;
        node.wait_owns(ADDRESS, FAST)
    })
}
