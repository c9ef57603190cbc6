//! The configuration as tables of data: each row of `config/*.txt` is a text and what it must mean.
//!
//! A row:
//!
//! ```text
//! == name
//! from: the line of the reference that the row shows
//! wrong: how somebody could have read it, who fails here      (may be left out)
//! in: file | global | script | instance   where the text stands; the rest of the file is filled in
//! TEXT
//! --
//! V.priority = 255                        an effective value
//! error 3:5 "256" must be                 a diagnostic: place (may be left out), text at the place, message
//! ```
//!
//! Values that are not named may be anything; diagnostics must be exactly those that are named. With `escaped`
//! behind `in:`, the text may hold `\r`, `\n`, `\t` and `\xNN`, and its last line has no end of its own.

#[path = "config/describe.rs"]
mod describe;

use std::{
    fs,
    path::{Path, PathBuf},
};

use describe::describe;
use vrrp_user::config::{self, Diagnostic, Host, Loaded, Names, Severity, load_for, model::Credentials};

/// A host whose answers do not depend on where the tests run.
struct TestHost {
    script_account: bool,
}

impl Host for TestHost {
    fn name(&self) -> String {
        "castor".into()
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "SITE").then(|| "north".into())
    }

    fn text(&self, path: &Path) -> Option<String> {
        let script =
            "#!/bin/sh\n# may stop keepalived\nif ! pidof nginx; then\n  systemctl stop keepalived\nfi\n";
        (path == Path::new("/etc/keepalived/check.sh")).then(|| script.into())
    }

    fn firewall_rule(&self) -> Option<String> {
        Some("ip protocol 112 drop".into())
    }

    fn has_interface(&self, name: &str) -> bool {
        ["eth0", "eth1"].contains(&name)
    }

    fn user(&self, name: &str) -> Result<Option<Credentials>, String> {
        Ok(match name {
            "root" => Some(Credentials { uid: 0, gid: 0 }),
            "nobody" => Some(Credentials { uid: 65534, gid: 65534 }),
            "keepalived_script" if self.script_account => Some(Credentials { uid: 990, gid: 991 }),
            _ => None,
        })
    }

    fn group(&self, name: &str) -> Result<Option<u32>, String> {
        Ok((name == "adm").then_some(4))
    }

    fn number(&self, names: Names, name: &str) -> Option<u32> {
        const NAMED: [(Names, &str, u32); 7] = [
            (Names::Tables, "uplink", 101),
            (Names::Realms, "PQA", 9),
            (Names::Services, "AF11", 0x28),
            (Names::Groups, "dialup", 4),
            (Names::Scopes, "global", 0),
            (Names::Scopes, "site", 200),
            (Names::Scopes, "link", 253),
        ];
        let mut named = NAMED.iter();
        named.find(|(kind, known, _)| *kind == names && *known == name).map(|(_, _, number)| *number)
    }

    fn vrf_table(&self, name: &str) -> Option<u32> {
        (name == "blue").then_some(10)
    }

    fn program(&self, program: &str) -> Option<PathBuf> {
        match program {
            "killall" => Some("/usr/bin/killall".into()),
            "/bin/true"
            | "/bin/sh"
            | "/etc/keepalived/check.sh"
            | "/etc/keepalived/notify.sh"
            | "/srv/open/check.sh" => Some(program.into()),
            _ => None,
        }
    }

    fn changeable(&self, program: &Path) -> Option<PathBuf> {
        program.starts_with("/srv/open").then(|| "/srv/open".into())
    }
}

struct Row {
    name: String,
    /// It states a wrong reading.
    wrong: bool,
    place: String,
    account: bool,
    text: Vec<u8>,
    expected: Vec<String>,
}

fn rows(file: &str) -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let data = fs::read_to_string(folder.join(file)).unwrap();
    let chunks = data.split("\n== ").skip(1);
    chunks.map(|chunk| row(file, chunk)).collect()
}

