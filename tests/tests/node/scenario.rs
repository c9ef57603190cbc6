//! The five steps of the scenario, with every mix of makes: the address follows the web servers.

use anyhow::Result;
use vrrp_tests::{
    conf::ADDRESS,
    peers::http_get,
    scenario::{Make, STEP_LIMIT, STEPS, Stage},
    story, wait_until,
    witness::Capture,
};

use crate::pair::{CASTOR_MAC, POLLUX_MAC};

fn five_steps(name: &str, makes: [Make; 2]) -> Result<()> {
    story(name, &["keepalived", "nginx-light", "psmisc", "tcpdump", "tshark"], |lab| {
        let mut stage = Stage::new(lab, makes)?;
        let capture = Capture::start(&stage.client)?;
        for step in &STEPS {
            stage.perform(step)?;
            wait_until(STEP_LIMIT, &format!("{}: {} owns it", step.title, step.owner), || {
                stage.is_settled(step)
            })?;
            assert_eq!(http_get(&stage.client, ADDRESS)?, step.answer, "{}", step.title);
        }
        let recording = capture.stop()?;
        let mut speakers: Vec<_> =
            recording.adverts()?.iter().map(|advert| advert.source.to_string()).collect();
        speakers.dedup();
        let expected = ["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.2", "192.0.2.1"];
        // Two that start at once may both speak first: their timers differ by 4 ms, their starts by more.
        assert!(speakers.ends_with(&expected.map(str::to_owned)), "who advertised in turn: {speakers:?}");
        assert_eq!(recording.complaints(CASTOR_MAC)?, "");
        assert_eq!(recording.complaints(POLLUX_MAC)?, "");
        Ok(())
    })
}

#[test]
fn five_steps_of_two_nodes() -> Result<()> {
    five_steps("five steps, two xvrrp", [Make::Xvrrp, Make::Xvrrp])
}

#[test]
fn five_steps_with_keepalived_as_pollux() -> Result<()> {
    five_steps("five steps, xvrrp and keepalived", [Make::Xvrrp, Make::Keepalived])
}

#[test]
fn five_steps_with_keepalived_as_castor() -> Result<()> {
    five_steps("five steps, keepalived and xvrrp", [Make::Keepalived, Make::Xvrrp])
}

/// Proves the story itself: this is what operators have today.
#[test]
fn five_steps_of_two_keepalived() -> Result<()> {
    five_steps("five steps, two keepalived", [Make::Keepalived, Make::Keepalived])
}
