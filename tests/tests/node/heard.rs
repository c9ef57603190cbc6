//! What sound advertisements teach a node: an interval, another list; and what they must not.

use anyhow::{Context as _, Result, ensure};
use vrrp_tests::{
    conf::{ADDRESS, Conf, INSTANCE},
    holds_for, junk,
    peers::Xvrrp,
    story, wait_until,
};

use crate::pair::{A_WHILE, FAST, Pair, SLOW};

/// RFC 9568 §6.1: at 0.5 s and priority 100, `Skew_Time` is 304.6875 ms and `Active_Down_Interval` 1804.6875 ms;
/// with its own 0.1 s pollux would take over after 360.9 ms.
#[test]
fn an_interval_is_learned_from_the_active() -> Result<()> {
    story("another interval", &[], |lab| {
        let pair = Pair::new(lab)?;
        let pollux = Xvrrp::start(&pair.pollux, &Conf::fast(100).text())?;
        let castor = pair.start_castor(&Conf::fast(150))?;
        pair.wait_owners(&["castor"], FAST)?;
        assert_eq!(timers(&pollux)?, [100.0, 100.0, 60.937, 360.937]);

        castor.shut_down()?;
        pair.wait_owners(&["pollux"], FAST)?;
        let _castor = pair.start_castor(&Conf::v3(150, "0.5"))?;
        pair.wait_owners(&["castor"], FAST)?;
        assert_eq!(timers(&pollux)?, [100.0, 500.0, 304.687, 1804.687]);
        let transitions = pollux.transitions(INSTANCE)?;
        pair.owners_stay(&["castor"])?;
        assert_eq!(pollux.transitions(INSTANCE)?, transitions);
        Ok(())
    })
}

/// Milliseconds: `Advertisement_Interval`, `Active_Adver_Interval`, `Skew_Time`, `Active_Down_Interval`.
fn timers(node: &Xvrrp) -> Result<[f64; 4]> {
    let timers = &node.router(INSTANCE)?["timers"];
    let names =
        ["advertisement_interval_ms", "active_adver_interval_ms", "skew_time_ms", "active_down_interval_ms"];
    Ok(names.map(|name| timers[name].as_f64().unwrap_or(f64::NAN)))
}

#[test]
fn another_address_list_is_counted_and_accepted() -> Result<()> {
    let v2 = |priority| Conf::v2_pass(priority, "1234");
    for (name, conf) in [("v3 lists", Conf::fast as fn(u8) -> Conf), ("v2 lists", v2)] {
        story(name, &[], |lab| {
            let pair = Pair::new(lab)?;
            let _castor = pair.start_castor(&conf(101).moving(&[ADDRESS, "192.0.2.101"]))?;
            pair.wait_owners(&["castor"], SLOW)?;
            let pollux = Xvrrp::start(&pair.pollux, &conf(100).text())?;
            wait_until(SLOW, "pollux heard three advertisements", || {
                Ok(pollux.counter(INSTANCE, "accepted")? >= 3)
            })?;
            pair.owners_stay(&["castor"])?;
            ensure!(pollux.counter(INSTANCE, "differing_list")? >= 3, "{}", pollux.router(INSTANCE)?);
            let peer = &pollux.router(INSTANCE)?["peers"][0];
            assert_eq!(peer["lists_besides"].to_string(), r#"["192.0.2.101"]"#, "{peer}");
            let said = pair.pollux.logs();
            ensure!(said.contains("192.0.2.1 lists 192.0.2.101 besides"), "{said}");
            assert_eq!(pollux.dropped(INSTANCE, "address-list")?, 0);
            assert_eq!(pollux.counter(INSTANCE, "became_active")?, 0);
            Ok(())
        })?;
    }
    Ok(())
}

/// From 192.0.2.3, with the pseudo-header in the checksum.
const RESIGNED: &str = "31 33 00 01 00 0a 69 ca c0 00 02 64";

/// `Skew_Time` of priority 200 is 218.75 ms, and castor answers priority 0 at most every 500 ms: obeyed, one of
/// these would make a second owner.
#[test]
fn priority_zero_from_a_stranger_shortens_nothing() -> Result<()> {
    story("a stranger resigns", &[], |lab| {
        let pair = Pair::new(lab)?;
        let stranger = lab.host("stranger")?;
        let _castor = pair.start_castor(&Conf::v3(201, "1"))?;
        pair.wait_owners(&["castor"], SLOW)?;
        let pollux = Xvrrp::start(&pair.pollux, &Conf::v3(200, "1").text())?;
        wait_until(SLOW, "pollux heard castor", || Ok(pollux.counter(INSTANCE, "accepted")? > 0))?;
        junk::send(&stranger, 255, RESIGNED, 25)?;
        wait_until(FAST, "pollux heard the stranger", || Ok(pollux.counter(INSTANCE, "resigned")? == 25))?;
        holds_for(A_WHILE, "castor alone owns", || Ok(lab.owners(ADDRESS)? == ["castor"]))?;
        assert_eq!(pollux.counter(INSTANCE, "became_active")?, 0);
        assert_eq!(peer(&pollux, "192.0.2.1")?[..2], [201.0, 1000.0]);
        assert_eq!(peer(&pollux, "192.0.2.3")?, [0.0, 100.0, 25.0]);
        Ok(())
    })
}

/// What `status` says of another router: priority, interval in milliseconds, advertisements.
fn peer(node: &Xvrrp, address: &str) -> Result<[f64; 3]> {
    let router = node.router(INSTANCE)?;
    let peers = router["peers"].as_array().context("no peers")?;
    let peer = peers.iter().find(|peer| peer["address"] == address).context(router.to_string())?;
    let names = ["priority", "advertisement_interval_ms", "advertisements"];
    Ok(names.map(|name| peer[name].as_f64().unwrap_or(f64::NAN)))
}
