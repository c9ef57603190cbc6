//! What changed from one run to another beyond the noise that both state.

use super::number;
use crate::bench::{
    results::{Results, Series},
    stats::Summary,
};

/// What any two runs may differ by: where the machine puts memory and threads changes from run to run, not from round
/// to round.
const BETWEEN_RUNS: f64 = 0.1;
/// By how many times its own width an interval of so many rounds, from two on, is widened on either side. Two intervals
/// of three rounds each, of the same thing, do not touch one time in ten; widened, one time in a thousand (Student's t),
/// and a run has hundreds of figures. From six rounds on that is so without.
const UNSEEN: [f64; 4] = [10.0, 1.5, 0.5, 0.2];
/// The unit of what is counted: one event more or less is noise.
const COUNTED: &str = "/min";
/// The contestant that ratios are made to, in a block that has it.
const REFERENCE: &str = "keepalived";

/// A text that says it. Figures are compared, and their ratios to keepalived's of the same run.
pub(in crate::bench) fn compare(old: &Results, new: &Results) -> String {
    let mut text = String::new();
    let mut compared = 0;
    let mut differing = 0;
    for (title, make) in [("figures", summary as Make), ("ratios to keepalived", ratio)] {
        let mut lines = String::new();
        for series in &old.series {
            let Some(later) = new.series.iter().find(|one| one.is_of(series)) else { continue };
            let (Some(before), Some(after)) = (make(old, series), make(new, later)) else { continue };
            compared += 1;
            if before.differs(after) {
                differing += 1;
                lines += &line(series, before, after);
            }
        }
        if !lines.is_empty() {
            text += &format!("{title}:\n{lines}");
        }
    }
    let only = |a: &Results, b: &Results| {
        a.series.iter().filter(|one| !b.series.iter().any(|other| other.is_of(one))).count()
    };
    format!(
        "{text}{compared} compared, {differing} differ beyond the noise; only in the old run {}, only in the new one {}",
        only(old, new),
        only(new, old)
    )
}

type Make = fn(&Results, &Series) -> Option<Range>;

#[derive(Clone, Copy, Debug)]
struct Range {
    median: f64,
    low: f64,
    high: f64,
}

impl Range {
    fn differs(self, other: Self) -> bool {
        let slack = BETWEEN_RUNS * self.median.abs().max(other.median.abs());
        self.high + slack < other.low || other.high + slack < self.low
    }
}

/// One round says nothing of the noise: its figures are not compared.
fn summary(_: &Results, series: &Series) -> Option<Range> {
    let Summary { count, median, low, high, .. } = series.summary()?;
    let unseen = (high - low) * UNSEEN.get(count.checked_sub(2)?).unwrap_or(&0.0) + one_event(series);
    // Nothing that is measured is below zero.
    Some(Range { median, low: (low - unseen).max(low.min(0.0)), high: high + unseen })
}

/// What one event in one round makes of a figure that counts.
fn one_event(series: &Series) -> f64 {
    let counted = series.samples.iter().copied().filter(|sample| *sample > 0.0 && series.unit == COUNTED);
    counted.reduce(f64::min).unwrap_or_default()
}

fn ratio(results: &Results, series: &Series) -> Option<Range> {
    let reference = |one: &&Series| one.is_beside(series) && one.contestant == REFERENCE;
    let reference = summary(results, results.series.iter().find(reference)?)?;
    let own = summary(results, series)?;
    (series.contestant != REFERENCE && reference.low > 0.0).then(|| Range {
        median: own.median / reference.median,
        low: own.low / reference.high,
        high: own.high / reference.low,
    })
}

fn line(series: &Series, before: Range, after: Range) -> String {
    let Series { scenario, row, contestant, figure, .. } = series;
    let tell =
        |range: Range| format!("{} [{} .. {}]", number(range.median), number(range.low), number(range.high));
    format!("  {scenario}: {row}: {figure}, {contestant}: {} -> {}\n", tell(before), tell(after))
}
