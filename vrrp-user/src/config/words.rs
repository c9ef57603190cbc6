//! Commands: cutting them into words with quotes and escapes, and telling shell syntax. Nothing is run here.

use thiserror::Error;

/// Why a command cannot be cut into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum SplitError {
    #[error("a {0} is opened and not closed")]
    Unclosed(char),
    #[error("a backslash stands at the end, before nothing")]
    Backslash,
}

/// Cuts at blanks; `"` and `'` keep them; `\a \b \E \f \n \r \t \v \nnn \xXX \cC` and `\` before any other
/// byte mean what they mean to keepalived (its manual, "Quoted strings").
pub(super) fn split(text: &[u8]) -> Result<Vec<Vec<u8>>, SplitError> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        match (*byte, quote) {
            (b'\\', _) => {
                let (meant, after) = escape(rest).ok_or(SplitError::Backslash)?;
                word.get_or_insert_default().push(meant);
                rest = after;
            }
            (byte, Some(open)) if byte == open => quote = None,
            (byte @ (b'"' | b'\''), None) => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (byte, None) if byte.is_ascii_whitespace() || byte == b'\x0b' => words.extend(word.take()),
            (byte, _) => word.get_or_insert_default().push(byte),
        }
    }
    if let Some(open) = quote {
        return Err(SplitError::Unclosed(char::from(open)));
    }
    words.extend(word);
    Ok(words)
}

/// The byte that an escape means, and what follows it.
fn escape(rest: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, after) = rest.split_first()?;
    Some(match first {
        b'x' if after.first().is_some_and(u8::is_ascii_hexdigit) => digits(after, 16, usize::MAX),
        b'0'..=b'7' => digits(rest, 8, 3),
        b'c' if !after.is_empty() => (after[0] & 0x1f, &after[1..]),
        b'a' => (0x07, after),
        b'b' => (0x08, after),
        b'E' => (0x1b, after),
        b'f' => (0x0c, after),
        b'n' => (b'\n', after),
        b'r' => (b'\r', after),
        b't' => (b'\t', after),
        b'v' => (0x0b, after),
        other => (other, after),
    })
}

/// A number of at most `limit` digits; bits above the eighth are lost, as in keepalived.
fn digits(text: &[u8], radix: u32, limit: usize) -> (u8, &[u8]) {
    let count = text.iter().take(limit).take_while(|&&byte| char::from(byte).is_digit(radix)).count();
    let value = text[..count].iter().filter_map(|&byte| char::from(byte).to_digit(radix));
    (value.fold(0u8, |sum, digit| sum.wrapping_mul(radix as u8).wrapping_add(digit as u8)), &text[count..])
}

/// The first piece of shell syntax outside quotes, if a shell is needed to run `text`.
///
/// A lone `&` is not counted: it is common in URLs, and a shell would put the check into the background, where
/// it always succeeds.
pub(super) fn shell_syntax(text: &str) -> Option<&'static str> {
    let mut quote = None;
    let mut rest = text.char_indices();
    while let Some((at, character)) = rest.next() {
        match (character, quote) {
            ('\\', Some('"') | None) => {
                rest.next();
            }
            (c, Some(open)) if c == open => quote = None,
            (c @ ('"' | '\''), None) => quote = Some(c),
            (_, Some('\'')) => {}
            _ => {
                let found = SHELL_SYNTAX.iter().find(|sign| text[at..].starts_with(**sign));
                match found {
                    Some(sign) if quote.is_none() || SUBSTITUTIONS.contains(sign) => return Some(sign),
                    _ => {}
                }
            }
        }
    }
    None
}

const SHELL_SYNTAX: &[&str] = &["&&", "|", ">", "<", "$(", "`", "; "];
const SUBSTITUTIONS: &[&str] = &["$(", "`"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_cut_as_the_manual_says() {
        for (text, expected) in [
            (r#"abcd" efg h jkl "mnop"#, Ok(vec!["abcd efg h jkl mnop"])),
            (r#"abcd "efg h jkl" mnop"#, Ok(vec!["abcd", "efg h jkl", "mnop"])),
            (r#"/bin/test 'a b' -e "/x y""#, Ok(vec!["/bin/test", "a b", "-e", "/x y"])),
            (r"a\ b \\ \x41 \101 \cA \n", Ok(vec!["a b", "\\", "A", "A", "\u{1}", "\n"])),
            (r#"a '' """#, Ok(vec!["a", "", ""])),
            ("  ", Ok(vec![])),
            ("a 'b", Err(SplitError::Unclosed('\''))),
            ("a \"b'", Err(SplitError::Unclosed('"'))),
            ("a \\", Err(SplitError::Backslash)),
        ] {
            let words = split(text.as_bytes());
            let shown = words.map(|words| words.iter().map(|w| String::from_utf8_lossy(w).into()).collect());
            let expected =
                expected.map(|words| words.iter().map(ToString::to_string).collect::<Vec<String>>());
            assert_eq!(shown, expected, "{text}");
        }
    }

    #[test]
    fn shell_syntax_is_told_from_arguments() {
        for (text, expected) in [
            ("killall -0 nginx", None),
            ("curl http://192.0.2.1/?a=b&c=d;e", None),
            ("/bin/sh -c 'a && b | c'", None),
            ("/a && /b", Some("&&")),
            ("/a || /b", Some("|")),
            ("/a >/dev/null", Some(">")),
            ("$(which nc) -z 192.0.2.1 80", Some("$(")),
            ("test \"$(cat /x)\" = 1", Some("$(")),
            ("test \"a > b\"", None),
            ("echo `date`", Some("`")),
            ("a; b", Some("; ")),
            ("grep \\> x", None),
        ] {
            assert_eq!(shell_syntax(text), expected, "{text}");
        }
    }
}
