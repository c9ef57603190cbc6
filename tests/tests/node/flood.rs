//! A neighbour that floods: whatever it sends that VRRP need not believe, nobody changes his state and the Active keeps
//! its pace. How much it costs is the benchmark's question.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use vrrp_tests::{
    conf::{ADDRESS, Conf, INSTANCE},
    holds_for,
    lab::binary,
    peers::{Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::{FAST, Pair};

/// Packets a second.
const RATE: u32 = 5000;
const FOR: Duration = Duration::from_secs(1);
/// The interval of the routers, and how much of it an answer may follow the last one.
const INTERVAL: f64 = 0.1;

/// What is sent, and whether RFC 9568 §6.4.3 asks an Active to answer: then it does, once in half an interval at most.
const FLOODS: [(&str, bool); 5] =
    [("junk", false), ("unknown", false), ("losing", true), ("alternating", true), ("farewell", true)];

#[test]
fn no_flood_changes_a_state_or_the_pace() -> Result<()> {
    story("floods", &[], |lab| {
        let pair = Pair::new(lab)?;
        let flooder = lab.host("flooder")?;
        let castor = Xvrrp::start(&pair.castor, &Conf::fast(200).text())?;
        castor.wait_active(INSTANCE, FAST)?;
        let pollux = Xvrrp::start(&pair.pollux, &Conf::fast(199).text())?;
        wait_until(FAST, "pollux hears castor", || Ok(pollux.counter(INSTANCE, "accepted")? > 0))?;
        let before = [castor.transitions(INSTANCE)?, pollux.transitions(INSTANCE)?];
        let (probe, number) =
            (binary("lab-probe")?.to_string_lossy().into_owned(), flooder.number().to_string());
        let rate = RATE.to_string();
        for (kind, is_answered) in FLOODS {
            let begin = (Instant::now(), castor.counter(INSTANCE, "sent")?);
            let vrid = if kind == "unknown" { "77" } else { "51" };
            let flood = flooder.spawn(
                kind,
                &[
                    &probe,
                    "send",
                    "--kind",
                    kind,
                    "--rate",
                    &rate,
                    "--vrids",
                    vrid,
                    vrid,
                    "--interval",
                    "100",
                    "--host",
                    &number,
                ],
            )?;
            holds_for(FOR, &format!("{kind}: castor alone owns"), || Ok(lab.owners(ADDRESS)? == ["castor"]))?;
            let sent = castor.counter(INSTANCE, "sent")? - begin.1;
            let intervals = begin.0.elapsed().as_secs_f64() / INTERVAL;
            flood.signal_group(Signal::SIGTERM)?;
            let most = if is_answered { intervals * 3.0 } else { intervals } + 3.0;
            ensure!(
                (intervals - 3.0..=most).contains(&(sent as f64)),
                "{kind}: castor advertised {sent} times in {intervals:.1} intervals"
            );
            wait_until(FAST, &format!("{kind} has ended"), || Ok(flood.exit()?.is_some()))?;
            let frames: u64 =
                flood.log()?.split("\"frames\":").nth(1).and_then(number_of).context("no count")?;
            ensure!(frames > u64::from(RATE) / 5, "{kind}: only {frames} packets left");
            assert_eq!([castor.transitions(INSTANCE)?, pollux.transitions(INSTANCE)?], before, "{kind}");
        }
        Ok(())
    })
}

fn number_of(text: &str) -> Option<u64> {
    text.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}
