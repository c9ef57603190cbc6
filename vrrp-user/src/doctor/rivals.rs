//! Other VRRP daemons in this network namespace.

use std::fs;

use super::{Finding, read};

/// What `comm` calls them, at most 15 letters.
const NAMES: [&str; 4] = ["keepalived", "vrrpd", "ucarp", "xvrrp"];

pub(super) fn examine() -> Vec<Finding> {
    let own = fs::read_link("/proc/self/ns/net").ok();
    let mut seen = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok) {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let name = read(&format!("/proc/{pid}/comm")).unwrap_or_default();
        let same = fs::read_link(format!("/proc/{pid}/ns/net")).ok() == own;
        if pid != std::process::id() && same && NAMES.contains(&name.as_str()) {
            seen.push((name, pid));
        }
    }
    NAMES.into_iter().filter_map(|name| tell(name, &seen)).collect()
}

/// One finding for all processes of a daemon: keepalived has several.
fn tell(name: &str, seen: &[(String, u32)]) -> Option<Finding> {
    let pids: Vec<String> =
        seen.iter().filter(|(found, _)| found == name).map(|(_, pid)| pid.to_string()).collect();
    if pids.is_empty() {
        return None;
    }
    let text = format!("{name} runs here (pid {})", pids.join(", "));
    Some(if name == "xvrrp" {
        Finding::ok("daemons", text)
    } else {
        Finding::notice(
            "daemons",
            text,
            "stop it, or let it have other virtual router IDs: one VRID, one daemon",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn all_processes_of_a_daemon_are_one_finding() {
        let seen = [("keepalived".to_owned(), 7), ("keepalived".to_owned(), 9), ("xvrrp".to_owned(), 11)];
        let keepalived = tell("keepalived", &seen).unwrap();
        assert_eq!(
            (keepalived.level, keepalived.text.as_str()),
            (Level::Notice, "keepalived runs here (pid 7, 9)")
        );
        assert_eq!(tell("xvrrp", &seen).unwrap().level, Level::Ok);
        assert_eq!(tell("vrrpd", &seen), None);
    }
}
