//! Words to values: numbers, times, addresses, names; each refusal names the value and what would do.

use std::{
    net::{IpAddr, Ipv4Addr},
    ops::RangeInclusive,
};

use vrrp_common::{time::Interval, wire::Family};

use super::{
    diagnostics::{Diagnostic, error},
    lexer::Word,
    model::Network,
};

/// Text as messages show it: in back quotes, without control characters, cut when it is long.
pub(super) fn quote(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut shown: String = text.chars().take(SHOWN).flat_map(escape).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    format!("`{shown}`")
}

/// Control characters, and blanks that look like others, as escapes.
fn escape(character: char) -> impl Iterator<Item = char> {
    let strange = character.is_control() || (character.is_whitespace() && character != ' ');
    let escaped = strange.then(|| character.escape_default());
    let plain = (!strange).then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

/// The candidate that `name` is probably a misspelling of.
pub(super) fn nearest(
    name: &str,
    candidates: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    const ALIKE: f64 = 0.85;
    let trimmed = name.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
    let scored = candidates.into_iter().map(|known| (strsim::jaro_winkler(&trimmed, known), known));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}

/// Whether the text was left in a file that was made from a template.
pub(super) fn is_placeholder(text: &str) -> bool {
    let marked = text.contains(['<', '>', '$']) || ["{{", "{%", "__"].iter().any(|mark| text.contains(mark));
    let crossed = text.contains('.')
        && text.split(['.', '/']).any(|part| matches!(part, "x" | "X" | "xx" | "XX" | "xxx" | "XXX"));
    let shouted = text.len() > 2
        && text.chars().any(|c| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "_/-".contains(c));
    marked || crossed || shouted
}

/// What to do about a number out of range, where the keyword has nothing better to say.
pub(super) const IN_RANGE: &str = "write a number within that range";
/// The same about the name of an interface ...
pub(super) const LISTED: &str = "`ip link` lists the names";
/// ... and about an address that no host has.
pub(super) const OF_ONE_HOST: &str = "write the address that one host has on its network";
/// ... and about one that is no group's.
pub(super) const GROUPS: &str = "a group is like 224.0.0.18 or ff02::12";

/// What is wrong with a word that should have been a value.
fn malformed(word: &Word, expected: impl FnOnce() -> String) -> Diagnostic {
    let text = word.text();
    if is_placeholder(&text) {
        return error(word.span, format!("{} is a placeholder", quote(&text)))
            .label("write the value itself")
            .help("this text was meant to be replaced when the file was written");
    }
    let wrong = error(word.span, expected());
    match text.as_bytes() {
        [b'='] => wrong.help("there is no `=` between keyword and value"),
        [.., b';'] => wrong.help("statements do not end in `;`"),
        _ => wrong,
    }
}

/// `on`, `true`, `yes`, `off`, `false` or `no`.
pub(super) fn switch(name: &str, word: &Word) -> Result<bool, Diagnostic> {
    match word.bytes.as_slice() {
        b"on" | b"true" | b"yes" => Ok(true),
        b"off" | b"false" | b"no" => Ok(false),
        _ => Err(malformed(word, || format!("`{name}` must be `on` or `off`, not {}", quote(&word.text())))),
    }
}

/// One of these words.
pub(super) fn choice<T: Copy>(
    name: &str,
    word: &Word,
    choices: &[(&'static str, T)],
) -> Result<T, Diagnostic> {
    let text = word.text();
    let found = choices.iter().find(|(choice, _)| *choice == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let listed: Vec<String> = choices.iter().map(|(choice, _)| format!("`{choice}`")).collect();
        malformed(word, || format!("`{name}` must be {}, not {}", listed.join(" or "), quote(&text)))
    })
}

/// A whole number, in decimal.
pub(super) fn number(name: &str, word: &Word, range: &RangeInclusive<i64>) -> Result<i64, Diagnostic> {
    let text = word.text();
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let expected = |kind: &str| {
        let (low, high) = (range.start(), range.end());
        format!("`{name}` must be a whole number from {low} to {high}, not {kind}{}", quote(&text))
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed(word, || expected("")));
    }
    // Only a number too long for i64 fails here, and that is out of any range.
    match text.parse() {
        Ok(value) if range.contains(&value) => Ok(value),
        _ => Err(error(word.span, expected("")).label("out of range")),
    }
}

/// Seconds with up to nine decimals; `range` is in milliseconds.
pub(super) fn seconds(name: &str, word: &Word, range: &RangeInclusive<u64>) -> Result<Interval, Diagnostic> {
    let (low, high) = (Interval::from_millis(*range.start()), Interval::from_millis(*range.end()));
    let expected = || {
        let (low, high) = (decimal(low), decimal(high));
        format!("`{name}` must be from {low} to {high} seconds, not {}", quote(&word.text()))
    };
    let span = decimal_nanos(&word.text()).ok_or_else(|| malformed(word, expected))?;
    if (low..=high).contains(&span) {
        Ok(span)
    } else {
        Err(error(word.span, expected()).label("out of range"))
    }
}

/// Milliseconds as seconds, without needless decimals.
pub(super) fn decimal(span: Interval) -> String {
    let millis = span.as_nanos() / 1_000_000;
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn decimal_nanos(text: &str) -> Option<Interval> {
    const DECIMALS: usize = 9;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty())
        || fraction.len() > DECIMALS
        || !digits(whole)
        || !digits(fraction)
    {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(u64::MAX) };
    let nanos: u64 = format!("{fraction:0<DECIMALS$}").parse().ok()?;
    Some(Interval::from_secs(whole).plus(Interval::from_nanos(nanos)))
}

/// Linux: names have at most 15 bytes, no blanks and no `/`.
const NAME_LIMIT: usize = 15;

/// A name that an interface can have.
pub(super) fn interface(word: &Word) -> Result<String, Diagnostic> {
    let text = word.text();
    let shown = || quote(&text);
    if text.contains(['<', '>', '$']) || text.contains("{{") || text.starts_with("__") {
        return Err(malformed(word, || format!("{} is not an interface", shown())));
    }
    if text.len() > NAME_LIMIT {
        let long = format!("interface names have at most {NAME_LIMIT} bytes: {}", shown());
        return Err(error(word.span, long));
    }
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '/' || c == ':';
    if text.is_empty() || text == "." || text == ".." || text.contains(odd) {
        return Err(error(word.span, format!("{} cannot be the name of an interface", shown())));
    }
    Ok(text.into_owned())
}

/// An address that a host can have. `what` names it in messages.
pub(super) fn host_address(what: &str, word: &Word, text: &str) -> Result<IpAddr, Diagnostic> {
    let address: IpAddr = text.parse().map_err(|_| not_an_address(word, text))?;
    match meaningless(address) {
        None => Ok(address),
        Some(why) => Err(error(word.span, format!("{address} cannot be {what}: it is {why}"))),
    }
}

fn not_an_address(word: &Word, text: &str) -> Diagnostic {
    let wrong = malformed(word, || format!("{} is not an IP address", quote(text)));
    let help = "an address is like 192.0.2.1 or 2001:db8::1; names are not looked up";
    if wrong.help.is_some() { wrong } else { wrong.help(help) }
}

fn meaningless(address: IpAddr) -> Option<&'static str> {
    let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    [
        (address.is_unspecified(), "the unspecified address"),
        (address.is_multicast(), "a multicast address"),
        (address == IpAddr::V4(Ipv4Addr::BROADCAST), "the broadcast address"),
        (address.is_loopback(), "a loopback address"),
        (mapped, "an IPv4 address written as IPv6"),
    ]
    .into_iter()
    .find_map(|(applies, why)| applies.then_some(why))
}

