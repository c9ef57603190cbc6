//! What a run found, as it is kept: every sample, with the rounds that are to be doubted. docs/BENCHMARKS.md explains
//! the file.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{machine::Machine, stats::Summary};

/// The layout of results.json; another number is another layout.
const SCHEMA: u32 = 1;

/// A run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Results {
    /// [`SCHEMA`].
    pub(super) schema: u32,
    /// Where it ran.
    pub(super) machine: Machine,
    /// Whether it was a quick one.
    pub(super) quick: bool,
    /// Seconds that it took.
    pub(super) seconds: f64,
    /// Whether somebody ended it before its end.
    pub(super) interrupted: bool,
    /// The figures, in the order of measuring.
    pub(super) series: Vec<Series>,
    /// Rounds that failed, and why.
    pub(super) failures: Vec<Remark>,
    /// Who did not take part in a row, and why; what cannot be produced on this machine.
    pub(super) left_out: Vec<Remark>,
    /// Who owned the address when, for one round of each row and contestant.
    pub(super) timelines: Vec<Timeline>,
}

/// A figure of one contestant in one row.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Series {
    /// Scenario.
    pub(super) scenario: String,
    /// Row of it.
    pub(super) row: String,
    /// Contestant.
    pub(super) contestant: String,
    /// What was measured.
    pub(super) figure: String,
    /// In which unit.
    pub(super) unit: String,
    /// One a round.
    pub(super) samples: Vec<f64>,
    /// How many of them are of rounds whose prober or generator was late: see [`super::frame::LATE`].
    pub(super) late: usize,
}

/// A word on a contestant in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remark {
    /// Scenario and row.
    pub(super) place: String,
    /// Contestant; all if empty.
    pub(super) contestant: String,
    /// What there is to say.
    pub(super) why: String,
}

/// Who answered when.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Timeline {
    /// Scenario and row.
    pub(super) place: String,
    /// Contestant.
    pub(super) contestant: String,
    /// Host, and from when to when it answered, in seconds from the fault.
    pub(super) spans: Vec<(String, f64, f64)>,
}

impl Series {
    /// What they say together.
    pub(super) fn summary(&self) -> Option<Summary> {
        Summary::of(&self.samples)
    }

    /// Whether it is the same figure of the same contestant.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.is_beside(other) && self.contestant == other.contestant
    }

    /// Whether it is the same figure, of whichever contestant.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        (&self.scenario, &self.row, &self.figure) == (&other.scenario, &other.row, &other.figure)
    }
}

impl Results {
    /// Of nothing yet.
    pub(super) fn new(machine: Machine, quick: bool) -> Self {
        Self {
            schema: SCHEMA,
            machine,
            quick,
            seconds: 0.0,
            interrupted: false,
            series: Vec::new(),
            failures: Vec::new(),
            left_out: Vec::new(),
            timelines: Vec::new(),
        }
    }

    /// Reads a results.json.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let results: Self =
            serde_json::from_str(&text).with_context(|| format!("{} is no results.json", path.display()))?;
        ensure!(
            results.schema == SCHEMA,
            "{} has layout {}; this program reads {SCHEMA}",
            path.display(),
            results.schema
        );
        Ok(results)
    }

    /// Writes results.json and results.csv.
    pub(super) fn write(&self, directory: &Path) -> Result<()> {
        fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
        let json = serde_json::to_string_pretty(self).context("writing JSON")?;
        for (name, text) in [("results.json", json), ("results.csv", self.csv())] {
            let path = directory.join(name);
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }

    fn csv(&self) -> String {
        let mut text =
            "scenario,row,contestant,figure,unit,count,median,max,low,high,confidence,late\n".to_owned();
        for series in &self.series {
            let Some(Summary { count, median, max, low, high, confidence }) = series.summary() else {
                continue;
            };
            let Series { scenario, row, contestant, figure, unit, late, .. } = series;
            let words = [scenario, row, contestant, figure, unit].map(|word| format!("\"{word}\"")).join(",");
            let written =
                writeln!(text, "{words},{count},{median},{max},{low},{high},{confidence:.4},{late}");
            debug_assert!(written.is_ok(), "a String takes all text");
        }
        text
    }
}