fn row(file: &str, chunk: &str) -> Row {
    let (head, expected) = chunk.split_once("\n--\n").unwrap_or_else(|| panic!("{file}: no `--` in {chunk}"));
    let mut lines = head.lines();
    let name = format!("{file}: {}", lines.next().unwrap());
    let from = lines.next().and_then(|line| line.strip_prefix("from: "));
    assert!(from.is_some_and(|from| !from.is_empty()), "{name}: which line of the reference does it show?");
    let mut place = lines.next();
    let wrong = place.is_some_and(|line| line.starts_with("wrong: "));
    if wrong {
        place = lines.next();
    }
    let place = place.and_then(|line| line.strip_prefix("in: ")).unwrap_or_else(|| panic!("{name}: in:"));
    let text: Vec<&str> = lines.collect();
    let escaped = place.contains("escaped");
    let text = if escaped { unescape(&text.join("\n")) } else { (text.join("\n") + "\n").into_bytes() };
    Row {
        wrong,
        text: in_place(place.split(' ').next().unwrap(), text),
        account: place.contains("with keepalived_script"),
        place: place.into(),
        name,
        expected: expected.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect(),
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = match rest {
            [b'\\', b'r', after @ ..] => {
                bytes.push(b'\r');
                after
            }
            [b'\\', b'n', after @ ..] => {
                bytes.push(b'\n');
                after
            }
            [b'\\', b't', after @ ..] => {
                bytes.push(b'\t');
                after
            }
            [b'\\', b'x', high, low, after @ ..] => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                after
            }
            _ => {
                bytes.push(*first);
                after
            }
        };
    }
    bytes
}

/// A whole file around the text. What an instance must have is added where the text does not have it.
fn in_place(place: &str, text: Vec<u8>) -> Vec<u8> {
    const INSTANCE: &str =
        "vrrp_instance V {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.10/24\n}\n";
    let around = |head: &str, tail: &str| [head.as_bytes(), &text, tail.as_bytes()].concat();
    match place {
        "file" => text,
        "global" => around("global_defs {\n", &format!("}}\n{INSTANCE}}}\n")),
        "script" => around("vrrp_script chk {\n", &format!("}}\n{INSTANCE}track_script {{\nchk\n}}\n}}\n")),
        "instance" => {
            let shown = String::from_utf8_lossy(&text);
            let has = |keyword: &str| shown.lines().any(|line| line.starts_with(keyword));
            let mut tail = String::new();
            for (keyword, rest) in [
                ("interface ", "eth0"),
                ("virtual_router_id ", "51"),
                ("virtual_ipaddress ", "{\n192.0.2.10/24\n}"),
            ] {
                if !has(keyword) {
                    tail += &format!("{keyword}{rest}\n");
                }
            }
            around("vrrp_instance V {\n", &(tail + "}\n"))
        }
        other => panic!("in: {other}"),
    }
}

/// Reference: keepalived-behaviour 1.1 to 1.3 and 1.5, and the older keywords of in-the-wild 3.
#[test]
fn no_keyword_is_forgotten() {
    let rows = config::keyword_rows();
    let listed = include_str!("config/keywords.list");
    let mut block = "";
    let mut missing = Vec::new();
    for line in listed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_suffix(':') {
            block = name;
        } else {
            let known = |name: &&str| rows.iter().any(|row| row.block == block && row.name == *name);
            missing
                .extend(line.split(' ').filter(|name| !known(name)).map(|name| format!("{block}: {name}")));
        }
    }
    assert!(missing.is_empty(), "no row for {missing:?}");
}

#[test]
fn every_keyword_is_listed_once_and_explained() {
    let rows = config::keyword_rows();
    for (at, row) in rows.iter().enumerate() {
        let twice = rows[..at].iter().any(|other| (other.block, other.name) == (row.block, row.name));
        assert!(!twice, "{row:?}");
        assert!(!row.doc.is_empty() && row.reason.is_empty() == (row.class == "works"), "{row:?}");
    }
}

