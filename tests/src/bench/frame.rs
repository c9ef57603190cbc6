//! The frame that rows are measured in: who takes part, rounds in turn, progress, the end of a run that is interrupted.
//! What a round does is not known here.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use super::{
    contestants::Contestant,
    gauge::bpf::Accounting,
    machine::Machine,
    results::{Remark, Results, Series, Timeline},
    scenarios::{IMPOSSIBLE, SCENARIOS, Scope},
};

/// A prober or generator that was later than this makes a round doubtful.
pub(super) const LATE: Duration = Duration::from_millis(10);

/// A number of a round.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// What was measured.
    pub(super) figure: String,
    /// In which unit.
    pub(super) unit: &'static str,
    /// How much.
    pub(super) value: f64,
}

impl Reading {
    /// A number of this name and unit.
    pub(super) fn new(figure: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self { figure: figure.into(), unit, value }
    }
}

/// What a round found.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Its numbers.
    pub(super) readings: Vec<Reading>,
    /// How late the prober or generator was at worst.
    pub(super) lateness: Duration,
    /// Host, and from when to when it answered, in seconds from the fault.
    pub(super) spans: Vec<(String, f64, f64)>,
}

/// One round for one contestant.
pub(super) type Act = Box<dyn Fn(&dyn Contestant) -> Result<Round>>;

/// Something that is measured for several contestants.
pub(super) struct Row {
    /// Which scenario it is of.
    pub(super) scenario: &'static str,
    /// What is special about it.
    pub(super) name: String,
    /// Who takes part, and why not if so.
    pub(super) contestants: Vec<(&'static dyn Contestant, Option<&'static str>)>,
    /// How often at most, each.
    pub(super) rounds: u32,
    /// What is done.
    pub(super) act: Act,
}

impl Row {
    fn place(&self) -> String {
        format!("{}: {}", self.scenario, self.name)
    }
}

/// The rows of a run, and how long they may take.
pub(super) struct Plan {
    rows: Vec<Row>,
    budget: Option<Duration>,
}

impl Plan {
    /// Those of all scenarios, or of `only`. Who says how many rounds there are to be gets them, however long it takes.
    pub(super) fn new(scope: Scope, only: &[String], rounds: Option<u32>) -> Self {
        let is_scenario = |word: &str| SCENARIOS.iter().any(|scenario| scenario.name == word);
        let names = |row: &Row, word: &String| {
            if is_scenario(word) { row.scenario == word } else { row.name.contains(word.as_str()) }
        };
        let wanted = |row: &Row| only.is_empty() || only.iter().any(|word| names(row, word));
        let rows = SCENARIOS.iter().flat_map(|scenario| (scenario.rows)(scope)).filter(wanted);
        Self {
            rows: rows.map(|row| Row { rounds: rounds.unwrap_or(row.rounds), ..row }).collect(),
            budget: rounds.is_none().then(|| scope.budget()),
        }
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What there is.
    pub(super) fn list(&self) -> String {
        let mut text = String::new();
        for scenario in SCENARIOS {
            text += &format!("{}: {}\n", scenario.name, scenario.about);
            for row in self.rows.iter().filter(|row| row.scenario == scenario.name) {
                let taking_part = row.contestants.iter().filter(|(_, obstacle)| obstacle.is_none());
                let names: Vec<&str> = taking_part.map(|(contestant, _)| contestant.name()).collect();
                text += &format!("  {} ({} rounds of {})\n", row.name, row.rounds, names.join(", "));
            }
        }
        text
    }

    /// Measures all of it. What was found before an interruption is found.
    pub(super) fn run(&self, quick: bool) -> Result<Results> {
        let start = Instant::now();
        let mut results = Results::new(Machine::here(), quick);
        results.left_out = self.left_out();
        heed_interrupts()?;
        let _accounting = Accounting::start()?;
        let progress = self.progress();
        self.rounds(&mut results, &progress, start);
        progress.finish_and_clear();
        results.interrupted = is_interrupted();
        results.seconds = start.elapsed().as_secs_f64();
        Ok(results)
    }

    /// A round of every row, then the next of every row: whatever ends the run, all rows have been measured nearly as
    /// often, and what the machine does meanwhile hits all of them.
    fn rounds(&self, results: &mut Results, progress: &ProgressBar, start: Instant) {
        let most = self.rows.iter().map(|row| row.rounds).max().unwrap_or_default();
        let turns = (0..most).flat_map(|number| self.rows.iter().map(move |row| (number, row)));
        let mut short: BTreeMap<String, String> = BTreeMap::new();
        for (number, row) in turns.filter(|(number, row)| *number < row.rounds) {
            if is_interrupted() {
                return;
            }
            if self.budget.is_some_and(|budget| start.elapsed() >= budget) {
                let why = || format!("the time of the run was over after {number} of {} rounds", row.rounds);
                short.entry(row.place()).or_insert_with(why);
            } else {
                row.round(results, progress);
            }
        }
        let remark = |(place, why)| Remark { place, contestant: String::new(), why };
        results.left_out.extend(short.into_iter().map(remark));
    }

    fn left_out(&self) -> Vec<Remark> {
        let impossible = IMPOSSIBLE.iter().map(|(place, why)| Remark {
            place: (*place).to_owned(),
            contestant: String::new(),
            why: (*why).to_owned(),
        });
        let absent = self.rows.iter().flat_map(|row| {
            row.contestants.iter().filter_map(|(contestant, obstacle)| {
                let why = (*obstacle)?.to_owned();
                Some(Remark { place: row.place(), contestant: contestant.name().to_owned(), why })
            })
        });
        impossible.chain(absent).collect()
    }

    fn progress(&self) -> ProgressBar {
        let rounds = self.rows.iter().map(|row| u64::from(row.rounds) * row.contestants.len() as u64).sum();
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed_precise} {wide_msg}");
        let bar = ProgressBar::new(rounds);
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    }
}

