//! What happened to a router: its last transitions, for `status`, and the one log line each. Nothing decides here.

use std::{
    collections::VecDeque,
    time::{SystemTime, UNIX_EPOCH},
};

use vrrp_common::{
    election::{Fault, Reason, State, Transition},
    time::Instant,
};

use super::Node;
use crate::{
    status::{TransitionRecord, people_state},
    sys::clock,
};

/// Transitions kept for `status`.
const KEPT: usize = 32;

/// The last transitions of one router.
#[derive(Default)]
pub(super) struct History {
    records: VecDeque<TransitionRecord>,
    became_active: u64,
    released_active: u64,
}

impl History {
    /// Records and logs a transition.
    pub(super) fn note(&mut self, name: &str, transition: &Transition, reason: String) {
        let record = TransitionRecord {
            at: unix_time(),
            from: state_word(transition.from).to_owned(),
            to: state_word(transition.to).to_owned(),
            reason,
        };
        tracing::info!(
            "{name}: {} -> {}: {}",
            people_state(&record.from),
            people_state(&record.to),
            record.reason
        );
        self.became_active += u64::from(transition.to == State::Active);
        self.released_active += u64::from(transition.from == State::Active);
        if self.records.len() == KEPT {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }

    pub(super) fn records(&self) -> Vec<TransitionRecord> {
        self.records.iter().cloned().collect()
    }

    pub(super) fn became_active(&self) -> u64 {
        self.became_active
    }

    pub(super) fn released_active(&self) -> u64 {
        self.released_active
    }
}

/// The state as the JSON form names it.
pub(super) fn state_word(state: State) -> &'static str {
    match state {
        State::Initialize => "initialize",
        State::Fault => "fault",
        State::Backup => "backup",
        State::Active => "active",
    }
}

impl Node {
    /// A fault of a router in words, with the check's or the other router's own name.
    pub(super) fn fault_words(&self, index: usize, fault: Fault) -> String {
        let checks = &self.checks;
        match fault {
            Fault::CheckFailing(check) => {
                let check = usize::from(check);
                format!("check {} fails: {}", checks.name(check), checks.detail(check, clock::now()))
            }
            Fault::CheckPending(check) => {
                format!("check {} has not reported yet", checks.name(usize::from(check)))
            }
            Fault::GroupMember(place) => {
                format!("{} of the same group is in Fault", self.group_member_name(index, place))
            }
            other => other.to_string(),
        }
    }

    /// Why a router changed its state, in words.
    pub(super) fn reason_words(&self, index: usize, reason: &Reason) -> String {
        match reason {
            Reason::Faulted(fault) => self.fault_words(index, *fault),
            Reason::Recovered(Fault::CheckFailing(check) | Fault::CheckPending(check)) => {
                format!("check {} succeeds", self.checks.name(usize::from(*check)))
            }
            other => other.to_string(),
        }
    }
}

/// An instant in seconds since 1970, if the wall clock has not been set since.
pub(super) fn unix_time_of(at: Instant, now: Instant) -> f64 {
    // To the microsecond, which a double holds exactly.
    unix_time() - (now.since(at).as_nanos() / 1000) as f64 / 1e6
}

/// Seconds since 1970, for people and programs; no decision uses it.
fn unix_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
