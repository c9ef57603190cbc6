//! The snapshot as text for people: RFC words with keepalived's beside them. No field is computed here.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use super::{
    AddressStatus, CheckStatus, Checksum, Counters, GuardStatus, RouterStatus, RoutingStatus, Status, peers,
};

/// The whole snapshot, one block a router.
pub fn render(status: &Status) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = write_node(&mut text, status);
    text
}

fn write_node(out: &mut String, status: &Status) -> fmt::Result {
    writeln!(
        out,
        "{}: xvrrp {}, pid {}, up {}",
        status.router_id,
        status.version,
        status.pid,
        seconds(status.uptime_seconds)
    )?;
    for router in &status.routers {
        writeln!(out)?;
        write_router(out, router)?;
    }
    for (interface, drops) in status.strangers.iter().filter(|(_, drops)| occurred(drops)) {
        writeln!(out, "\n{interface}: packets of no router here: {}", reasons(drops))?;
    }
    Ok(())
}

fn write_router(out: &mut String, router: &RouterStatus) -> fmt::Result {
    let family = if router.family == "ipv6" { "IPv6" } else { "IPv4" };
    writeln!(
        out,
        "{}: {}, VRID {} on {}, VRRPv{} over {family}",
        router.name,
        people_state(&router.state),
        router.vrid,
        router.interface,
        router.version
    )?;
    if let Some(fault) = &router.fault {
        line(out, "fault", fault)?;
    }
    if let Some(group) = &router.group {
        line(out, "group", group)?;
    }
    line(out, "priority", &priority(router))?;
    line(out, "active", &active(router))?;
    for peer in &router.peers {
        line(out, "peer", &peers::render(peer))?;
    }
    for address in &router.addresses {
        line(out, "address", &address_line(address))?;
    }
    for entry in &router.routing {
        line(out, "routing", &routing_line(entry))?;
    }
    if let Some(own) = &router.virtual_mac {
        line(out, "virtual MAC", &format!("{} on {}", own.mac, own.interface))?;
    }
    line(out, "datapath", &format!("{}: {}", router.datapath.name, router.datapath.reason))?;
    line(out, "guard", &guard(&router.guard))?;
    line(out, "timers", &timers(router))?;
    write_counters(out, router)?;
    for transition in &router.transitions {
        let words = format!(
            "{} {} -> {}: {}",
            clock(transition.at),
            people_state(&transition.from),
            people_state(&transition.to),
            transition.reason
        );
        line(out, "transition", &words)?;
    }
    Ok(())
}

fn write_counters(out: &mut String, router: &RouterStatus) -> fmt::Result {
    let counters = &router.counters;
    let received = format!(
        "{} ({} accepted, {} better, {} losing, {} of priority 0)",
        counters.received, counters.accepted, counters.better, counters.losing, counters.resigned
    );
    line(out, "received", &received)?;
    if counters.second_owner > 0 {
        let count = counters.second_owner;
        let words = format!(
            "second owner: {count} advertisements of another router, though this one has priority 255"
        );
        line(out, "warning", &words)?;
    }
    let mut sent = format!("{}, not sent {}", counters.sent, counters.send_errors);
    if let Some(error) = &counters.last_send_error {
        let _ = write!(sent, " (last: {error})");
    }
    if router.lateness.count > 0 {
        let late = &router.lateness;
        let _ = write!(sent, "; late by {} us (median), {} us (most)", late.p50_us, late.max_us);
    }
    line(out, "sent", &sent)?;
    if let Some(checksum) = &router.checksum {
        line(out, "checksum", &checksum_line(checksum, counters))?;
    }
    if occurred(&counters.dropped) {
        line(out, "dropped", &reasons(&counters.dropped))?;
    }
    Ok(())
}

fn line(out: &mut String, name: &str, value: &str) -> fmt::Result {
    writeln!(out, "  {name:<11} {value}")
}

fn priority(router: &RouterStatus) -> String {
    let priority = &router.priority;
    let checks: Vec<String> = priority.checks.iter().map(check).collect();
    let mut text = format!("{} (base {}", priority.effective, priority.base);
    if let Some(ordered) = &priority.ordered {
        text.push_str("; ");
        text.push_str(ordered);
    }
    for part in checks {
        text.push_str("; ");
        text.push_str(&part);
    }
    text.push(')');
    text
}

