//! Measurements that ordinary tests must not make: numbers of our node beside keepalived's, taken in turn in
//! one run on one machine. What is measured is in a file of its own each.

mod addresses;
mod outage;

use std::{
    io::{Write as _, stdout},
    time::Duration,
};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use crate::scenario::Make;

/// The two that are compared.
const MAKES: [Make; 2] = [Make::Xvrrp, Make::Keepalived];

/// Numbers of our node beside keepalived's.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
pub struct Bench {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How long a client gets no answer when the Active's link is cut
    Outage(outage::Outage),
    /// Whether advertisements leave on time while a new Active takes many addresses
    Addresses(addresses::Addresses),
}

impl Bench {
    /// Runs it and prints what it found.
    pub fn run(&self) -> Result<()> {
        match &self.command {
            Command::Outage(outage) => outage.run(),
            Command::Addresses(addresses) => addresses.run(),
        }
    }
}

/// Middle and worst of some durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spread {
    median: Duration,
    worst: Duration,
}

impl Spread {
    /// `None` of nothing. With an even count the lower of the two in the middle is the median.
    fn of(mut durations: Vec<Duration>) -> Option<Self> {
        durations.sort();
        let median = *durations.get(durations.len().saturating_sub(1) / 2)?;
        Some(Self { median, worst: *durations.last()? })
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}

fn print(line: &str) -> Result<()> {
    writeln!(stdout(), "{line}").context("printing")
}
