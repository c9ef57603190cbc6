//! A neighbour's junk for our VRID: counted by reason, and nothing else. Every message is one that would
//! take the address away (priority 254) but for the one defect that its row names.

use anyhow::{Context as _, Result, ensure};
use vrrp_tests::{
    Lab,
    conf::{Conf, INSTANCE},
    junk,
    peers::{Router as _, Xvrrp},
    story, wait_until,
    witness::{Capture, longest_gap, mean_gap},
};

use crate::pair::{FAST, SLOW, WITNESSES};

/// How often each message is sent: for a second.
const TIMES: u32 = 25;

/// The drop reason that must count it, the TTL, and the message as sent from 192.0.2.3.
type Row = (&'static str, u8, &'static str);

const V3_GOOD: &str = "31 33 fe 01 00 0a 6b c9 c0 00 02 64";
const V3_JUNK: [Row; 8] = [
    ("version", 255, "21 33 fe 01 00 01 1e 65 c0 00 02 64 00 00 00 00 00 00 00 00"),
    ("version", 255, "41 33 fe 01 00 0a 5b c9 c0 00 02 64"),
    ("type", 255, "32 33 fe 01 00 0a 6a c9 c0 00 02 64"),
    ("ttl", 254, V3_GOOD),
    ("checksum", 255, "31 33 fe 01 00 0a 3e 9c c0 00 02 64"),
    ("length", 255, "31 33 fe 02 00 0a 6b c8 c0 00 02 64"),
    ("interval-zero", 255, "31 33 fe 01 00 00 6b d3 c0 00 02 64"),
    ("count-zero", 255, "31 33 fe 00 00 0a 2e 33"),
];

const V2_GOOD: &str = "21 33 fe 01 01 01 b8 fe c0 00 02 64 31 32 33 34 00 00 00 00";
const V2_JUNK: [Row; 4] = [
    ("auth-password", 255, "21 33 fe 01 01 01 b7 00 c0 00 02 64 34 33 32 31 00 00 00 00"),
    ("auth-type", 255, "21 33 fe 01 00 01 1e 65 c0 00 02 64 00 00 00 00 00 00 00 00"),
    ("interval-differs", 255, "21 33 fe 01 01 02 b8 fd c0 00 02 64 31 32 33 34 00 00 00 00"),
    ("ttl", 10, V2_GOOD),
];

#[test]
fn v3_junk_is_counted_and_changes_nothing() -> Result<()> {
    story("v3 junk", WITNESSES, |lab| check(lab, &Conf::fast(100), 0.1, &V3_JUNK, V3_GOOD))
}

#[test]
fn v2_junk_is_counted_and_changes_nothing() -> Result<()> {
    story("v2 junk", WITNESSES, |lab| check(lab, &Conf::v2_pass(100, "1234"), 1.0, &V2_JUNK, V2_GOOD))
}

fn check(lab: &Lab, conf: &Conf, interval: f64, rows: &[Row], good: &str) -> Result<()> {
    let castor = lab.host("castor")?;
    let witness = lab.host("witness")?;
    let neighbour = lab.host("neighbour")?;
    let node = Xvrrp::start(&castor, &conf.text())?;
    node.wait_active(INSTANCE, SLOW)?;
    let transitions = node.transitions(INSTANCE)?;
    let capture = Capture::start(&witness)?;
    for (reason, ttl, message) in rows {
        let before = dropped(&node, reason)?;
        junk::send(&neighbour, *ttl, message, TIMES)?;
        let all = format!("{message} is counted as {reason}");
        wait_until(FAST, &all, || Ok(dropped(&node, reason)? == before + u64::from(TIMES)))?;
    }
    let adverts = capture.stop()?.adverts_from(castor.address())?;
    let (mean, longest) = (mean_gap(&adverts), longest_gap(&adverts));
    ensure!((mean / interval - 1.0).abs() < 0.02, "castor advertises every {mean} s");
    ensure!(longest < interval * 3.0, "castor was silent for {longest} s: a Backup is about to take over");
    assert_eq!(node.transitions(INSTANCE)?, transitions);
    // The control: without a defect the same message does take the address away.
    junk::send(&neighbour, 255, good, 1)?;
    wait_until(FAST, "a sound message with priority 254 ends castor's reign", || {
        Ok(!node.is_active(INSTANCE)?)
    })
}

/// How many packets were dropped for this reason; status names only reasons that occurred.
fn dropped(node: &Xvrrp, reason: &str) -> Result<u64> {
    let router = node.router(INSTANCE)?;
    let dropped =
        router["counters"]["dropped"].as_object().with_context(|| format!("no counters: {router}"))?;
    Ok(dropped.get(reason).and_then(serde_json::Value::as_u64).unwrap_or(0))
}
