//! Two owners: every way in which the Active's daemon can die or hang, and an ordinary preemption. The client asks for
//! the address every millisecond in two ways.

use std::time::Duration;

use nix::libc::{SIGKILL, SIGSEGV, SIGSTOP};

use super::{Scenario, Scope};
use crate::bench::{
    contestants::{Contestant, PLAIN, SOCKET, TC, TUNED, XDP},
    frame::Row,
    play::{Cast, Gauge, Play, Trouble},
    routers::{Routers, V6},
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "owners",
    about: "how long two hosts answer for the address when the Active's daemon dies, hangs or is preempted",
    rows,
};

const ALL: &[&dyn Contestant] = &[XDP, TC, SOCKET, PLAIN, TUNED];
const FEW: &[&dyn Contestant] = &[XDP, SOCKET, PLAIN];
const MEASURE: &[Gauge] = &[Gauge::TwoOwners, Gauge::Outage];

const WAYS: &[(&str, Trouble, bool)] = &[
    ("SIGKILL", Trouble::Signal(SIGKILL), true),
    ("SIGSEGV", Trouble::Signal(SIGSEGV), false),
    ("SIGSTOP", Trouble::Signal(SIGSTOP), false),
    ("SIGSTOP for 0.5 s", Trouble::StopFor(Duration::from_millis(500)), false),
    ("SIGSTOP for 2 s", Trouble::StopFor(Duration::from_secs(2)), true),
    ("SIGSTOP for 10 s", Trouble::StopFor(Duration::from_secs(10)), false),
    ("frozen control group", Trouble::Freeze, false),
    ("preemption", Trouble::Start, true),
];

fn rows(scope: Scope) -> Vec<Row> {
    let mut rows = Vec::new();
    for interval in scope.pick(&[100][..], &[1000, 100, 10]) {
        for (name, trouble, quick) in WAYS {
            if scope == Scope::Full || *quick {
                rows.push(row(name, *trouble, *interval, scope, false));
            }
            if scope == Scope::Full && *interval == 100 {
                rows.push(row(name, *trouble, *interval, scope, true));
            }
        }
    }
    rows
}

fn row(name: &str, trouble: Trouble, interval: u64, scope: Scope, v6: bool) -> Row {
    let every = Duration::from_millis(interval);
    let cast = if trouble == Trouble::Start { Cast::Late } else { Cast::Pair };
    let mut routers = Routers::one(every);
    if v6 {
        routers.families = V6;
    }
    // The down timer, and as long again to see what comes of it.
    let lasts = Duration::from_secs(1) + every * 6;
    let play = Play { cast, trouble, routers, ..Play::pair(every, lasts, MEASURE) };
    let family = if v6 { "IPv6" } else { "IPv4" };
    play.row("owners", format!("{name} at {interval} ms, {family}"), scope.pick(FEW, ALL), scope.pick(3, 3))
}
