//! The heads of `~SEQ(...)`, `~SEQx(...)` and `~LST(...)`: variables, and the values that they take in turn.

/// A head that was read.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) variables: Vec<Vec<u8>>,
    pub(super) values: Values,
    /// How long the head is.
    pub(super) length: usize,
}

/// The values still to come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// Numbers; none is left when `next` is beyond `last`.
    Numbers { next: i64, step: i64, last: i64, hexadecimal: bool },
    /// Lists, the next one last; each has a value for every variable.
    Lists(Vec<Vec<Vec<u8>>>),
}

impl Iterator for Values {
    type Item = Vec<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Lists(lists) => lists.pop(),
            Self::Numbers { next, step, last, hexadecimal } => {
                let value = *next;
                if (*step > 0 && value > *last) || (*step < 0 && value < *last) || *step == 0 {
                    return None;
                }
                match value.checked_add(*step) {
                    Some(following) => *next = following,
                    None => *step = 0,
                }
                Some(vec![shown(value, *hexadecimal).into_bytes()])
            }
        }
    }
}

fn shown(value: i64, hexadecimal: bool) -> String {
    match (hexadecimal, value < 0) {
        (false, _) => value.to_string(),
        (true, false) => format!("{value:x}"),
        (true, true) => format!("-{:x}", value.unsigned_abs()),
    }
}

const SEQUENCE_FORM: &str = "~SEQ(NAME, [START, [STEP,]] END) LINE";
const LIST_FORM: &str = "~LST(NAME, VALUE, ...) LINE, or ~LST({NAME, ...}, {VALUE, ...}, ...) LINE";

/// Whether a line begins with the head of a sequence.
pub(super) fn begins(line: &[u8]) -> bool {
    line.starts_with(b"~SEQ") || line.starts_with(b"~LST")
}

/// Reads a head at the start of a line.
///
/// # Errors
/// What it should look like.
pub(super) fn parse(line: &[u8]) -> Result<Sequence, &'static str> {
    let form = if line.starts_with(b"~LST") { LIST_FORM } else { SEQUENCE_FORM };
    head(line).ok_or(form)
}

fn head(line: &[u8]) -> Option<Sequence> {
    let end = line.iter().position(|&byte| byte == b'\n').unwrap_or(line.len());
    let open = line[..end].iter().position(|&byte| byte == b'(')?;
    let close = open + line[open..end].iter().position(|&byte| byte == b')')?;
    let inside = &line[open + 1..close];
    let (variables, values) = match line[..open].trim_ascii_end() {
        b"~SEQ" => numbers(inside, false)?,
        b"~SEQx" => numbers(inside, true)?,
        b"~LST" => lists(inside)?,
        _ => return None,
    };
    let named = |name: &Vec<u8>| {
        let plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        plain && name.first().is_some_and(|first| !first.is_ascii_digit())
    };
    variables.iter().all(named).then_some(Sequence { variables, values, length: close + 1 })
}

fn numbers(inside: &[u8], hexadecimal: bool) -> Option<(Vec<Vec<u8>>, Values)> {
    let words: Vec<&[u8]> = inside.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).collect();
    let (name, numbers) = words.split_first()?;
    let numbers: Vec<i64> = numbers.iter().map(|word| number(word)).collect::<Option<_>>()?;
    let toward = |start: i64, last: i64| if last >= start { 1 } else { -1 };
    let (next, step, last) = match numbers[..] {
        [last] => {
            let start = if last > 0 { 1 } else { -1 };
            (start, toward(start, last), last)
        }
        [start, last] => (start, toward(start, last), last),
        [start, step, last] if step != 0 => (start, step, last),
        _ => return None,
    };
    Some((vec![name.to_vec()], Values::Numbers { next, step, last, hexadecimal }))
}

/// A decimal or `0x` number; whatever is too long for it is not one.
fn number(word: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(word).ok()?;
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16),
        None if digits.starts_with(['+', '-']) => return None,
        None => digits.parse(),
    };
    value.ok().map(|value| if negative { -value } else { value })
}

fn lists(inside: &[u8]) -> Option<(Vec<Vec<u8>>, Values)> {
    let mut groups = groups(inside)?;
    groups.reverse();
    let variables = groups.pop().filter(|names| !names.is_empty())?;
    let whole = !groups.is_empty() && groups.iter().all(|values| values.len() == variables.len());
    whole.then_some((variables, Values::Lists(groups)))
}

/// `a, {b, c}` as lists: `[a]`, `[b, c]`.
fn groups(inside: &[u8]) -> Option<Vec<Vec<Vec<u8>>>> {
    let words =
        |text: &[u8]| text.split(|&byte| byte == b',').map(|word| word.trim_ascii().to_vec()).collect();
    let mut groups = Vec::new();
    let mut rest = inside.trim_ascii();
    loop {
        let end = if rest.first() == Some(&b'{') {
            let close = rest.iter().position(|&byte| byte == b'}')?;
            groups.push(words(&rest[1..close]));
            close + 1
        } else {
            let comma = rest.iter().position(|&byte| byte == b',').unwrap_or(rest.len());
            groups.push(vec![rest[..comma].trim_ascii().to_vec()]);
            comma
        };
        rest = rest[end..].trim_ascii();
        match rest {
            [] => return Some(groups),
            [b',', after @ ..] => rest = after.trim_ascii(),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(line: &str) -> String {
        let Ok(sequence) = parse(line.as_bytes()) else { return "refused".into() };
        let shown = sequence.values.take(6).map(|list| {
            list.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>().join("/")
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn sequences_count_as_the_manual_says() {
        for (line, expected) in [
            ("~SEQ(S, 0, 3) x", "0 1 2 3"),
            ("~SEQ(S,4) x", "1 2 3 4"),
            ("~SEQ(S, -3) x", "-1 -2 -3"),
            ("~SEQ(S, 3, 1)", "3 2 1"),
            ("~SEQ(S, 0, 5, 12)", "0 5 10"),
            ("~SEQx(S, 144, 16, 192)", "90 a0 b0 c0"),
            ("~SEQx(S, 0x12, -1, 0x0c)", "12 11 10 f e d"),
            ("~SEQ(S, 9223372036854775806, 9223372036854775807)", "9223372036854775806 9223372036854775807"),
            ("~SEQ(S, 0, 0, 3)", "refused"),
            ("~SEQ(S)", "refused"),
            ("~SEQ(S, a)", "refused"),
            ("~SEQ(1S, 2)", "refused"),
            ("~SEQy(S, 2)", "refused"),
            ("~SEQ(S, 2", "refused"),
            ("~LST(I, 1, 20 ,x)", "1 20 x"),
            ("~LST({A, B}, {10,1},{20,4})", "10/1 20/4"),
            ("~LST({A, B}, {10,1},{20})", "refused"),
            ("~LST(A)", "refused"),
        ] {
            assert_eq!(values(line), expected, "{line}");
        }
    }
}