/// `ADDRESS[/LENGTH]`; it may have host bits.
pub(super) fn network(word: &Word) -> Result<Network, Diagnostic> {
    let text = word.text();
    let (address, length) = text.split_once('/').map_or((&*text, None), |(a, length)| (a, Some(length)));
    let wrong = || error(word.span, format!("{} is not a network", quote(&text)));
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Ok(longest), str::parse).map_err(|_| wrong())?;
    if length > longest {
        let message = format!("the prefix length of {address} must be a whole number from 0 to {longest}");
        return Err(error(word.span, message));
    }
    Ok(Network { address, length })
}

/// The family of an address.
pub(super) fn family_of(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::V4 } else { Family::V6 }
}

/// How a family is called.
pub(super) fn family_name(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// A multicast group that advertisements can be sent to.
pub(super) fn group(word: &Word) -> Result<IpAddr, Diagnostic> {
    let text = word.text();
    let address: IpAddr = text.parse().map_err(|_| not_an_address(word, &text))?;
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_multicast(),
        IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02,
    };
    if link_local {
        return Ok(address);
    }
    let refused = error(word.span, format!("{address} is not a group that advertisements can be sent to"));
    Err(refused.help("IPv4: 224.0.0.0 to 239.255.255.255; IPv6: a link-local group, which begins ffX2"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::Span;

    fn word(text: &str) -> Word {
        Word { bytes: text.as_bytes().to_vec(), span: Span { file: 0, start: 0, end: 0 } }
    }

    #[test]
    fn seconds_are_exact() {
        for (text, nanos) in [
            ("1", Some(1_000_000_000)),
            ("0.01", Some(10_000_000)),
            (".5", Some(500_000_000)),
            ("2.", Some(2_000_000_000)),
            ("0.000000001", Some(1)),
            ("0.0000000001", None),
            ("99999999999999999999", Some(u64::MAX)),
            ("1e3", None),
            ("-1", None),
            ("", None),
            (".", None),
        ] {
            assert_eq!(decimal_nanos(text).map(Interval::as_nanos), nanos, "{text}");
        }
    }

    #[test]
    fn refusals_name_value_and_range() {
        let message = |refused: Diagnostic| refused.message;
        assert_eq!(
            message(number("rise", &word("0"), &(1..=9)).unwrap_err()),
            "`rise` must be a whole number from 1 to 9, not `0`"
        );
        assert_eq!(
            message(seconds("interval", &word("0"), &(1..=40_950)).unwrap_err()),
            "`interval` must be from 0.001 to 40.95 seconds, not `0`"
        );
        let huge = "9".repeat(100);
        assert!(message(number("n", &word(&huge), &(1..=9)).unwrap_err()).ends_with("999...`"));
    }

    #[test]
    fn placeholders_are_told_from_values() {
        for text in [
            "<interface>",
            "${vip}",
            "$IF",
            "__VIP__",
            "x.x.x.x",
            "x.x.x.x/24",
            "XX.XX.XX.88",
            "VIP_1/16",
            "{{ a }}",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["192.0.2.1/24", "2001:db8::1", "eth0", "floating_ip", "100;", "51", "PASS;"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn quoted_text_cannot_move_the_cursor() {
        assert_eq!(quote("a\u{1b}[2J\u{a0}b"), "`a\\u{1b}[2J\\u{a0}b`");
    }

    #[test]
    fn names_are_suggested_only_when_alike() {
        let names = ["advert_int", "priority", "fall", "rise"];
        assert_eq!(nearest("advert_in", names), Some("advert_int"));
        assert_eq!(nearest("\u{a0}Priority", names), Some("priority"));
        assert_eq!(nearest("fail", names), Some("fall"));
        assert_eq!(nearest("nat_mask", names), None);
    }
}
