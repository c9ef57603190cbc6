//! `xvrrp doctor`: can this host run each rung, and what about it would hurt a virtual router? It looks and changes
//! nothing; each finding says what to do.

mod firewall;
mod host;
mod interface;
mod rivals;
#[cfg(test)]
mod wire_tests;

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// A node runs, with something less or in another way.
    Notice,
    /// A node does not run, or its addresses are not served.
    Problem,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// "kernel", "rights", "eth0".
    pub subject: String,
    /// What was found.
    pub text: String,
    /// What to do about it; none if all is well.
    pub remedy: Option<String>,
}

impl Finding {
    fn ok(subject: &str, text: impl Into<String>) -> Self {
        Self { level: Level::Ok, subject: subject.to_owned(), text: text.into(), remedy: None }
    }

    fn notice(subject: &str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Notice, remedy: Some(remedy.into()), ..Self::ok(subject, text) }
    }

    fn problem(subject: &str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Problem, ..Self::notice(subject, text, remedy) }
    }
}

/// Looks at the host and at these interfaces; at every Ethernet interface that is up if none is named.
pub fn examine(interfaces: &[String]) -> Vec<Finding> {
    let mut findings = host::examine();
    findings.extend(firewall::examine());
    findings.extend(rivals::examine());
    findings.extend(interface::examine(interfaces));
    findings
}

/// The worst of them.
pub fn worst(findings: &[Finding]) -> Level {
    findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
}

/// The findings for people, a remedy on a line of its own.
pub fn render(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { level, subject, text: found, remedy } in findings {
        let level = match level {
            Level::Ok => "ok",
            Level::Notice => "notice",
            Level::Problem => "PROBLEM",
        };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{level:<8}{subject:<10} {found}");
        if let Some(remedy) = remedy {
            let _ = writeln!(text, "{:<19}-> {remedy}", "");
        }
    }
    text
}

/// The text of a small file of the kernel's, without blanks around it.
fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_says_how_bad_it_is_and_what_to_do() {
        let findings = [
            Finding::ok("kernel", "Linux 6.18"),
            Finding::notice("eth0", "no XDP: another one is there", "remove it"),
            Finding::problem("rights", "CAP_NET_RAW is missing", "run it as root"),
        ];
        let expected = "ok      kernel     Linux 6.18\n\
                        notice  eth0       no XDP: another one is there\n                   -> remove it\n\
                        PROBLEM rights     CAP_NET_RAW is missing\n                   -> run it as root\n";
        assert_eq!(render(&findings), expected);
        assert_eq!(worst(&findings), Level::Problem);
        assert_eq!(worst(&findings[..2]), Level::Notice);
        assert_eq!(worst(&[]), Level::Ok);
    }
}
