//! The table for the terminal: a block for each figure, a line for each contestant, losing ones as plain as winning.

use super::number;
use crate::bench::{
    results::{Remark, Results, Series},
    stats::Summary,
};

/// All figures, then what failed and what was left out.
pub(in crate::bench) fn table(results: &Results) -> String {
    let mut text = head(results);
    let mut before: Option<&Series> = None;
    for first in &results.series {
        if results.series.iter().find(|one| one.is_beside(first)).is_some_and(|one| !one.is_of(first)) {
            continue; // told with the first of its block
        }
        if before.is_none_or(|before| (&before.scenario, &before.row) != (&first.scenario, &first.row)) {
            text += &format!("\n{}: {}\n", first.scenario, first.row);
        }
        text += &block(results, first);
        before = Some(first);
    }
    text + &remarks("failed rounds", &results.failures) + &remarks("left out", &results.left_out)
}

fn head(results: &Results) -> String {
    let machine = &results.machine;
    let state = if results.interrupted { ", interrupted" } else { "" };
    format!(
        "{} x {}, Linux {}\n{}; {}\n{:.0} s{state}. median [between which it lies, and how surely] maximum\n",
        machine.processors,
        machine.processor,
        machine.kernel,
        machine.xvrrp,
        machine.keepalived,
        results.seconds
    )
}

fn block(results: &Results, first: &Series) -> String {
    let unit = if first.unit.is_empty() { String::new() } else { format!(", {}", first.unit) };
    let lines = results.series.iter().filter(|one| one.is_beside(first)).filter_map(line);
    format!("  {}{unit}\n{}", first.figure, lines.collect::<String>())
}

fn line(series: &Series) -> Option<String> {
    let Summary { count, median, max, low, high, confidence } = series.summary()?;
    let late = if series.late == 0 { String::new() } else { format!("  {} late", series.late) };
    let interval = format!("[{} .. {}, {:.0} %]", number(low), number(high), confidence * 100.0);
    Some(format!(
        "    {:<17} {:>9} {interval:<28} {:>9}  of {count}{late}\n",
        series.contestant,
        number(median),
        number(max)
    ))
}

fn remarks(title: &str, remarks: &[Remark]) -> String {
    if remarks.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{title}:\n");
    for Remark { place, contestant, why } in remarks {
        let who = if contestant.is_empty() { String::new() } else { format!(", {contestant}") };
        text += &format!("  {place}{who}: {}\n", why.lines().next().unwrap_or_default());
    }
    text
}
