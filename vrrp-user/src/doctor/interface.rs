//! One interface: which rungs it offers, who holds its hooks, and settings that hurt whoever shares an address.

use super::{Finding, read};
use crate::{
    datapath::survey,
    netlink::{self, Surveyed},
};

pub(super) fn examine(wanted: &[String]) -> Vec<Finding> {
    let there = match netlink::survey() {
        Ok(there) => there,
        Err(error) => {
            let text = format!("the interfaces cannot be listed: {error}");
            return vec![Finding::problem(
                "interfaces",
                text,
                "look whether netlink sockets are forbidden here",
            )];
        }
    };
    if wanted.is_empty() {
        return there.iter().filter(|link| link.up).flat_map(examine_one).collect();
    }
    let find = |name: &String| there.iter().find(|link| link.name == *name);
    wanted.iter().flat_map(|name| find(name).map_or_else(|| vec![absent(name)], examine_one)).collect()
}

fn absent(name: &str) -> Finding {
    Finding::problem(
        name,
        "there is no such Ethernet interface",
        "a router on it waits in Fault until there is",
    )
}

fn examine_one(link: &Surveyed) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !link.up {
        let remedy = format!("ip link set dev {} up", link.name);
        findings.push(Finding::problem(&link.name, "it is down: a router on it stays in Fault", remedy));
    }
    findings.push(xdp(link));
    findings.push(tc(link));
    findings.extend(settings(&link.name));
    findings
}

fn xdp(link: &Surveyed) -> Finding {
    const OTHER: &str = "nothing, if tc will do: `datapath auto` hears there; else detach it with `ip link set dev \
                         IFACE xdp off`";
    if let Some(holder) = link.xdp.map(survey::program) {
        return if survey::is_ours(&holder) {
            Finding::ok(&link.name, format!("XDP: {holder} is attached, which is xvrrp's"))
        } else {
            Finding::notice(&link.name, format!("XDP: {holder} is attached, another's program"), OTHER)
        };
    }
    match survey::xdp(&link.name) {
        Ok(()) => Finding::ok(&link.name, "XDP: free, and attaching does not touch the link"),
        Err(reason) => Finding::notice(
            &link.name,
            format!("XDP: {reason}"),
            "nothing, if tc will do: `datapath auto` hears there",
        ),
    }
}

fn tc(link: &Surveyed) -> Finding {
    let clsact = if link.clsact { "; a clsact is there" } else { "" };
    match survey::tcx(&link.name) {
        Ok(others) if others.is_empty() => {
            Finding::ok(&link.name, format!("tcx: nobody else is there{clsact}"))
        }
        Ok(others) => {
            let others = others.join(", ");
            let text =
                format!("tcx: {others} of others; xvrrp's go first and hand on what is not theirs{clsact}");
            Finding::ok(&link.name, text)
        }
        Err(reason) => {
            let remedy = "nothing: clsact is used, whose filter goes first";
            Finding::notice(&link.name, format!("tcx: {reason}{clsact}"), remedy)
        }
    }
}

/// A setting under /proc/sys/net/ipv4/conf, the least of its values that hurts, and how.
struct Setting {
    name: &'static str,
    hurts_from: u32,
    is_problem: bool,
    text: &'static str,
}

const SETTINGS: [Setting; 4] = [
    Setting {
        name: "arp_ignore",
        hurts_from: 8,
        is_problem: true,
        text: "the host answers no ARP: nobody finds the virtual addresses",
    },
    Setting {
        name: "arp_ignore",
        hurts_from: 2,
        is_problem: false,
        text: "ARP is answered within the address's own network only: a virtual address with /32 is not found",
    },
    Setting {
        name: "arp_filter",
        hurts_from: 1,
        is_problem: false,
        text: "ARP is answered only where the route to the asker goes: a virtual address may not be found",
    },
    Setting {
        name: "rp_filter",
        hurts_from: 1,
        is_problem: false,
        text: "packets are dropped that come in elsewhere than their answers go out: unicast advertisements and \
               clients behind another interface",
    },
];

fn settings(interface: &str) -> Vec<Finding> {
    let value = |name: &str| effective(name, interface);
    let mut findings: Vec<Finding> = Vec::new();
    for setting in &SETTINGS {
        let value = value(setting.name);
        // Loose (2) hurts nobody; of two rows on one setting the first that applies is enough.
        let loose = setting.name == "rp_filter" && value == 2;
        let told = findings.iter().any(|finding| finding.text.starts_with(setting.name));
        if value >= setting.hurts_from && !loose && !told {
            findings.push(tell(interface, setting, value));
        }
    }
    findings
}

fn tell(interface: &str, setting: &Setting, value: u32) -> Finding {
    let Setting { name, text, .. } = setting;
    let text = format!("{name} is {value}: {text}");
    let remedy = format!("sysctl net.ipv4.conf.{interface}.{name}=0 (and net.ipv4.conf.all.{name}=0)");
    if setting.is_problem {
        Finding::problem(interface, text, remedy)
    } else {
        Finding::notice(interface, text, remedy)
    }
}

/// The kernel takes the larger of the interface's value and of all interfaces'.
fn effective(name: &str, interface: &str) -> u32 {
    let one = |place: &str| read(&format!("/proc/sys/net/ipv4/conf/{place}/{name}"))?.parse().ok();
    one("all").into_iter().chain(one(interface)).max().unwrap_or(0)
}
