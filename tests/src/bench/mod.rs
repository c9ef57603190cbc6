//! The benchmark: our node by each of its datapaths beside keepalived and FRR, taken in turn in one run on one machine.
//! `scenarios` declare what is done and measured, `frame` does it, `gauge` measures, `report` tells.

mod contestants;
mod frame;
mod gauge;
mod machine;
mod play;
mod report;
mod results;
mod routers;
mod scenarios;
mod stats;

use std::{
    io::{Write as _, stdout},
    path::PathBuf,
};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};

use frame::Plan;
use results::Results;
use scenarios::Scope;

/// Numbers of our node, by each of its datapaths, beside keepalived's and FRR's.
#[derive(Debug, Parser)]
#[command(name = "bench", version, args_conflicts_with_subcommands = true)]
pub struct Bench {
    #[command(subcommand)]
    command: Option<Command>,
    /// A few telling rows instead of all: minutes, not an hour
    #[arg(long)]
    quick: bool,
    /// Only these scenarios, or rows whose names contain the words
    #[arg(long, num_args = 1.., value_name = "NAME")]
    only: Vec<String>,
    /// Rounds of each contestant, taken in turn [default: by row]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Say what there is, and run nothing
    #[arg(long)]
    list: bool,
    /// Where results.json, results.csv and report.html go
    #[arg(long, default_value_os_t = default_output())]
    output: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What changed from one results.json to another beyond the noise that they state
    Compare {
        /// An earlier results.json
        old: PathBuf,
        /// A later one
        new: PathBuf,
    },
    /// The table of a results.json, and its report.html beside it, once more
    Report {
        /// A results.json
        results: PathBuf,
    },
}

impl Bench {
    /// Runs it and prints what it found.
    pub fn run(&self) -> Result<()> {
        match &self.command {
            Some(Command::Compare { old, new }) => {
                return print(&report::compare(&Results::read(old)?, &Results::read(new)?));
            }
            Some(Command::Report { results }) => {
                let directory = results.parent().context("a file is in a directory")?;
                let results = Results::read(results)?;
                report::write(&results, directory)?;
                return print(&report::table(&results));
            }
            None => {}
        }
        let scope = if self.quick { Scope::Quick } else { Scope::Full };
        let plan = Plan::new(scope, &self.only, self.rounds);
        if self.list {
            return print(&plan.list());
        }
        ensure!(!plan.is_empty(), "no row is named {:?}; --list says which there are", self.only.join(" "));
        let results = plan.run(self.quick)?;
        results.write(&self.output)?;
        report::write(&results, &self.output)?;
        print(&report::table(&results))?;
        print(&format!("\n{} has results.json, results.csv and report.html", self.output.display()))
    }
}

fn default_output() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench"))
}

fn print(text: &str) -> Result<()> {
    writeln!(stdout(), "{text}").context("printing")
}
