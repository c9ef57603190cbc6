//! False failovers: the Backup's host suffers, the Active's does not. Whoever takes over then is wrong.

use std::time::Duration;

use super::{Scenario, Scope};
use crate::{
    bench::{
        contestants::{Contestant, PLAIN, SOCKET, TC, TUNED, XDP},
        frame::Row,
        play::{Gauge, Load, Place, Play},
    },
    probe::Kind,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "busy",
    about: "false takeovers while the Backup's host suffers and the Active's does not",
    rows,
};

const ALL: &[&dyn Contestant] = &[XDP, TC, SOCKET, PLAIN, TUNED];
const FEW: &[&dyn Contestant] = &[XDP, SOCKET, PLAIN, TUNED];

const LOADS: &[(&str, Load)] = &[
    ("16 CPU hogs", Load::Shell("while :; do :; done", 16)),
    ("8 loops that fork and execute", Load::Shell("while :; do /bin/true; done", 8)),
    ("a real-time hog", Load::Shell("exec chrt --fifo 99 sh -c 'while :; do :; done'", 1)),
    (
        "4 loops that make and remove links",
        Load::Shell("while :; do ip link add d$$ link eth0 type macvlan; ip link del d$$; done", 4),
    ),
    ("a flood of 100000 packets a second", Load::Traffic(Kind::Unknown, 100_000)),
];
const PLACES: &[(&str, Place)] = &[
    ("received on the sender's processor", Place::Apart),
    ("received on the Backup's processor", Place::ApartReceivingThere),
];

fn rows(scope: Scope) -> Vec<Row> {
    let mut rows = Vec::new();
    for interval in scope.pick(&[10][..], &[10, 30, 100]) {
        for (place_name, place) in PLACES {
            for (load_name, load) in scope.pick(&LOADS[1..2], LOADS) {
                let lasts = Duration::from_secs(scope.pick(3, 6));
                let measure = &[Gauge::FalseTakeovers, Gauge::Weight];
                let pair = Play::pair(Duration::from_millis(*interval), lasts, measure);
                let play = Play { load: *load, place: *place, ..pair };
                let name = format!("{load_name} at {interval} ms, {place_name}");
                rows.push(play.row("busy", name, scope.pick(FEW, ALL), scope.pick(3, 3)));
            }
        }
    }
    rows
}
