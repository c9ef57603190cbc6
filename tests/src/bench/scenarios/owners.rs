//! Two owners: every way in which the Active's daemon can die or hang, and an ordinary preemption. The client asks for
//! the address every millisecond in two ways.

use std::time::Duration;

use nix::libc::{SIGKILL, SIGSEGV, SIGSTOP, SIGTERM};
use vrrp_common::wire::Family;

use super::{Scenario, Scope};
use crate::bench::{
    contestants::{Contestant, PLAIN, SOCKET, TC, TUNED, XDP},
    frame::Row,
    play::{Cast, Gauge, Play, Trouble},
    routers::{Routers, V4, V6},
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "owners",
    about: "how long two hosts answer for the address when the Active's daemon dies, hangs or is preempted",
    rows,
};

const ALL: &[&dyn Contestant] = &[XDP, TC, SOCKET, PLAIN, TUNED];
/// The guard is the same on every datapath, so that one stands for all in most cells.
const FEW: &[&dyn Contestant] = &[XDP, PLAIN];
const MEASURE: &[Gauge] = &[Gauge::TwoOwners, Gauge::Outage];

const WAYS: &[(&str, Trouble)] = &[
    ("SIGKILL", Trouble::Signal(SIGKILL)),
    ("SIGSEGV", Trouble::Signal(SIGSEGV)),
    ("SIGSTOP", Trouble::Signal(SIGSTOP)),
    ("SIGSTOP for 0.5 s", Trouble::StopFor(Duration::from_millis(500))),
    ("SIGSTOP for 2 s", Trouble::StopFor(Duration::from_secs(2))),
    ("SIGSTOP for 10 s", Trouble::StopFor(Duration::from_secs(10))),
    ("frozen control group", Trouble::Freeze),
    ("clean stop", Trouble::Signal(SIGTERM)),
    (PREEMPTION, Trouble::Start),
];
const PREEMPTION: &str = "preemption";
/// Of a quick run: a name, milliseconds, family.
const QUICK: &[(&str, u64, Family)] = &[
    ("SIGKILL", 100, Family::V4),
    ("SIGSTOP for 2 s", 100, Family::V6),
    (PREEMPTION, 100, Family::V4),
    ("SIGKILL", 10, Family::V4),
];

fn rows(scope: Scope) -> Vec<Row> {
    let mut rows = Vec::new();
    for interval in [1000, 100, 10] {
        for family in [Family::V4, Family::V6] {
            for (name, trouble) in WAYS {
                if scope == Scope::Full || QUICK.contains(&(*name, interval, family)) {
                    rows.push(row(name, *trouble, interval, family, scope));
                }
            }
        }
    }
    rows
}

fn row(name: &str, trouble: Trouble, interval: u64, family: Family, scope: Scope) -> Row {
    let every = Duration::from_millis(interval);
    let cast = if trouble == Trouble::Start { Cast::Late } else { Cast::Pair };
    let families = if family == Family::V4 { V4 } else { V6 };
    let routers = Routers { families, ..Routers::one(every) };
    // The down timer, and as long again to see what comes of it.
    let lasts = Duration::from_secs(1) + every * 6;
    let play = Play { cast, trouble, routers, ..Play::pair(every, lasts, MEASURE) };
    let (family, is_common) = if family == Family::V4 { ("IPv4", interval == 100) } else { ("IPv6", false) };
    let contestants = if is_common && scope == Scope::Full { ALL } else { FEW };
    play.row("owners", format!("{name} at {interval} ms, {family}"), contestants, scope.pick(3, 2))
}