#[test]
fn every_row_means_what_it_says() {
    let mut wrong = Vec::new();
    let (mut count, mut stated) = (0, 0);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut files: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".txt"))
        .collect();
    files.sort();
    for row in files.iter().flat_map(|file| rows(file)) {
        count += 1;
        stated += usize::from(row.wrong);
        let differences = check(&row);
        if !differences.is_empty() {
            let text = String::from_utf8_lossy(&row.text);
            wrong.push(format!("{} (in: {})\n  {}\n{text}", row.name, row.place, differences.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} rows differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(stated >= 150, "only {stated} rows say which wrong reading they refute");
}

/// The one check: what differs between a row and what was made of it.
fn check(row: &Row) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keepalived.conf");
    fs::write(&path, &row.text).unwrap();
    let loaded = load_for(&path, None, &TestHost { script_account: row.account });
    compare(&loaded, &row.expected)
}

fn compare(loaded: &Loaded, expected: &[String]) -> Vec<String> {
    let mut differences = Vec::new();
    let values = loaded.configuration.as_ref().map(describe).unwrap_or_default();
    let hints = if expected.iter().any(|line| line.starts_with("hint ")) {
        loaded.hints_for(&TestHost { script_account: false })
    } else {
        Vec::new()
    };
    let mut diagnostics: Vec<&Diagnostic> = loaded.diagnostics.iter().chain(&hints).collect();
    let helpless = diagnostics.iter().filter(|diagnostic| diagnostic.help.is_none());
    differences.extend(helpless.map(|diagnostic| format!("no suggestion: {}", shown(diagnostic, loaded))));
    for line in expected {
        if let Some((name, value)) = line.split_once(" = ") {
            let found = values.get(name).map_or("nothing", String::as_str);
            if found != value {
                differences.push(format!("{name} is `{found}`, not `{value}`"));
            }
        } else if let Some(at) = diagnostics.iter().position(|diagnostic| is_meant(diagnostic, line, loaded))
        {
            diagnostics.remove(at);
        } else {
            differences.push(format!("missing: {line}"));
        }
    }
    for diagnostic in diagnostics {
        differences.push(format!("unexpected: {}", shown(diagnostic, loaded)));
    }
    let errors = loaded.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    if errors == loaded.configuration.is_some() {
        differences.push("a configuration must be there if and only if there is no error".into());
    }
    let drawing = config::render(&loaded.diagnostics, &loaded.sources, false);
    if drawing.contains("s3cret") {
        differences.push(format!("a password is shown:\n{drawing}"));
    }
    differences
}

/// `severity [LINE:COLUMN] "text at the place" part of the message`
fn is_meant(diagnostic: &Diagnostic, line: &str, loaded: &Loaded) -> bool {
    let shown = shown(diagnostic, loaded);
    let (severity, rest) = line.split_once(' ').unwrap_or((line, ""));
    let Some(found) = shown.strip_prefix(severity).map(str::trim_start) else { return false };
    let (place, rest) = rest.split_once('"').unwrap_or((rest, ""));
    let (text, message) = rest.split_once('"').unwrap_or((rest, ""));
    let (found_place, found) = found.split_once('"').unwrap_or((found, ""));
    let Some((found_text, found_message)) = found.rsplit_once("\" ") else { return false };
    (place.trim().is_empty() || place.trim() == found_place.trim())
        && text == found_text
        && found_message.contains(message.trim())
}

fn shown(diagnostic: &Diagnostic, loaded: &Loaded) -> String {
    let severity = diagnostic.severity.name();
    let place = diagnostic.span.map_or_else(String::new, |span| {
        let (line, column) = loaded.sources.position(span);
        format!("{line}:{column} ")
    });
    let text =
        diagnostic.span.map(|span| String::from_utf8_lossy(loaded.sources.slice(span)).replace('"', "'"));
    format!("{severity} {place}\"{}\" {}", text.unwrap_or_default(), diagnostic.message)
}
