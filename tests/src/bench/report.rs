//! Telling what was found: a table for the terminal, a page with plots, and what changed between two runs.

mod compare;
mod page;
mod plots;
mod table;

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

pub(super) use compare::compare;
pub(super) use table::table;

use super::results::Results;

/// Writes report.html.
pub(super) fn write(results: &Results, directory: &Path) -> Result<()> {
    let path = directory.join("report.html");
    fs::write(&path, page::page(results)?).with_context(|| format!("writing {}", path.display()))
}

/// A number with as many digits as say something.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
