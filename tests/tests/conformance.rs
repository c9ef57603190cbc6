//! Checks docs/RFC9568.md: all rows are there, and every item and test that they name exists. What the tests show is
//! not looked at.

use std::{
    fs,
    path::{Path, PathBuf},
};

const ROWS: &str = "B1 B2 B3 B4 B5 B6 B7 B8 B9 P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 P13 P14 P15 R1 R2 R3 R4 R5 R6 \
                    R7 R8 R9 R10 R11 R12 R13 R14 R14b R15 R16 R17 R18 T1 T2 T3 T4 T5 T6 T7 T8 T9 F1 F2 F3 F4 F5 F6 F7 \
                    F8 D1 D2 D3 D4 D5 D6 D7 D8 D9 D10 D11 D12 D13 D14 D15 D16 I1 I2 I3 I4 I5 I6";

/// Words before a name that make it an item.
const ITEMS: [&str; 6] = ["fn ", "struct ", "enum ", "const ", "trait ", "type "];

#[test]
fn every_row_is_there_once_and_complete() {
    let table = table();
    let found: Vec<&str> = table.lines().filter_map(|line| cells(line).map(|cells| cells[0])).collect();
    assert_eq!(found, ROWS.split_whitespace().collect::<Vec<_>>());
    let problems: Vec<String> = table.lines().filter_map(cells).filter_map(incomplete).collect();
    assert_eq!(problems, [""; 0]);
}

#[test]
fn everything_named_exists() {
    let sources = Sources::read();
    let table = table();
    let mut problems = Vec::new();
    for [row, _, _, code, tests, counter_tests, _] in table.lines().filter_map(cells) {
        let items = code.split_whitespace().map(|reference| sources.item(reference));
        let tests = [tests, counter_tests].into_iter().flat_map(str::split_whitespace);
        let found = items.chain(tests.map(|reference| sources.test(reference)));
        problems.extend(found.filter_map(Result::err).map(|problem| format!("{row}: {problem}")));
    }
    assert_eq!(problems, [""; 0]);
}

/// The checks themselves: each must be able to fail.
#[test]
fn what_does_not_exist_is_noticed() {
    let sources = Sources::read();
    assert_eq!(sources.test("tests/conformance.rs#what_does_not_exist_is_noticed"), Ok(()));
    assert_eq!(sources.item("judge/mod.rs#check_delivery"), Ok(()));
    for (reference, words) in [
        ("judge/mod.rs#check_deliver", "has no item"),
        ("judge/module.rs#judge", "0 sources"),
        ("mod.rs#judge", "sources end"),
        ("judge/mod.rs", "is not file#item"),
    ] {
        assert!(sources.item(reference).unwrap_err().contains(words), "{reference}");
    }
    assert!(sources.test("judge/mod.rs#judge").unwrap_err().contains("has no test"));
    assert!(incomplete(["R1", "7.1", "x", "", "", "", ""]).is_some());
    assert!(incomplete(["R1", "7.1", "x", "a#b", "a#b", "", "why not"]).is_some());
    assert!(incomplete(["R1", "7.1", "x", "", "", "", "why not"]).is_none());
}

fn table() -> String {
    fs::read_to_string(workspace().join("docs/RFC9568.md")).unwrap()
}

/// The seven cells of a row; `None` for headings and text.
fn cells(line: &str) -> Option<[&str; 7]> {
    let inner = line.strip_prefix("| ")?.strip_suffix('|')?;
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    let cells: [&str; 7] = cells.try_into().unwrap_or_else(|_| panic!("seven cells are needed: {line}"));
    (cells[0] != "row").then_some(cells)
}

/// A row has code, a test and a counter-test, or none of them and says why.
fn incomplete([row, clause, asks, code, test, counter_test, note]: [&str; 7]) -> Option<String> {
    let cells = [code, test, counter_test];
    let done = cells.iter().all(|cell| !cell.is_empty());
    let left_out = cells.iter().all(|cell| cell.is_empty()) && !note.is_empty();
    let told = !clause.is_empty() && !asks.is_empty();
    (!told || !(done || left_out)).then(|| format!("{row} lacks a test, and does not say why"))
}

/// Every source's path and text.
struct Sources(Vec<(PathBuf, String)>);

impl Sources {
    fn read() -> Self {
        let mut paths = Vec::new();
        for part in ["vrrp-common", "vrrp-user", "xtask", "tests"] {
            collect(&workspace().join(part), &mut paths);
        }
        Self(paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect())
    }

    /// The text of the one source whose path ends so, and the name behind the `#`.
    fn find<'a>(&self, reference: &'a str) -> Result<(&str, &'a str), String> {
        let (file, name) =
            reference.split_once('#').ok_or_else(|| format!("{reference} is not file#item"))?;
        let mut found = self.0.iter().filter(|(path, _)| path.ends_with(file));
        match (found.next(), found.count()) {
            (Some((_, text)), 0) => Ok((text, name)),
            (first, more) => Err(format!("{} sources end in {file}", usize::from(first.is_some()) + more)),
        }
    }

    fn item(&self, reference: &str) -> Result<(), String> {
        let (text, name) = self.find(reference)?;
        let exists = text.lines().any(|line| declares(line, name));
        exists.then_some(()).ok_or_else(|| format!("{reference}: the file has no item {name}"))
    }

    /// A function with `#[test]` right above it, attributes between them aside.
    fn test(&self, reference: &str) -> Result<(), String> {
        let (text, name) = self.find(reference)?;
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let place = lines.iter().position(|line| declares(line, name));
        let attributes = place.into_iter().flat_map(|at| lines[..at].iter().rev());
        let is_test = attributes.take_while(|line| line.starts_with("#[")).any(|line| *line == "#[test]");
        is_test.then_some(()).ok_or_else(|| format!("{reference}: the file has no test {name}"))
    }
}

fn declares(line: &str, name: &str) -> bool {
    let follows = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    let code = line.split("//").next().unwrap_or_default();
    ITEMS.iter().any(|item| {
        let mut parts = code.split(item).skip(1);
        parts.any(|part| part.strip_prefix(name).is_some_and(follows))
    })
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
