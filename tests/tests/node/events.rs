//! `xvrrp events` and the log: who was refused, who was believed, and why.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use vrrp_tests::{
    Host,
    conf::{Conf, INSTANCE},
    junk,
    peers::{Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::FAST;

/// Priority 254 for the usual router, with the checksum over the message only: valid from any address.
const BETTER: &str = "31 33 fe 01 00 0a 0e 5c c0 00 02 64";
/// For a second.
const TIMES: u32 = 25;

#[test]
fn who_was_refused_and_who_was_believed_is_told() -> Result<()> {
    story("events", &[], |lab| {
        let hosts = [lab.host("castor")?, lab.host("stranger")?, lab.host("forger")?];
        let [castor, stranger, forger] = &hosts;
        let node = Xvrrp::start(castor, &Conf::fast(100).text())?;
        node.wait_active(INSTANCE, FAST)?;
        assert_eq!(node.events()?["refusals"], Value::Array(Vec::new()));
        refuse(&node, stranger, u64::from(TIMES))?;
        refuse(&node, forger, u64::from(2 * TIMES))?;
        refuse(&node, stranger, u64::from(3 * TIMES))?;

        junk::send(forger, 255, BETTER, 1)?;
        wait_until(FAST, "castor gave way and said to whom", || {
            let reasons = node.transitions(INSTANCE)?.into_iter().map(|one| one.reason);
            Ok(reasons.into_iter().any(|reason| reason.contains("outranks us (100)")))
        })?;
        let events = node.events()?;
        let transitions = events["transitions"].as_array().context("no list of transitions")?;
        let yielded = transitions.iter().find(|one| one["from"] == "active").context("castor stayed")?;
        let reason = yielded["reason"].as_str().unwrap_or_default();
        ensure!(yielded["router"] == INSTANCE && reason.contains(&forger.address().to_string()), "{yielded}");
        let text = node.tell("events")?;
        let refused = format!("{INSTANCE}: refused 75 (ttl), the last from {}", stranger.address());
        ensure!(text.contains(&refused) && text.contains("outranks us (100)"), "{text}");
        Ok(())
    })
}

/// Sends packets that a router has forwarded: all are counted, the last is named, and each sender is logged once.
fn refuse(node: &Xvrrp, from: &Host, count: u64) -> Result<()> {
    let before = node.transitions(INSTANCE)?;
    junk::send(from, 254, BETTER, TIMES)?;
    wait_until(FAST, "all are counted", || {
        Ok(node.events()?["refusals"][0]["count"].as_u64() == Some(count))
    })?;
    let refusal = &node.events()?["refusals"][0];
    let expected = [INSTANCE, "ttl", &from.address().to_string()];
    assert_eq!(["router", "reason", "source"].map(|field| refusal[field].as_str().unwrap_or("")), expected);
    let line = format!("refused a packet from {} ", from.address());
    wait_until(FAST, "the log names the sender", || Ok(node.process().log()?.contains(&line)))?;
    assert_eq!(node.process().log()?.matches(&line).count(), 1, "once a minute is enough");
    assert_eq!(node.transitions(INSTANCE)?, before);
    Ok(())
}
