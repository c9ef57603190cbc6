//! The spawner with real processes. One thread: each case forks its own spawner, as `main` does.
//!
//! `cargo test --test spawner -- WORD` runs the cases whose names contain WORD.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a test harness")]

mod end;
mod outcomes;
mod rights;
mod schedule;
mod support;
mod timeouts;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::Instant,
};

type Case = (&'static str, fn());

const CASES: [&[Case]; 5] = [outcomes::CASES, timeouts::CASES, end::CASES, schedule::CASES, rights::CASES];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == end::DAEMON) {
        end::be_daemon();
    }
    let wanted = |name: &str| {
        let mut words = words.iter().filter(|word| !word.starts_with('-')).peekable();
        words.peek().is_none() || words.any(|word| name.contains(word.as_str()))
    };
    let mut failed = Vec::new();
    for (name, case) in CASES.concat().into_iter().filter(|(name, _)| wanted(name)) {
        let start = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(case));
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        println!("test {name} ... {verdict} ({:.2} s)", start.elapsed().as_secs_f64());
        failed.extend(result.is_err().then_some(name));
    }
    match failed.as_slice() {
        [] => ExitCode::SUCCESS,
        names => {
            eprintln!("failed: {}", names.join(", "));
            ExitCode::FAILURE
        }
    }
}
