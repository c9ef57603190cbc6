//! Plays random schedules: ten thousand in an ordinary test run, each of them twice.

use std::{collections::BTreeMap, thread};

use vrrp_common::election::{Action, Announcement, Reason};

use crate::{schedule, world::Done};

const SCHEDULES: u64 = 10_000;

#[test]
fn random_schedules_keep_the_promises() {
    if let Some(seed) = number("XVRRP_SIM_SEED") {
        let (result, log) = schedule::run(seed, true);
        println!("{}", log.join("\n"));
        return assert_eq!(result.err(), None, "seed {seed}");
    }
    let count = number("XVRRP_SIM_SCHEDULES").unwrap_or(SCHEDULES);
    let halves = [0..count / 2, count / 2..count];
    let tallies = thread::scope(|scope| {
        let players = halves.map(|seeds| scope.spawn(|| play(seeds)));
        players.map(|player| player.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let sum = sum(tallies);
    println!("{count} schedules: {sum:?}");
    for rule in RULES {
        let times = sum.get(rule).copied().unwrap_or(0);
        assert!(times >= count / 100, "{rule}: only {times} times in {count} schedules");
    }
}

/// A rule that no schedule meets would not be tested: each applies in at least one of a hundred schedules.
const RULES: [&str; 15] = [
    "started",
    "owner",
    "adopted",
    "nothing heard",
    "silent",
    "resigned",
    "preempting",
    "outranked",
    "stalled",
    "faulted",
    "recovered",
    "shutdown",
    "losing",
    "losing silent",
    "after stall",
];

type Tally = BTreeMap<&'static str, u64>;

fn play(seeds: impl Iterator<Item = u64>) -> Tally {
    let mut tally = Tally::new();
    for seed in seeds {
        let (first, _) = schedule::run(seed, false);
        let done = first.unwrap_or_else(|broken| panic!("seed {seed}: {broken}\n{}", explain(seed)));
        let (second, _) = schedule::run(seed, false);
        assert!(second.as_ref() == Ok(&done), "(iv) seed {seed}: two runs differ");
        for Done { action, .. } in &done {
            *tally.entry(name(action)).or_default() += 1;
        }
    }
    tally
}

/// The end of the story, for the test's output.
fn explain(seed: u64) -> String {
    let (_, log) = schedule::run(seed, true);
    let last = log.len().saturating_sub(40);
    format!(
        "{}\nagain, from the start: XVRRP_SIM_SEED={seed} cargo test --test simulator",
        log[last..].join("\n")
    )
}

fn sum(tallies: impl IntoIterator<Item = Tally>) -> Tally {
    let mut sum = Tally::new();
    for (name, times) in tallies.into_iter().flatten() {
        *sum.entry(name).or_default() += times;
    }
    sum
}

fn name(action: &Action) -> &'static str {
    match action {
        Action::Transition(transition) => match transition.reason {
            Reason::Started => "started",
            Reason::Owner => "owner",
            Reason::Adopted { .. } => "adopted",
            Reason::NoAdvertisement { last: None, .. } => "nothing heard",
            Reason::NoAdvertisement { last: Some(_), .. } => "silent",
            Reason::Resigned { .. } => "resigned",
            Reason::Preempting { .. } => "preempting",
            Reason::Outranked { .. } => "outranked",
            Reason::Stalled { .. } => "stalled",
            Reason::Faulted(_) => "faulted",
            Reason::Recovered(_) => "recovered",
            Reason::GroupSteppedBack => "group stepped back",
            Reason::Asked => "asked",
            Reason::Shutdown => "shutdown",
        },
        Action::Announce(Announcement::Takeover) => "takeover",
        Action::Announce(Announcement::LosingActive) => "losing",
        Action::Announce(Announcement::LosingSilent) => "losing silent",
        Action::Announce(Announcement::AfterStall) => "after stall",
        Action::Advertise { .. } => "advertise",
        Action::Grant(_) => "grant",
        Action::Close => "close",
        Action::Acquire => "acquire",
        Action::Release => "release",
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}
