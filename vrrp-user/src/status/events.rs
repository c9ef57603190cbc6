//! What happened lately: transitions and refused packets, for `events` in JSON and in text. Nothing is gathered here.

use std::{
    fmt::{self, Write},
    net::IpAddr,
};

use serde::{Deserialize, Serialize};

use super::{
    TransitionRecord,
    text::{clock, people_state},
};

/// What happened lately on the whole node. Its size is bounded: 32 transitions, and one refusal a reason, for
/// each router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Events {
    /// Changes of state, oldest first.
    pub transitions: Vec<RouterTransition>,
    /// Refused packets by router and reason.
    pub refusals: Vec<RefusalRecord>,
}

/// A change of state and whose it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RouterTransition {
    /// The instance's name.
    pub router: String,
    /// What happened.
    #[serde(flatten)]
    pub transition: TransitionRecord,
}

/// Packets for one router that were refused for one reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefusalRecord {
    /// The instance's name.
    pub router: String,
    /// The reason as `status` counts it.
    pub reason: String,
    /// The reason in words, with the remedy.
    pub sentence: String,
    /// How many, since the router began to listen.
    pub count: u64,
    /// Who sent the last one, if the datapath knows.
    pub source: Option<IpAddr>,
    /// When the last one came, Unix time in seconds, if the datapath knows.
    pub at: Option<f64>,
}

/// One line an event, oldest first.
pub fn render(events: &Events) -> String {
    let transitions = events.transitions.iter().map(|one| (one.transition.at, transition(one)));
    let refusals = events.refusals.iter().map(|one| (one.at.unwrap_or(0.0), refusal(one)));
    let mut lines: Vec<(f64, String)> = transitions.chain(refusals).collect();
    if lines.is_empty() {
        return "nothing has happened yet\n".to_owned();
    }
    lines.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

fn transition(event: &RouterTransition) -> String {
    let TransitionRecord { at, from, to, reason } = &event.transition;
    let (from, to) = (people_state(from), people_state(to));
    format!("{}  {}: {from} -> {to}: {reason}", clock(*at), event.router)
}

fn refusal(event: &RefusalRecord) -> String {
    let RefusalRecord { router, reason, sentence, count, source, at } = event;
    let time = at.map_or_else(|| "time unknown ".to_owned(), clock);
    let mut line = format!("{time}  {router}: refused {count} ({reason})");
    // Writing into a String cannot fail.
    let _: fmt::Result = match source {
        Some(source) => write!(line, ", the last from {source}: {sentence}"),
        None => write!(line, ": {sentence}"),
    };
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_read_as_a_timeline() {
        let transition = TransitionRecord {
            at: 1_000_000_001.0,
            from: "backup".to_owned(),
            to: "active".to_owned(),
            reason: "no advertisement for 361 ms".to_owned(),
        };
        let refusal = RefusalRecord {
            router: "VI_1".to_owned(),
            reason: "ttl".to_owned(),
            sentence: "the TTL is not allowed".to_owned(),
            count: 25,
            source: Some(IpAddr::from([192, 0, 2, 3])),
            at: Some(1_000_000_000.5),
        };
        let unknown = RefusalRecord { source: None, at: None, ..refusal.clone() };
        let transitions = vec![RouterTransition { router: "VI_1".to_owned(), transition }];
        let text = render(&Events { transitions, refusals: vec![refusal, unknown] });
        assert_eq!(
            text,
            "time unknown   VI_1: refused 25 (ttl): the TTL is not allowed\n\
             01:46:40.500Z  VI_1: refused 25 (ttl), the last from 192.0.2.3: the TTL is not allowed\n\
             01:46:41.000Z  VI_1: Backup -> Active (MASTER): no advertisement for 361 ms\n"
        );
        assert_eq!(
            render(&Events { transitions: Vec::new(), refusals: Vec::new() }),
            "nothing has happened yet\n"
        );
    }
}
