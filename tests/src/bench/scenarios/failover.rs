//! Failover: how long a client gets no answer when the Active's link, daemon or service goes.

use std::time::Duration;

use nix::libc::SIGTERM;

use super::{Scenario, Scope};
use crate::bench::{
    contestants::{Contestant, FRR, PLAIN, SOCKET, TC, TUNED, XDP},
    frame::Row,
    play::{Gauge, Play, Trouble},
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "failover",
    about: "how long a client gets no answer when the Active's link is cut or its daemon ends",
    rows,
};

const ALL: &[&dyn Contestant] = &[XDP, TC, SOCKET, PLAIN, TUNED, FRR];
const FEW: &[&dyn Contestant] = &[XDP, SOCKET, PLAIN, TUNED];

const TROUBLES: &[(&str, Trouble)] = &[
    ("link cut, carrier lost", Trouble::CutCarrier),
    ("link cut silently", Trouble::CutSilently),
    ("clean stop", Trouble::Signal(SIGTERM)),
];
const ONE: &[(&str, Trouble)] = &[("link cut silently", Trouble::CutSilently)];

fn rows(scope: Scope) -> Vec<Row> {
    let mut rows = Vec::new();
    for interval in scope.pick(&[10][..], &[1000, 100, 10]) {
        for (name, trouble) in scope.pick(ONE, TROUBLES) {
            let every = Duration::from_millis(*interval);
            let lasts = Duration::from_millis(500) + every * 5;
            let play = Play { trouble: *trouble, ..Play::pair(every, lasts, &[Gauge::Outage]) };
            let name = format!("{name} at {interval} ms");
            rows.push(play.row("failover", name, scope.pick(FEW, ALL), scope.pick(5, 9)));
        }
    }
    rows
}
