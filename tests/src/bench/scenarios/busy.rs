//! False failovers: hosts suffer, and no daemon fails. Whoever takes over then is wrong.

use std::time::Duration;

use super::{Scenario, Scope};
use crate::{
    bench::{
        contestants::{Contestant, PLAIN, SOCKET, TUNED, XDP},
        frame::Row,
        gauge::cgroup::Bound,
        play::{Burden, Gauge, Load, Place, Play, Side},
        routers::{Routers, V4},
    },
    probe::Kind,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "busy",
    about: "false takeovers while the host of the Backup, of the Active or of both suffers",
    rows,
};

const CONTESTANTS: &[&dyn Contestant] = &[XDP, SOCKET, PLAIN, TUNED];

/// What a host can suffer from.
struct Suffering {
    name: &'static str,
    load: Load,
    bound: Option<Bound>,
    /// Whom it befalls, in a full run at 10 ms.
    sides: &'static [Side],
    /// Whom it befalls in a quick run.
    quick: &'static [Side],
}

/// Where and how it befalls.
#[derive(Clone, Copy)]
struct Cell {
    /// Milliseconds.
    interval: u64,
    side: Side,
    routers: u8,
    place: Place,
}

/// As many virtual routers as some hosts have.
const MANY: u8 = 50;
const HOG: &str = "while :; do :; done";
/// To a file without a name: nothing is left, however the loop ends.
const WRITE: &str = "f=$(mktemp -p /var/tmp); exec 3>$f; rm $f; \
                     while :; do dd if=/dev/zero of=/dev/fd/3 bs=1M count=32 conv=fsync status=none; done";
const ALL: &[Side] = &[Side::Backup, Side::Active, Side::Both];
const BACKUP: &[Side] = &[Side::Backup];
const ACTIVE: &[Side] = &[Side::Active];

const SUFFERINGS: &[Suffering] = &[
    Suffering { name: "64 CPU hogs", load: Load::Shell(HOG, 64), bound: None, sides: ALL, quick: ACTIVE },
    Suffering {
        name: "48 loops that fork and execute",
        load: Load::Shell("while :; do /bin/true; done", 48),
        bound: None,
        sides: ALL,
        quick: BACKUP,
    },
    Suffering {
        name: "a real-time hog",
        load: Load::Shell("exec chrt --fifo 99 sh -c 'while :; do :; done'", 1),
        bound: None,
        // On both processors it leaves none to whoever measures.
        sides: &[Side::Backup, Side::Active],
        quick: BACKUP,
    },
    Suffering {
        name: "8 hogs and the node in a fifth of a processor",
        load: Load::Shell(HOG, 8),
        bound: Some(Bound::Cpu(20)),
        sides: ALL,
        quick: BACKUP,
    },
    Suffering {
        name: "memory used up to a limit of 64 MiB again and again",
        load: Load::Shell("while :; do head -c 48M /dev/zero | tail -c 48M >/dev/null; done", 2),
        bound: Some(Bound::Memory(64)),
        sides: ALL,
        quick: &[],
    },
    Suffering {
        name: "4 loops that make and remove links",
        load: Load::Shell("while :; do ip link add d$$ link eth0 type macvlan; ip link del d$$; done", 4),
        bound: None,
        sides: ALL,
        quick: &[],
    },
    Suffering {
        name: "4 loops that write to the disk and wait for it",
        load: Load::Shell(WRITE, 4),
        bound: None,
        sides: BACKUP,
        quick: &[],
    },
    Suffering {
        name: "100000 packets a second from a stranger",
        load: Load::Traffic(Kind::Unknown, 100_000),
        bound: None,
        // They come to all hosts.
        sides: &[Side::Both],
        quick: &[],
    },
];

fn rows(scope: Scope) -> Vec<Row> {
    SUFFERINGS.iter().flat_map(|suffering| suffering.rows(scope)).collect()
}

impl Suffering {
    /// Every side at 10 ms, where least is needed to be late. At 30 and 100 ms the whole of it. And a Backup of many
    /// routers, which has much to catch up with; and one whose receiving its own load cannot hold up.
    fn rows(&self, scope: Scope) -> Vec<Row> {
        let at = |interval, side| Cell { interval, side, routers: 1, place: Place::ApartReceivingThere };
        let many = Cell { routers: MANY, ..at(10, Side::Backup) };
        let mut cells = Vec::new();
        if scope == Scope::Quick {
            let one = |side| if side == Side::Backup { many } else { at(10, side) };
            cells.extend(self.quick.iter().copied().map(one));
        } else {
            cells.extend(self.sides.iter().map(|side| at(10, *side)));
            cells.extend(self.sides.last().into_iter().flat_map(|last| [at(30, *last), at(100, *last)]));
            if self.sides.contains(&Side::Backup) {
                cells.extend([many, Cell { place: Place::Apart, ..at(10, Side::Backup) }]);
            }
        }
        cells.into_iter().map(|cell| self.row(cell, scope)).collect()
    }

    fn row(&self, Cell { interval, side, routers, place }: Cell, scope: Scope) -> Row {
        let lasts = Duration::from_secs(scope.pick(3, 4));
        let measure = &[Gauge::FalseTakeovers, Gauge::Weight];
        let burden = Burden { bound: self.bound, ..Burden::of(self.load, side) };
        let every = Duration::from_millis(interval);
        let pair = Play { burden, place, ..Play::pair(every, lasts, measure) };
        let (play, many) = match routers {
            1 => (pair, String::new()),
            _ => (
                Play { routers: Routers::many(routers, V4, every), ..pair },
                format!(" of {routers} routers"),
            ),
        };
        let whom = match side {
            Side::Active => "the Active",
            Side::Backup => "the Backup",
            Side::Both => "both",
        };
        let received = if place == Place::Apart { ", received on the sender's processor" } else { "" };
        let name = format!("{} on {whom}{many} at {interval} ms{received}", self.name);
        play.row("busy", name, CONTESTANTS, scope.pick(3, 2))
    }
}