impl Row {
    /// One round of each contestant.
    fn round(&self, results: &mut Results, progress: &ProgressBar) {
        for (contestant, obstacle) in &self.contestants {
            progress.set_message(format!("{}, {}", self.place(), contestant.name()));
            progress.tick();
            if is_interrupted() {
                return;
            }
            if obstacle.is_none() {
                self.measure(*contestant, results);
            }
            progress.inc(1);
        }
    }

    fn measure(&self, contestant: &dyn Contestant, results: &mut Results) {
        match (self.act)(contestant) {
            Ok(round) => self.keep(contestant, round, results),
            Err(_) if is_interrupted() => {}
            Err(error) => results.failures.push(Remark {
                place: self.place(),
                contestant: contestant.name().to_owned(),
                why: format!("{error:#}"),
            }),
        }
    }

    fn keep(&self, contestant: &dyn Contestant, round: Round, results: &mut Results) {
        for Reading { figure, unit, value } in round.readings {
            let series = Series {
                scenario: self.scenario.to_owned(),
                row: self.name.clone(),
                contestant: contestant.name().to_owned(),
                figure,
                unit: unit.to_owned(),
                samples: vec![value],
                late: usize::from(round.lateness > LATE),
            };
            match results.series.iter_mut().find(|known| known.is_of(&series)) {
                Some(known) => {
                    known.samples.push(value);
                    known.late += series.late;
                }
                None => results.series.push(series),
            }
        }
        let (place, contestant) = (self.place(), contestant.name().to_owned());
        let known = |one: &Timeline| one.place == place && one.contestant == contestant;
        if !round.spans.is_empty() && !results.timelines.iter().any(known) {
            results.timelines.push(Timeline { place, contestant, spans: round.spans });
        }
    }
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The first SIGINT or SIGTERM ends the round and shows what there is; the second ends the program. Hosts, their programs and
/// links live no longer than it in either case.
fn heed_interrupts() -> Result<()> {
    extern "C" fn note(_: i32) {
        INTERRUPTED.store(true, Ordering::Relaxed);
    }
    let action = SigAction::new(SigHandler::Handler(note), SaFlags::SA_RESETHAND, SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        // SAFETY: the handler does nothing but store a flag.
        unsafe { sigaction(signal, &action) }.with_context(|| format!("handling {signal}"))?;
    }
    Ok(())
}

fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Lets a time pass; an interrupt is an error at once.
pub(super) fn pass(time: Duration) -> Result<()> {
    const STEP: Duration = Duration::from_millis(50);
    let end = Instant::now() + time;
    loop {
        if is_interrupted() {
            bail!("interrupted");
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(STEP));
    }
}
