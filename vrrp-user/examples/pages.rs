//! Writes the manual pages and the shell completions of `xvrrp` into a folder, from the definitions of its command line.
//! `cargo xtask dist` runs it; the program itself does not carry what is needed for that.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::{CommandFactory, ValueEnum};
use clap_complete::{Shell, generate_to};
use vrrp_user::cli::Cli;

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).context("name the folder to write to")?);
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    for folder in [&man, &completions] {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    clap_mangen::generate_to(Cli::command(), &man).context("writing the manual pages")?;
    to_section_8(&man)?;
    for shell in Shell::value_variants() {
        generate_to(*shell, &mut Cli::command(), "xvrrp", &completions)
            .with_context(|| format!("writing the completions for {shell}"))?;
    }
    Ok(())
}

/// A daemon's pages belong in section 8; clap writes them for section 1.
fn to_section_8(man: &PathBuf) -> Result<()> {
    for entry in fs::read_dir(man).context("reading the manual pages")? {
        let path = entry.context("reading the manual pages")?.path();
        if path.extension().is_none_or(|section| section != "1") {
            continue;
        }
        let page = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let page = in_section_8(&page);
        fs::write(path.with_extension("8"), page).with_context(|| format!("writing {}", path.display()))?;
        fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}

/// The heading and the references to other pages.
fn in_section_8(page: &str) -> String {
    let lines = page.lines().map(|line| {
        let line = if line.starts_with(".TH ") { line.replacen(" 1 ", " 8 ", 1) } else { line.to_owned() };
        line.replace("(1)", "(8)") + "\n"
    });
    lines.collect()
}
