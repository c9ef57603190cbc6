//! Failover: how long a client gets no answer when the Active's link, daemon or service goes.

use std::time::Duration;

use nix::libc::{SIGKILL, SIGSTOP, SIGTERM};

use super::{Scenario, Scope};
use crate::bench::{
    contestants::{Contestant, FRR, PLAIN, SOCKET, TUNED, XDP},
    frame::Row,
    play::{Gauge, Play, Trouble},
    routers::Routers,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "failover",
    about: "how long a client gets no answer when the Active's link is cut, its daemon ends or its service dies",
    rows,
};

const ALL: &[&dyn Contestant] = &[XDP, SOCKET, PLAIN, FRR];
const FEW: &[&dyn Contestant] = &[XDP, SOCKET, PLAIN, TUNED];
const SILENT: &str = "link cut silently";
const CLEAN: &str = "clean stop";

const TROUBLES: &[(&str, Trouble)] = &[
    (SILENT, Trouble::CutSilently),
    ("link cut, carrier lost", Trouble::CutCarrier),
    ("daemon killed", Trouble::Signal(SIGKILL)),
    ("daemon stopped", Trouble::Signal(SIGSTOP)),
    (CLEAN, Trouble::Signal(SIGTERM)),
    ("service killed, looked at every second", Trouble::KillService),
];
/// How long a check may take to see what it looks for.
const CHECKED: Duration = Duration::from_secs(2);

fn rows(scope: Scope) -> Vec<Row> {
    let mut rows = Vec::new();
    for interval in scope.pick(&[10][..], &[1000, 100, 10]) {
        for (name, trouble) in TROUBLES {
            if scope == Scope::Full || [SILENT, CLEAN].contains(name) {
                rows.push(row(name, *trouble, *interval, scope));
            }
        }
    }
    rows
}

fn row(name: &str, trouble: Trouble, interval: u64, scope: Scope) -> Row {
    let every = Duration::from_millis(interval);
    let has_service = trouble == Trouble::KillService;
    let lasts = Duration::from_millis(500) + every * 5 + if has_service { CHECKED } else { Duration::ZERO };
    let routers = Routers { has_service, ..Routers::one(every) };
    let play = Play { trouble, routers, ..Play::pair(every, lasts, &[Gauge::Outage]) };
    play.row("failover", format!("{name} at {interval} ms"), scope.pick(FEW, ALL), scope.pick(3, 4))
}
