//! Firewall rules on protocol 112: what they say is not what xvrrp hears and sends.

use std::process::Command;

use super::Finding;

/// Programs that list rules, and how the one finding of each is named. `iptables-save` lists nft's rules too where
/// Debian's alternatives say so; a rule that is told twice harms nobody.
const LISTS: [(&str, &[&str]); 3] =
    [("nft", &["list", "ruleset"]), ("iptables-save", &[]), ("ip6tables-save", &[])];

pub(super) fn examine() -> Vec<Finding> {
    let findings: Vec<Finding> =
        LISTS.iter().flat_map(|(program, arguments)| list(program, arguments)).collect();
    if findings.is_empty() {
        return vec![Finding::ok("firewall", "no rule on protocol 112 was found")];
    }
    findings
}

/// A program that is not installed has no rules of its own; one that fails says why.
fn list(program: &str, arguments: &[&str]) -> Vec<Finding> {
    let Ok(output) = Command::new(program).args(arguments).output() else { return Vec::new() };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let text =
            format!("{program} could not list its rules: {}", said.lines().next().unwrap_or("no word"));
        return vec![Finding::notice("firewall", text, "run it as root to have them looked at")];
    }
    let rules = String::from_utf8_lossy(&output.stdout).into_owned();
    rules.lines().filter(|rule| is_about_vrrp(rule)).map(|rule| tell(program, rule.trim())).collect()
}

fn tell(program: &str, rule: &str) -> Finding {
    let text = format!("{program}: {rule}");
    let remedy = "it does not bind xvrrp, which hears all advertisements and sends multicast below the firewall: \
                  choose whom to hear by `accept_from`; only what is sent to unicast peers meets the rule";
    Finding::notice("firewall", text, remedy)
}

/// Whether a rule names the protocol, as nft and iptables print it: `ip protocol vrrp`, `meta l4proto { 6, 112 }`,
/// `-p 112`.
fn is_about_vrrp(rule: &str) -> bool {
    const BEFORE: [&str; 5] = ["protocol", "l4proto", "nexthdr", "-p", "--protocol"];
    let mut words = rule.split([' ', '\t', ',']).filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if BEFORE.contains(&word) && names_protocol(&mut words) {
            return true;
        }
    }
    false
}

/// Whether the one word or the set that follows has it; nft may say how it compares before.
fn names_protocol<'a>(words: &mut impl Iterator<Item = &'a str>) -> bool {
    let is_protocol = |word: &str| ["112", "vrrp"].contains(&word);
    let mut words = words.skip_while(|word| ["!=", "==", "vmap"].contains(word));
    match words.next() {
        Some("{") => words.take_while(|word| *word != "}").any(is_protocol),
        Some(word) => is_protocol(word),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_on_the_protocol_are_told_from_others() {
        for rule in [
            "\t\tip protocol vrrp drop",
            "\t\tmeta l4proto { 6, 112 } accept",
            "\t\tmeta l4proto vmap { 112 : drop, 6 : accept }",
            "\t\tip protocol != 112 accept",
            "\t\tip6 nexthdr 112 counter packets 0 bytes 0 drop",
            "-A INPUT -p vrrp -j DROP",
            "-A INPUT -s 192.0.2.1/32 -p 112 -j ACCEPT",
        ] {
            assert!(is_about_vrrp(rule), "{rule}");
        }
        for rule in [
            "tcp dport 112 accept",
            "meta l4proto { 6, 17 } th dport 112 accept",
            "-A INPUT -p tcp -m tcp --dport 112 -j ACCEPT",
            "table ip filter {",
            "",
        ] {
            assert!(!is_about_vrrp(rule), "{rule}");
        }
    }
}
