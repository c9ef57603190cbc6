//! Processor time, wakeups and system calls of nodes that have nothing to do but to hear or to speak.

use std::time::Duration;

use super::{Scenario, Scope};
use crate::bench::{
    contestants::{Contestant, FRR, PLAIN, SOCKET, TUNED, XDP},
    frame::Row,
    play::{Cast, Gauge, Play},
    routers::{BOTH, Routers, V4},
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "cost",
    about: "what an advertisement costs a Backup that hears it and an Active that sends it; wakeups, system calls",
    rows,
};

const ALL: &[&dyn Contestant] = &[XDP, SOCKET, PLAIN, TUNED, FRR];
const FEW: &[&dyn Contestant] = &[XDP, SOCKET, PLAIN, TUNED];

/// VRIDs, whether in both families, and milliseconds between advertisements.
const QUICK: &[(Cast, u8, bool, u64)] =
    &[(Cast::Backup, 1, false, 10), (Cast::Backup, 255, true, 100), (Cast::Active, 20, false, 100)];
const FULL: &[(Cast, u8, bool, u64)] = &[
    (Cast::Backup, 1, false, 1000),
    (Cast::Backup, 1, false, 100),
    (Cast::Backup, 1, false, 10),
    (Cast::Backup, 20, false, 1000),
    (Cast::Backup, 20, false, 100),
    (Cast::Backup, 20, false, 10),
    (Cast::Backup, 255, false, 1000),
    (Cast::Backup, 255, false, 100),
    (Cast::Backup, 255, true, 100),
    (Cast::Active, 1, false, 1000),
    (Cast::Active, 1, false, 10),
    (Cast::Active, 20, false, 100),
    (Cast::Active, 255, false, 1000),
    (Cast::Active, 255, false, 100),
];

fn rows(scope: Scope) -> Vec<Row> {
    let (cells, contestants) = scope.pick((QUICK, FEW), (FULL, ALL));
    cells.iter().map(|cell| row(*cell, scope, contestants)).collect()
}

fn row(
    (cast, count, both, interval): (Cast, u8, bool, u64),
    scope: Scope,
    contestants: &[&'static dyn Contestant],
) -> Row {
    let families = if both { BOTH } else { V4 };
    let routers = Routers::many(count, families, Duration::from_millis(interval));
    let name = format!("{cast:?}, {} routers at {interval} ms", routers.count());
    let lasts = Duration::from_secs(scope.pick(2, 3));
    let play = Play { cast, routers, ..Play::pair(Duration::ZERO, lasts, &[Gauge::Cost]) };
    play.row("cost", name, contestants, scope.pick(3, 2))
}
