//! The election against the tables of the RFCs: one row a test case, expected values written out.
//!
//! Times are microseconds since boot. The router under test is 192.0.2.10 and, unless a row says otherwise,
//! has priority 100 and an interval of one second, so that Skew_Time is 609375 us and Active_Down_Interval
//! 3609375 us in both versions (RFC 9568 §6.1, RFC 3768 §6.1).

mod active;
mod adopt;
mod backup;
mod configure;
mod delay;
mod edges;
mod lease;
mod words;

use std::net::Ipv4Addr;

use vrrp_common::{
    abi::Address,
    election::{
        Action, Advertised, Announcement, Fault, Input, Lease, Parameters, Peer, Reason, State, Transition,
        VirtualRouter,
    },
    time::{Instant, Interval},
    wire::Version,
};

/// What happens to a router at one time, and what must follow.
struct Row {
    now: u64,
    input: Input,
    actions: Vec<Action>,
    state: State,
    deadline: Option<u64>,
}

/// At `now`, `input` makes the router do `actions`, be in `state` and wait for `deadline`.
fn row(now: u64, input: Input, actions: &[Action], state: State, deadline: impl Into<Option<u64>>) -> Row {
    Row { now, input, actions: actions.to_vec(), state, deadline: deadline.into() }
}

#[track_caller]
fn check(name: &str, parameters: Parameters, rows: Vec<Row>) -> VirtualRouter {
    let mut router = VirtualRouter::new(parameters);
    for (index, row) in rows.into_iter().enumerate() {
        let place =
            format!("{name} ({:?}), step {index}: {:?} at {} us", parameters.version, row.input, row.now);
        let actions: Vec<_> = router.handle(row.input, at(row.now)).into_iter().collect();
        assert_eq!(actions, row.actions, "{place}");
        assert_eq!(router.state(), row.state, "{place}");
        assert_eq!(router.deadline(), row.deadline.map(at), "{place}");
    }
    router
}

const VERSIONS: [Version; 2] = [Version::V2, Version::V3];

/// Priority 100, one second, preempting at once.
fn parameters(version: Version) -> Parameters {
    Parameters {
        version,
        priority: 100,
        advertisement_interval: Interval::from_secs(1),
        preempt: true,
        preempt_delay: Interval::ZERO,
        down_timer_adverts: 3,
        source: host(10),
    }
}

fn nopreempt(version: Version) -> Parameters {
    Parameters { preempt: false, ..parameters(version) }
}

fn owner(version: Version) -> Parameters {
    Parameters { priority: 255, ..parameters(version) }
}

fn host(number: u8) -> Address {
    Address::from(std::net::IpAddr::from(Ipv4Addr::new(192, 0, 2, number)))
}

fn at(micros: u64) -> Instant {
    Instant::from_nanos(micros * 1_000)
}

fn micros(micros: u64) -> Interval {
    Interval::from_nanos(micros * 1_000)
}

/// An advertisement from 192.0.2.`number`, received at `time`, that carries an interval of one second.
fn heard(time: u64, number: u8, priority: u8) -> Input {
    heard_with(time, number, priority, 1_000_000)
}

fn heard_with(time: u64, number: u8, priority: u8, interval: u64) -> Input {
    let interval = micros(interval);
    Input::Advertisement(Advertised { at: at(time), source: host(number), priority, interval })
}

fn peer(number: u8, priority: u8, time: u64) -> Peer {
    Peer { source: host(number), priority, heard: at(time) }
}

fn sent(time: u64) -> Input {
    Input::Sent { granted: at(time), sent: at(time) }
}

fn transition(from: State, to: State, reason: Reason) -> Action {
    Action::Transition(Transition { from, to, reason })
}

fn advertise(priority: u8) -> Action {
    Action::Advertise { priority, interval: Interval::from_secs(1), copies: 1 }
}

fn grant(granted: u64, until: u64) -> Action {
    Action::Grant(Lease { granted: at(granted), until: at(until) })
}

const RESIGN: Action = Action::Advertise { priority: 0, interval: Interval::from_secs(1), copies: 3 };

/// A start in Backup at time 0.
fn started() -> Row {
    row(
        0,
        Input::Startup,
        &[transition(State::Initialize, State::Backup, Reason::Started)],
        State::Backup,
        3_609_375,
    )
}

/// Takes over from `from` and advertises `priority`.
fn takeover(from: State, reason: Reason, priority: u8) -> [Action; 2] {
    [transition(from, State::Active, reason), advertise(priority)]
}

/// What the first successful send asks for.
fn acquire(lease: Action) -> [Action; 3] {
    [lease, Action::Acquire, Action::Announce(Announcement::Takeover)]
}

/// Active at 3609375 us, because nothing was heard since the start.
fn became_active() -> [Row; 3] {
    let reason = Reason::NoAdvertisement { last: None, silence: micros(3_609_375) };
    let takeover = takeover(State::Backup, reason, 100);
    [
        started(),
        row(3_609_375, Input::Timer, &takeover, State::Active, 4_609_375),
        row(3_609_375, sent(3_609_375), &acquire(grant(3_609_375, 6_594_375)), State::Active, 4_609_375),
    ]
}

/// As [`became_active`], then `rows`.
fn active_then(rows: impl IntoIterator<Item = Row>) -> Vec<Row> {
    became_active().into_iter().chain(rows).collect()
}

fn faulted(from: State, fault: Fault) -> Action {
    transition(from, State::Fault, Reason::Faulted(fault))
}
