//! One HTML page without anything from elsewhere: figures with their distributions, timelines of ownership, growth.

use anyhow::Result;

use super::{number, plots, table};
use crate::bench::results::{Results, Series};

const STYLE: &str = "body{font:15px/1.4 sans-serif;max-width:72em;margin:2em auto;padding:0 1em;color:#222}\
    table{border-collapse:collapse;margin:.5em 0}td,th{padding:.15em .8em;text-align:right;border-bottom:1px solid #ddd}\
    td:first-child,th:first-child{text-align:left}h2{margin-top:2em}svg{max-width:100%;height:auto}\
    .late{color:#a40}pre{background:#f4f4f4;padding:1em;overflow:auto}";

/// The page.
pub(super) fn page(results: &Results) -> Result<String> {
    let mut body = String::new();
    let mut rows: Vec<(&str, &str)> = Vec::new();
    for series in &results.series {
        if !rows.contains(&(&series.scenario, &series.row)) {
            rows.push((&series.scenario, &series.row));
        }
    }
    for (scenario, row) in rows {
        body += &section(results, scenario, row)?;
    }
    body += &plots::growth(results)?;
    Ok(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>xvrrp benchmark</title><style>{STYLE}</style>\
         <h1>xvrrp benchmark</h1>{body}<h2>As text</h2><pre>{}</pre></html>\n",
        escape(&table(results))
    ))
}

fn section(results: &Results, scenario: &str, row: &str) -> Result<String> {
    let here: Vec<&Series> =
        results.series.iter().filter(|one| one.scenario == scenario && one.row == row).collect();
    let mut text = format!("<h2>{}: {}</h2>", escape(scenario), escape(row));
    let mut figures: Vec<&str> = Vec::new();
    for series in &here {
        if !figures.contains(&&*series.figure) {
            figures.push(&series.figure);
        }
    }
    for figure in figures {
        let block: Vec<&Series> = here.iter().copied().filter(|one| one.figure == figure).collect();
        text += &block_table(&block);
        text += &plots::distributions(&block)?;
    }
    let place = format!("{scenario}: {row}");
    let timelines: Vec<_> = results.timelines.iter().filter(|one| one.place == place).collect();
    if !timelines.is_empty() {
        text += &plots::ownership(&timelines)?;
    }
    Ok(text)
}

fn block_table(block: &[&Series]) -> String {
    let Some(first) = block.first() else { return String::new() };
    let mut text = format!(
        "<table><tr><th>{} {}<th>median<th>low<th>high<th>confidence<th>maximum<th>rounds<th></tr>",
        escape(&first.figure),
        escape(&first.unit)
    );
    for series in block {
        let Some(summary) = series.summary() else { continue };
        let late = if series.late == 0 { String::new() } else { format!("{} late", series.late) };
        text += &format!(
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{:.0} %<td>{}<td>{}<td class=\"late\">{late}</tr>",
            escape(&series.contestant),
            number(summary.median),
            number(summary.low),
            number(summary.high),
            summary.confidence * 100.0,
            number(summary.max),
            summary.count
        );
    }
    text + "</table>"
}

/// Text as HTML shows it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
