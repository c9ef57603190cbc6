//! The house rules that no compiler checks: file lengths, module lines, allowed imports, whose words go where.

use std::{
    fs,
    path::{Path, PathBuf},
};

const MAX_LINES: usize = 500;

/// Which modules of the daemon may name which others. Data flows bytes → record → input → action → effect;
/// whatever is not listed here would be an import against that flow.
const ALLOWED_EDGES: &[(&str, &[&str])] = &[
    ("acceptance", &["config", "identity", "spawner"]),
    ("cli", &["commands", "config", "dump", "identity", "state"]),
    (
        "commands",
        &[
            "acceptance",
            "cli",
            "config",
            "control",
            "daemon",
            "datapath",
            "doctor",
            "dump",
            "files",
            "guard",
            "identity",
            "logs",
            "namespace",
            "netlink",
            "pins",
            "service",
            "spawner",
            "state",
            "status",
            "sys",
            "undo",
        ],
    ),
    ("config", &[]),
    ("control", &["status"]),
    (
        "daemon",
        &[
            "acceptance",
            "config",
            "control",
            "datapath",
            "guard",
            "identity",
            "netlink",
            "node",
            "perform",
            "pins",
            "rights",
            "service",
            "spawner",
            "state",
            "supervise",
            "undo",
        ],
    ),
    ("datapath", &["config", "pins", "sys"]),
    ("doctor", &["datapath", "netlink", "rights"]),
    ("dump", &["config", "files", "status", "worker"]),
    ("files", &[]),
    ("guard", &["config", "datapath", "netlink", "pins", "sys"]),
    ("identity", &[]),
    ("logs", &[]),
    ("namespace", &[]),
    ("netlink", &["config", "datapath", "supervise", "sys", "undo"]),
    (
        "node",
        &[
            "config",
            "control",
            "datapath",
            "guard",
            "netlink",
            "notify",
            "perform",
            "state",
            "status",
            "supervise",
            "sys",
            "track",
        ],
    ),
    ("notify", &["config", "spawner", "sys", "worker"]),
    ("perform", &["config", "datapath", "netlink", "sys"]),
    ("pins", &["identity", "sys"]),
    ("rights", &["sys"]),
    (
        "service",
        &[
            "acceptance",
            "config",
            "control",
            "dump",
            "node",
            "notify",
            "spawner",
            "state",
            "status",
            "supervise",
            "track",
        ],
    ),
    ("spawner", &["config", "sys"]),
    ("state", &["config", "datapath", "files", "identity", "netlink", "sys"]),
    ("status", &[]),
    ("supervise", &[]),
    ("sys", &[]),
    ("track", &["config", "spawner", "sys"]),
    ("undo", &["files", "identity"]),
    ("worker", &[]),
];

/// keepalived's words live in these places only; elsewhere the RFC's are used.
const KEEPALIVED_WORDS_ALLOWED: &[&str] = &[
    "vrrp-user/src/config",
    "vrrp-user/src/dump",
    "vrrp-user/src/notify",
    "vrrp-user/src/status",
    "vrrp-user/tests/config",
    "tests/",
];
const KEEPALIVED_WORDS: &[&str] = &["advert_int", "MASTER", "virtual_router_id", "BACKUP"];

#[test]
fn no_source_file_is_too_long_and_each_says_what_lives_there() {
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{}: {lines} lines, {MAX_LINES} are allowed: split it", path.display());
        assert!(
            text.starts_with("//! "),
            "{}: begin with a `//!` line that says what lives here and what does not",
            path.display()
        );
    }
}

#[test]
fn the_daemon_imports_only_along_the_flow() {
    let root = workspace().join("vrrp-user/src");
    for path in sources().into_iter().filter(|path| path.starts_with(&root)) {
        let module = module_of(path.strip_prefix(&root).unwrap());
        if ["lib", "main", "testing"].contains(&module.as_str()) || is_test(&path) {
            continue;
        }
        let (_, allowed) = ALLOWED_EDGES
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("module `{module}` is new: say in tidy.rs what it may import"));
        for import in imports(&fs::read_to_string(&path).unwrap()) {
            assert!(
                import == module || allowed.contains(&import.as_str()),
                "{}: `{module}` may not import `{import}`",
                path.display()
            );
        }
    }
}

#[test]
fn the_core_depends_on_nothing_that_could_do_io() {
    let manifest = fs::read_to_string(workspace().join("vrrp-common/Cargo.toml")).unwrap();
    let dependencies: Vec<&str> = manifest
        .split("[dependencies]")
        .nth(1)
        .unwrap()
        .split("\n[")
        .next()
        .unwrap()
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    assert_eq!(dependencies, ["bytemuck.workspace = true"]);
    let root = fs::read_to_string(workspace().join("vrrp-common/src/lib.rs")).unwrap();
    assert!(root.contains("#![no_std]") && root.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn unsafe_code_lives_in_sys_only() {
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        let here = path.strip_prefix(workspace()).unwrap();
        // In the kernel every map is a raw pointer.
        let allowed = ["vrrp-user/src/sys", "vrrp-ebpf", "tests"].iter().any(|place| here.starts_with(place));
        assert!(
            allowed || !text.contains(concat!("unsafe", " {")),
            "{}: move the unsafe block into vrrp-user/src/sys",
            here.display()
        );
    }
}

#[test]
fn keepalived_words_stay_where_they_belong() {
    for path in sources() {
        let here = path.strip_prefix(workspace()).unwrap().to_string_lossy().into_owned();
        if KEEPALIVED_WORDS_ALLOWED.iter().any(|prefix| here.starts_with(prefix)) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let said = quoted(line);
            let found = KEEPALIVED_WORDS.iter().find(|word| said.contains(*word));
            assert!(found.is_none(), "{here}: `{}` is keepalived's word: {line}", found.unwrap());
        }
    }
}

/// What stands in string literals of a line; a constant's capitals are not words.
fn quoted(line: &str) -> String {
    line.split('"').skip(1).step_by(2).collect()
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Every Rust source of the project, in a stable order.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for part in ["vrrp-common", "vrrp-ebpf", "vrrp-user", "xtask", "tests"] {
        collect(&workspace().join(part), &mut found);
    }
    assert!(found.len() > 10, "the walk found only {} sources", found.len());
    found.sort();
    found
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

/// `config/lexer.rs` → `config`, `daemon.rs` → `daemon`.
fn module_of(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Test modules look at a part from both of its ends.
fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_tests"))
}

/// The first path segment after every `crate::`, nested `use crate::{a::b, c}` lists included.
fn imports(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    code.split("crate::").skip(1).flat_map(segments).collect()
}

fn segments(rest: &str) -> Vec<String> {
    let Some(list) = rest.strip_prefix('{') else {
        return vec![identifier(rest)];
    };
    let (mut depth, mut start, mut found) = (1, 0, Vec::new());
    for (index, byte) in list.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 1 => {
                found.push(identifier(list[start..index].trim()));
                start = index + 1;
            }
            _ => {}
        }
        if depth == 0 {
            found.push(identifier(list[start..index].trim()));
            break;
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
