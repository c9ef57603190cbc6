//! Floods of VRRP from a bad neighbour. None of them demands a change of state.

use std::time::Duration;

use super::{Scenario, Scope};
use crate::{
    bench::{
        contestants::{Contestant, PLAIN, SOCKET, TUNED, XDP},
        frame::Row,
        play::{Burden, Gauge, Load, Play, Side},
    },
    probe::Kind,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "flood",
    about: "an Active and its Backup under floods of VRRP packets: false takeovers, cadence, processor time, memory",
    rows,
};

const CONTESTANTS: &[&dyn Contestant] = &[XDP, SOCKET, PLAIN, TUNED];

const FLOODS: &[(Kind, u32, bool)] = &[
    (Kind::Junk, 100_000, false),
    (Kind::Junk, 300_000, true),
    (Kind::Unknown, 100_000, false),
    (Kind::Losing, 100_000, true),
    (Kind::Alternating, 100_000, false),
    (Kind::Farewell, 100_000, false),
];

fn rows(scope: Scope) -> Vec<Row> {
    let wanted = FLOODS.iter().filter(|(_, _, quick)| *quick || scope == Scope::Full);
    wanted.map(|(kind, rate, _)| row(*kind, *rate, scope)).collect()
}

fn row(kind: Kind, rate: u32, scope: Scope) -> Row {
    let lasts = Duration::from_secs(scope.pick(2, 4));
    let interval = Duration::from_millis(100);
    let play = Play {
        burden: Burden::of(Load::Traffic(kind, rate), Side::Backup),
        ..Play::pair(interval, lasts, &[Gauge::FalseTakeovers, Gauge::Weight])
    };
    let name = format!("{kind:?}, {rate} packets a second, routers at 100 ms").to_lowercase();
    play.row("flood", name, CONTESTANTS, scope.pick(3, 2))
}
