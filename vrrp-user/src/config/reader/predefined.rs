//! The definitions that are always there: `_PWD`, `_INSTANCE`, `_RANDOM`, `_ENV`, `_HASH` and `_BANG`.

use std::hash::{BuildHasher, RandomState};

use super::Reader;

/// What `${NAME ARGUMENTS}` stands for, if it is predefined.
pub(super) fn value(reader: &Reader<'_>, text: &[u8], quoted: bool) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.starts_with('_'))?;
    let mut words = text.split_ascii_whitespace();
    let (name, arguments) = (words.next()?, words.collect::<Vec<_>>());
    let value = match (name, &arguments[..]) {
        ("_PWD", []) => reader.open_files.last()?.folder_name(),
        ("_INSTANCE", []) => reader.config_id.clone(),
        ("_ENV", [variable]) => reader.host.variable(variable)?,
        ("_RANDOM", bounds) => random(bounds)?.to_string(),
        // Outside quotes a backslash keeps the sign from beginning a comment.
        ("_HASH", []) => if quoted { "#" } else { "\\#" }.into(),
        ("_BANG", []) => if quoted { "!" } else { "\\!" }.into(),
        _ => return None,
    };
    Some(value.into_bytes())
}

/// A number from MIN (0) to MAX (32767).
fn random(bounds: &[&str]) -> Option<u64> {
    const HIGHEST: u64 = 32_767;
    let bounds: Vec<u64> = bounds.iter().map(|bound| bound.parse().ok()).collect::<Option<_>>()?;
    let (low, high) = match bounds[..] {
        [] => (0, HIGHEST),
        [low] => (low, HIGHEST),
        [low, high] => (low, high),
        _ => return None,
    };
    // The standard library seeds each of these from the operating system.
    let drawn = RandomState::new().hash_one(0u8);
    let choices = high.checked_sub(low)?.saturating_add(1);
    Some(low + drawn % choices)
}
