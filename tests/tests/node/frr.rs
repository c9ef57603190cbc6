//! Beside FRR's vrrpd, VRRPv3 over both families and in both roles: the better one is Active, hands over when it
//! stops, takes back when it returns, and neither minds what the other says.

use anyhow::{Result, ensure};
use vrrp_tests::{
    Lab,
    conf::{Conf, INSTANCE},
    peers::{Frr, FrrRouter, Router, Xvrrp},
    story,
    witness::{Capture, longest_silence_of},
};

use crate::pair::{CASTOR_MAC, FAST, reigns};

const NEEDS: &[&str] = &["frr", "tcpdump", "tshark"];
/// Priorities of the router that is to be Active and of the other one.
const BETTER: u8 = 150;
const WORSE: u8 = 100;
/// 0.1 s between advertisements.
const INTERVAL: u16 = 100;

#[test]
fn over_ipv4_as_active() -> Result<()> {
    story("FRR beside ours, IPv4", NEEDS, |lab| ours_is_better(lab, "192.0.2.100"))
}

#[test]
fn over_ipv6_as_active() -> Result<()> {
    story("FRR beside ours, IPv6", NEEDS, |lab| ours_is_better(lab, "2001:db8::100"))
}

#[test]
fn over_ipv4_as_backup() -> Result<()> {
    story("ours beside FRR, IPv4", NEEDS, |lab| theirs_is_better(lab, "192.0.2.100"))
}

#[test]
fn over_ipv6_as_backup() -> Result<()> {
    story("ours beside FRR, IPv6", NEEDS, |lab| theirs_is_better(lab, "2001:db8::100"))
}

fn ours_is_better(lab: &Lab, address: &str) -> Result<()> {
    let (castor, pollux) = (lab.host("castor")?, lab.host("pollux")?);
    let capture = Capture::start(&lab.host("client")?)?;
    let conf = Conf::fast(BETTER).moving(&[address]).text();
    let frr = Frr::start(&pollux, FrrRouter { priority: WORSE, interval_ms: INTERVAL, address })?;
    frr.wait_active("", FAST)?;
    let ours = Xvrrp::start(&castor, &conf)?;
    reigns(&ours, &frr)?;
    ours.shut_down()?;
    frr.wait_active("", FAST)?;
    let ours = Xvrrp::start(&castor, &conf)?;
    reigns(&ours, &frr)?;
    is_content(&ours, BETTER, capture)
}

fn theirs_is_better(lab: &Lab, address: &str) -> Result<()> {
    let (castor, pollux) = (lab.host("castor")?, lab.host("pollux")?);
    let capture = Capture::start(&lab.host("client")?)?;
    let ours = Xvrrp::start(&castor, &Conf::fast(WORSE).moving(&[address]).text())?;
    ours.wait_active(INSTANCE, FAST)?;
    let router = FrrRouter { priority: BETTER, interval_ms: INTERVAL, address };
    let frr = Frr::start(&pollux, router)?;
    reigns(&frr, &ours)?;
    frr.shut_down()?;
    ours.wait_active(INSTANCE, FAST)?;
    drop(frr);
    let frr = Frr::start(&pollux, router)?;
    reigns(&frr, &ours)?;
    is_content(&ours, WORSE, capture)
}

/// Nobody saw a gap or a malformed packet of ours, and nothing of FRR's was refused. Over IPv4, FRR (8.4 knows no
/// other way) has the pseudo-header in its checksums, and we answer so.
fn is_content(ours: &Xvrrp, priority: u8, capture: Capture) -> Result<()> {
    let recording = capture.stop()?;
    let silence = longest_silence_of(priority, &recording.adverts()?);
    ensure!(silence < 0.6, "nobody advertised for {silence} s, and it was ours to");
    assert_eq!(recording.complaints(CASTOR_MAC)?, "");
    let router = ours.router(INSTANCE)?;
    let counters = &router["counters"];
    ensure!(counters["received"].as_u64() > Some(0), "nothing was heard: {counters}");
    if router["family"] == "ipv4" {
        assert_eq!(counters["checksum_pseudo"], counters["received"]);
        let [message, pseudo] = recording.checksum_forms(CASTOR_MAC)?;
        ensure!(message == 0 && pseudo > 0, "we sent {message} without pseudo-header, {pseudo} with it");
    }
    let refused = counters["dropped"].as_object().into_iter().flatten();
    let refused: Vec<_> = refused.filter(|(_, count)| count.as_u64() != Some(0)).collect();
    ensure!(refused.is_empty(), "of FRR's advertisements some were refused: {refused:?}");
    Ok(())
}
