//! What the checksum of VRRPv3 over IPv4 covers: each form is spoken when asked for, and `auto` speaks the peer's.

use anyhow::{Result, ensure};
use vrrp_tests::{
    conf::{Conf, INSTANCE},
    junk,
    peers::{Keepalived, Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::{CASTOR_MAC, FAST, PEERS, POLLUX_MAC, Pair, WITNESSES};

/// Priority 254 with the checksum over the message only.
const MESSAGE_FORM: &str = "31 33 fe 01 00 0a 0e 5c c0 00 02 64";

#[test]
fn the_checksum_form_of_a_peer_is_spoken_back() -> Result<()> {
    story("checksum forms", WITNESSES, |lab| {
        let pair = Pair::new(lab)?;
        let neighbour = lab.host("neighbour")?;
        let capture = pair.watch()?;
        let castor = Xvrrp::start(&pair.castor, &Conf::fast(100).text())?;
        castor.wait_active(INSTANCE, FAST)?;
        assert_eq!(checksum(&castor)?, ["auto", "pseudo"]);
        junk::send(&neighbour, 255, MESSAGE_FORM, 1)?;
        wait_until(FAST, "castor yielded and returned", || {
            Ok(castor.counter(INSTANCE, "became_active")? == 2)
        })?;
        let sent = castor.counter(INSTANCE, "sent")?;
        wait_until(FAST, "castor advertised again", || Ok(castor.counter(INSTANCE, "sent")? >= sent + 5))?;
        assert_eq!(castor.counter(INSTANCE, "checksum_message")?, 1);
        assert_eq!(checksum(&castor)?, ["auto", "message"]);
        let [message, pseudo] = capture.stop()?.checksum_forms(CASTOR_MAC)?;
        ensure!(message >= 5 && pseudo >= 1, "{message} over the message, {pseudo} with pseudo-header");
        Ok(())
    })
}

/// keepalived 2.2.7 does not know the word yet, so both are ours: castor speaks the RFC's form from its first
/// advertisement, and pollux, which has learnt it, from its own first one.
#[test]
fn v3_checksum_as_v2_is_spoken_from_the_first_advertisement() -> Result<()> {
    story("v3_checksum_as_v2", WITNESSES, |lab| {
        let pair = Pair::new(lab)?;
        let capture = pair.watch()?;
        let castor = Xvrrp::start(&pair.castor, &Conf::fast(150).and("v3_checksum_as_v2").text())?;
        pair.wait_owners(&["castor"], FAST)?;
        let pollux = Xvrrp::start(&pair.pollux, &Conf::fast(100).text())?;
        wait_until(FAST, "pollux hears castor", || Ok(pollux.counter(INSTANCE, "accepted")? >= 3))?;
        assert_eq!(checksum(&castor)?, ["message", "message"]);
        assert_eq!(checksum(&pollux)?, ["auto", "message"]);
        castor.shut_down()?;
        pair.wait_owners(&["pollux"], FAST)?;
        pair.owners_stay(&["pollux"])?;
        let recording = capture.stop()?;
        for mac in [CASTOR_MAC, POLLUX_MAC] {
            let [message, pseudo] = recording.checksum_forms(mac)?;
            ensure!(message > 0 && pseudo == 0, "{mac}: {message} over the message, {pseudo} otherwise");
        }
        Ok(())
    })
}

/// With `message` keepalived, which insists on the pseudo-header, does not hear us and there are two owners; `auto` and
/// `pseudo` suit it.
#[test]
fn a_form_that_is_demanded_is_kept_and_auto_suits_keepalived() -> Result<()> {
    story("a demanded checksum", PEERS, |lab| {
        let pair = Pair::new(lab)?;
        let pollux = Keepalived::start(&pair.pollux, &Conf::fast(100).text())?;
        pollux.wait_active(INSTANCE, FAST)?;
        let castor = Xvrrp::start(&pair.castor, &Conf::fast(150).and("checksum message").text())?;
        pair.wait_owners(&["castor", "pollux"], FAST)?;
        wait_until(FAST, "castor heard pollux", || Ok(castor.counter(INSTANCE, "checksum_pseudo")? >= 3))?;
        pair.owners_stay(&["castor", "pollux"])?;
        assert_eq!(checksum(&castor)?, ["message", "message"]);
        castor.shut_down()?;
        for choice in ["auto", "pseudo"] {
            let conf = Conf::fast(150).and(&format!("checksum {choice}")).text();
            let castor = Xvrrp::start(&pair.castor, &conf)?;
            pair.wait_owners(&["castor"], FAST)?;
            pair.owners_stay(&["castor"])?;
            assert_eq!(checksum(&castor)?, [choice, "pseudo"]);
            castor.shut_down()?;
            pair.wait_owners(&["pollux"], FAST)?;
        }
        Ok(())
    })
}

/// The form that is configured, and the one that is sent.
fn checksum(node: &Xvrrp) -> Result<[String; 2]> {
    let checksum = &node.router(INSTANCE)?["checksum"];
    Ok(["configured", "sent"].map(|field| checksum[field].as_str().unwrap_or_default().to_owned()))
}
