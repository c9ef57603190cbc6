//! What rows declare: who is on the network, what weighs on them, what befalls them, what is measured. Playing it is
//! `stage`'s.

mod burden;
mod readings;
mod stage;

use std::time::Duration;

use super::{
    contestants::Contestant,
    frame::{Act, Row},
    gauge::cgroup::Bound,
    routers::Routers,
};
use crate::probe::Kind;

/// A row, declared.
#[derive(Clone, Debug)]
pub(super) struct Play {
    /// The virtual routers of each node.
    pub(super) routers: Routers,
    /// Who is there.
    pub(super) cast: Cast,
    /// Where it runs.
    pub(super) place: Place,
    /// What weighs on it.
    pub(super) burden: Burden,
    /// What befalls castor at the beginning of the measurement.
    pub(super) trouble: Trouble,
    /// How long is measured.
    pub(super) lasts: Duration,
    /// What is measured.
    pub(super) measure: &'static [Gauge],
}

/// Who is on the network. There is a client always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    /// A node on castor that is Backup, and a neighbour that advertises for every router.
    Backup,
    /// A node on castor that is Active, alone.
    Active,
    /// Castor is Active, pollux is Backup.
    Pair,
    /// Pollux is Active; castor, with the higher priority, is not started yet.
    Late,
}

/// Where nodes and loads run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Wherever the kernel likes.
    Anywhere,
    /// Castor's node and what weighs on it on the first processor, pollux's on the second. What is sent over a veth is
    /// received on the sender's processor: pollux hears although its own is busy.
    Apart,
    /// As `Apart`, and each one's processor receives what is sent to it, as that of a host of its own would.
    ApartReceivingThere,
}

/// What weighs on the nodes while they are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Burden {
    /// What runs.
    pub(super) load: Load,
    /// Whom that befalls, where it is a host's own.
    pub(super) side: Side,
    /// What the host may use, node and load together.
    pub(super) bound: Option<Bound>,
}

/// Whose host suffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Castor, which is Active.
    Active,
    /// Pollux, which is Backup.
    Backup,
    /// Each of them, on its own processor.
    Both,
}

/// What runs beside the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// Nothing.
    Nothing,
    /// So many frames of a kind in a second, from a neighbour.
    Traffic(Kind, u32),
    /// Shell text that never ends, so many times, on each host that suffers.
    Shell(&'static str, usize),
}

/// What befalls castor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing.
    Nothing,
    /// Its cable is pulled: it sees its carrier go.
    CutCarrier,
    /// Nothing passes behind its switch port any more, as when the whole host freezes.
    CutSilently,
    /// All processes of the node get this signal.
    Signal(i32),
    /// They are stopped, and go on after this time.
    StopFor(Duration),
    /// They are frozen in a control group.
    Freeze,
    /// The service that the routers need is killed.
    KillService,
    /// The node is started: it preempts pollux.
    Start,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gauge {
    /// Processor time for each advertisement that castor's node heard or sent, wakeups, system calls.
    Cost,
    /// Processor time and memory of the node under load.
    Weight,
    /// How long no client's echo request was answered.
    Outage,
    /// How long two hosts answered.
    TwoOwners,
    /// How often pollux took over although castor lived, and what that made of castor's advertisements.
    FalseTakeovers,
}

impl Burden {
    /// Nothing weighs.
    pub(super) const NONE: Self = Self::of(Load::Nothing, Side::Backup);

    /// This, on hosts that may use what there is.
    pub(super) const fn of(load: Load, side: Side) -> Self {
        Self { load, side, bound: None }
    }
}

impl Play {
    /// A pair with one router, a client, and nothing else.
    pub(super) const fn pair(interval: Duration, lasts: Duration, measure: &'static [Gauge]) -> Self {
        Self {
            routers: Routers::one(interval),
            cast: Cast::Pair,
            place: Place::Anywhere,
            burden: Burden::NONE,
            trouble: Trouble::Nothing,
            lasts,
            measure,
        }
    }

    /// The row of it.
    pub(super) fn row(
        self,
        scenario: &'static str,
        name: String,
        contestants: &[&'static dyn Contestant],
        rounds: u32,
    ) -> Row {
        let obstacle = |contestant: &dyn Contestant| contestant.obstacle(&self.routers);
        let contestants = contestants.iter().map(|one| (*one, obstacle(*one))).collect();
        let act: Act = Box::new(move |contestant| stage::perform(&self, contestant));
        Row { scenario, name, contestants, rounds, act }
    }
}
