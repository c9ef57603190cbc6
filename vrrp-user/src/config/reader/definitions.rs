//! `$NAME=VALUE` and what `$NAME` and `${NAME}` stand for. Values are kept as they stand, and read when used.

use std::{collections::HashMap, rc::Rc};

use super::text::Text;

/// The name of a definition.
pub(super) type Name = Rc<[u8]>;

/// All definitions made so far.
#[derive(Default)]
pub(super) struct Definitions {
    values: HashMap<Name, Rc<Text>>,
}

impl Definitions {
    pub(super) fn set(&mut self, name: Name, value: Text) {
        self.values.insert(name, Rc::new(value));
    }

    pub(super) fn remove(&mut self, name: &[u8]) {
        self.values.remove(name);
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<(Name, Rc<Text>)> {
        let (name, value) = self.values.get_key_value(name)?;
        Some((Rc::clone(name), Rc::clone(value)))
    }
}

/// A use of a definition at the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Use<'t> {
    /// What stands between the braces, or behind the `$`.
    pub(super) name: &'t [u8],
    pub(super) length: usize,
    /// `$NAME` with something other than a blank behind it: keepalived leaves it alone.
    pub(super) glued: bool,
}

/// Reads `$NAME` or `${NAME}`.
pub(super) fn parse_use(text: &[u8]) -> Option<Use<'_>> {
    const LONGEST: usize = 256;
    if let [b'$', b'{', rest @ ..] = text {
        let close = rest.iter().take(LONGEST).position(|byte| b"}\n\"".contains(byte))?;
        return (rest[close] == b'}').then(|| Use { name: &rest[..close], length: close + 3, glued: false });
    }
    let [b'$', rest @ ..] = text else { return None };
    let length = name_length(rest);
    // A comment may follow at once.
    let glued = rest.get(length).is_some_and(|byte| !byte.is_ascii_whitespace() && !b"#!".contains(byte));
    (length > 0).then(|| Use { name: &rest[..length], length: length + 1, glued })
}

/// Reads `$NAME=` and returns the name.
pub(super) fn parse_definition(text: &[u8]) -> Option<&[u8]> {
    let [b'$', rest @ ..] = text else { return None };
    let length = name_length(rest);
    (length > 0 && rest.get(length) == Some(&b'=')).then(|| &rest[..length])
}

/// Letters, digits and `_`, not beginning with a digit.
fn name_length(text: &[u8]) -> usize {
    if text.first().is_some_and(u8::is_ascii_digit) {
        return 0;
    }
    text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_told_from_text() {
        for (text, name, length, glued) in [
            (&b"$IF x"[..], &b"IF"[..], 3, false),
            (b"$IF", b"IF", 3, false),
            (b"$IF.1", b"IF", 3, true),
            (b"${IF}.1", b"IF", 5, false),
            (b"${_RANDOM 1 5}", b"_RANDOM 1 5", 14, false),
        ] {
            assert_eq!(parse_use(text), Some(Use { name, length, glued }));
        }
        for text in [&b"$(date)"[..], b"$5", b"${a\n}", b"$", b"x"] {
            assert_eq!(parse_use(text), None);
        }
        assert_eq!(parse_definition(b"$A1_=x"), Some(&b"A1_"[..]));
        assert_eq!(parse_definition(b"$A =x"), None);
    }
}
