//! The pages about the configuration that are made from the keyword tables: `docs/keywords.md` and
//! `docs/keepalived-differences.md`.

use std::fmt::Write;

use super::keywords::{DIFFERENCES, KeywordRow, keyword_rows};

/// What stands above generated text.
const GENERATED: &str =
    "<!-- Made from the keyword tables: `UPDATE_DOCS=1 cargo test -p vrrp-user --test pages` -->\n";

/// Every keyword of every block.
pub fn keywords_page() -> String {
    let mut page = format!("# Keywords\n\n{GENERATED}\n{INTRODUCTION}\n");
    let rows = keyword_rows();
    let mut block = "";
    for row in &rows {
        if row.block != block {
            block = row.block;
            // Writing to a string cannot fail.
            let _ = write!(
                page,
                "\n## {}\n\n| keyword | values | default | meaning |\n|---|---|---|---|\n",
                title(block)
            );
        }
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            row.name,
            code(&row.grammar),
            cell(row.default),
            meaning(row)
        );
    }
    page
}

const INTRODUCTION: &str = "\
The language is keepalived.conf: keywords, defaults and meanings are keepalived's, except for what
[keepalived-differences.md](keepalived-differences.md) lists. A keyword *works*, or is read and **has no effect
here** (said once when the file is read), or is **refused**, because without it another host might own the address.
`datapath`, `tc_hook`, `accept_from` and `checksum` are our own.
";

fn title(block: &str) -> String {
    if block.contains(' ') { block.to_owned() } else { format!("`{block}`") }
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", cell(text)) }
}

/// A `|` would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn meaning(row: &KeywordRow) -> String {
    match row.class {
        "accepted" => format!("{}. **No effect here**: {}", cell(row.doc), cell(row.reason)),
        "refused" => format!("**Refused**: {}. {}", cell(row.doc), cell(row.reason)),
        _ => cell(row.doc),
    }
}

/// What is not as in keepalived.
pub fn differences_page() -> String {
    let mut page = format!("# Differences from keepalived\n\n{GENERATED}\n{WHAT_DIFFERS}\n");
    page.push_str("\n| | keepalived | here | why |\n|---|---|---|---|\n");
    for difference in DIFFERENCES {
        let [what, there, here, why] = difference.map(cell);
        let _ = writeln!(page, "| {what} | {there} | {here} | {why} |");
    }
    for (class, heading, text, column) in
        [("refused", "Refused", REFUSED, "what to do"), ("accepted", "Read, without effect", ACCEPTED, "why")]
    {
        let _ = write!(
            page,
            "\n## {heading}\n\n{text}\n| block | keyword | what it is | {column} |\n|---|---|---|---|\n"
        );
        for row in keyword_rows().iter().filter(|row| row.class == class) {
            let _ = writeln!(
                page,
                "| {} | `{}` | {} | {} |",
                row.block,
                row.name,
                cell(row.doc),
                cell(row.reason)
            );
        }
    }
    page
}

const WHAT_DIFFERS: &str = "\
A keepalived.conf moves over unchanged, unless it has one of the keywords that are refused below. Where the same text
means something else here, it is because the other meaning can make two owners or none; `xvrrp check FILE` says so. Compared with keepalived 2.2.7 and the sources
of 2.4.
";
const REFUSED: &str = "\
A file with one of these is not used: to pass over it would change who owns the address, or who reaches it.
";
const ACCEPTED: &str =
    "These change nothing about who owns the address. Each is said once when the file is read.\n";
