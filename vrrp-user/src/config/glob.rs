//! File names from a pattern: `*`, `?`, `[a-z]`, `[!a]` and `{a,b}`, sorted, hidden files only if asked for.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// No pattern may mean more names than this.
const LIMIT: usize = 1024;

/// The paths that match `pattern`, which is relative to `folder`, in the order of the names; a name without any
/// pattern sign is returned as it is, whether it exists or not.
///
/// # Errors
/// Directories that exist but cannot be listed, and patterns that mean more than 1024 names.
pub(super) fn expand(folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for plain in alternatives(pattern)? {
        if has_signs(&plain) {
            found.extend(walk(folder, &plain)?);
        } else {
            found.push(folder.join(plain));
        }
    }
    if found.len() > LIMIT { Err(too_many()) } else { Ok(found) }
}

/// Whether the pattern is more than a name.
pub(super) fn has_signs(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

fn too_many() -> io::Error {
    io::Error::other(format!("the pattern means more than {LIMIT} files"))
}

/// `a{b,c}d` is `abd` and `acd`; braces do not nest.
fn alternatives(pattern: &str) -> io::Result<Vec<String>> {
    let mut all = vec![String::new()];
    let mut rest = pattern;
    while let Some((before, inside, after)) = braces(rest) {
        let choices: Vec<&str> = inside.split(',').collect();
        if all.len().saturating_mul(choices.len()) > LIMIT {
            return Err(too_many());
        }
        all = all.iter().flat_map(|head| choices.iter().map(move |c| format!("{head}{before}{c}"))).collect();
        rest = after;
    }
    Ok(all.into_iter().map(|head| head + rest).collect())
}

fn braces(text: &str) -> Option<(&str, &str, &str)> {
    let (before, after) = text.split_once('{')?;
    let (inside, after) = after.split_once('}')?;
    Some((before, inside, after))
}

fn walk(folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let mut paths = vec![if pattern.starts_with('/') { PathBuf::from("/") } else { folder.to_owned() }];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for path in paths {
            if has_signs(part) {
                next.extend(entries(&path, part)?);
            } else {
                next.push(path.join(part));
            }
        }
        next.retain(|path| path.symlink_metadata().is_ok());
        if next.len() > LIMIT {
            return Err(too_many());
        }
        paths = next;
    }
    Ok(paths)
}

fn entries(folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let listed = if folder.as_os_str().is_empty() { fs::read_dir(".") } else { fs::read_dir(folder) };
    let listed = match listed {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        listed => listed?,
    };
    let mut found = Vec::new();
    for entry in listed {
        let name = entry?.file_name();
        let Some(text) = name.to_str() else { continue };
        let hidden = text.starts_with('.') && !pattern.starts_with('.');
        if !hidden && matches(pattern.as_bytes(), text.as_bytes()) {
            found.push(folder.join(text));
        }
    }
    found.sort();
    Ok(found)
}

/// Greedy with one point to return to: time is bounded by pattern length times name length.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match one(&pattern[p..], name[n]) {
            Step::Star => {
                star = Some((p + 1, n));
                p += 1;
            }
            Step::Took(length) => (p, n) = (p + length, n + 1),
            Step::No => {
                let Some((after, seen)) = star else { return false };
                star = Some((after, seen + 1));
                (p, n) = (after, seen + 1);
            }
        }
    }
    pattern[p..].iter().all(|&sign| sign == b'*')
}

enum Step {
    Star,
    Took(usize),
    No,
}

fn one(pattern: &[u8], byte: u8) -> Step {
    match pattern {
        [b'*', ..] => Step::Star,
        [b'?', ..] => Step::Took(1),
        [b'[', rest @ ..] => class(rest, byte),
        [sign, ..] if *sign == byte => Step::Took(1),
        _ => Step::No,
    }
}

/// What follows `[`; without its `]` it is an ordinary sign that no file name of ours has.
fn class(rest: &[u8], byte: u8) -> Step {
    let (negated, set) = match rest {
        [b'!' | b'^', set @ ..] => (true, set),
        set => (false, set),
    };
    let Some(close) = set.iter().skip(1).position(|&sign| sign == b']') else { return Step::No };
    let mut members = &set[..=close];
    let mut inside = false;
    while let [low, after @ ..] = members {
        let (high, after) = if let [b'-', high, after @ ..] = after { (high, after) } else { (low, after) };
        inside |= (*low..=*high).contains(&byte);
        members = after;
    }
    let length = 1 + usize::from(negated) + close + 2;
    if inside == negated { Step::No } else { Step::Took(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a*b*c", "a-b-b-c", true),
            ("?.c", "ab.c", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[a-]", "-", true),
            ("[a", "[a", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_become_sorted_paths() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.conf", "a.conf", ".hidden.conf", "c.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let expand_in = |pattern: &str| {
            let found = expand(folder.path(), pattern).unwrap();
            found.iter().map(|p| p.file_name().unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(expand_in("*.conf"), ["a.conf", "b.conf"]);
        assert_eq!(expand_in("{c,a}.*"), ["c.txt", "a.conf"]);
        assert_eq!(expand_in("absent"), ["absent"]);
        assert!(expand_in("absent*/x").is_empty());
        assert!(expand(folder.path(), &"{a,b}".repeat(12)).is_err());
    }
}