fn check(check: &CheckStatus) -> String {
    let reverse = if check.reverse { " reverse" } else { "" };
    format!("{} {}, weight {:+}{reverse}: {}", check.name, check.health, check.weight, check.detail)
}

fn active(router: &RouterStatus) -> String {
    match &router.active {
        None => "unknown".to_owned(),
        Some(active) if active.this_node => {
            format!("this node ({}), priority {}", active.address, active.priority)
        }
        Some(active) => format!(
            "{}, priority {}, last heard {} ago",
            active.address,
            active.priority,
            active.heard_seconds_ago.map_or_else(|| "never".to_owned(), seconds)
        ),
    }
}

fn guard(guard: &GuardStatus) -> String {
    let mut text = match (&guard.reason, guard.guarded) {
        (Some(reason), false) => return format!("none: {reason}"),
        (Some(reason), true) => format!("not on every interface: {reason}; "),
        (None, _) => String::new(),
    };
    match guard.open_for_ms {
        Some(left) => {
            let _ = write!(text, "open for {left:.1} ms");
        }
        None => text.push_str("closed"),
    }
    if occurred(&guard.packets) {
        let _ = write!(text, "; packets {}", reasons(&guard.packets));
    }
    text
}

fn address_line(address: &AddressStatus) -> String {
    let held = if address.held { "held" } else { "not held" };
    let mut text = format!("{} on {}: {held}", address.address, address.device);
    if let Some(error) = &address.refused {
        let _ = write!(text, "; the host refused it: {error}");
    }
    if address.restored > 0 {
        let _ = write!(text, "; put back {} times", address.restored);
    }
    text
}

fn routing_line(entry: &RoutingStatus) -> String {
    let mut text = format!("{}: {}", entry.entry, if entry.held { "set" } else { "not set" });
    if let Some(error) = &entry.refused {
        let _ = write!(text, "; {error}");
    }
    if entry.restored > 0 {
        let _ = write!(text, "; put back {} times", entry.restored);
    }
    text
}

fn timers(router: &RouterStatus) -> String {
    let timers = &router.timers;
    let mut text = format!(
        "Advertisement_Interval {} ms, Active_Down_Interval {} ms, Skew_Time {} ms",
        timers.advertisement_interval_ms, timers.active_down_interval_ms, timers.skew_time_ms
    );
    if let Some(left) = timers.deadline_in_ms {
        let _ = write!(text, "; next deadline in {left:.1} ms");
    }
    text
}

fn checksum_line(checksum: &Checksum, counters: &Counters) -> String {
    let covers = if checksum.sent == "message" { "the message alone" } else { "pseudo-header and message" };
    format!(
        "over {covers} ({}); heard {} over the message alone, {} over pseudo-header and message",
        checksum.configured, counters.checksum_message, counters.checksum_pseudo
    )
}

fn occurred(drops: &BTreeMap<String, u64>) -> bool {
    drops.values().any(|count| *count > 0)
}

fn reasons(drops: &BTreeMap<String, u64>) -> String {
    let occurred = drops.iter().filter(|(_, count)| **count > 0);
    occurred.map(|(reason, count)| format!("{count} {reason}")).collect::<Vec<_>>().join(", ")
}

/// "Active (MASTER)": the RFC's word and the one that operators of keepalived know.
pub(crate) fn people_state(state: &str) -> &str {
    match state {
        "active" => "Active (MASTER)",
        "backup" => "Backup",
        "fault" => "Fault",
        "initialize" => "Initialize",
        other => other,
    }
}

pub(super) fn seconds(value: f64) -> String {
    match value {
        v if v < 1.0 => format!("{:.0} ms", v * 1000.0),
        v if v < 120.0 => format!("{v:.1} s"),
        v if v < 7200.0 => format!("{:.0} min", v / 60.0),
        v => format!("{:.0} h", v / 3600.0),
    }
}

/// UTC time of day; the JSON form has the whole instant.
pub(super) fn clock(unix: f64) -> String {
    let day_millis = (unix * 1000.0) as u64 % 86_400_000;
    let (hours, minutes) = (day_millis / 3_600_000, day_millis / 60_000 % 60);
    format!("{hours:02}:{minutes:02}:{:06.3}Z", (day_millis % 60_000) as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        assert_eq!(seconds(0.0123), "12 ms");
        assert_eq!(seconds(61.25), "61.2 s");
        assert_eq!(seconds(600.0), "10 min");
        assert_eq!(clock(1_000_000_000.5), "01:46:40.500Z");
    }
}
