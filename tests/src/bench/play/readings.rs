//! What a round's evidence says in numbers.

use std::time::Duration;

use super::{Cast, Gauge, Play, Trouble};
use crate::{
    bench::{
        frame::{Reading, Round},
        gauge::{observer::Sight, process::Usage},
    },
    probe::{Nanos, Sent},
};

/// Hosts' numbers.
const CASTOR: u8 = 1;
const POLLUX: u8 = 2;

/// Everything that was measured.
pub(super) struct Evidence<'a> {
    pub(super) play: &'a Play,
    pub(super) start: Nanos,
    pub(super) end: Nanos,
    pub(super) usage: Usage,
    pub(super) sight: Option<Sight>,
    pub(super) sent: Option<Sent>,
    pub(super) spoken: Option<Sent>,
}

impl Evidence<'_> {
    /// In numbers.
    pub(super) fn round(&self) -> Round {
        let readings = self.play.measure.iter().flat_map(|gauge| self.read(*gauge)).collect();
        Round { readings, lateness: self.lateness(), spans: self.spans() }
    }

    fn lateness(&self) -> Duration {
        let senders = [self.sent, self.spoken].into_iter().flatten();
        let senders = senders.map(|sent| Duration::from_nanos(sent.worst_lateness));
        senders.chain(self.sight.iter().map(Sight::lateness)).max().unwrap_or_default()
    }

    fn read(&self, gauge: Gauge) -> Vec<Reading> {
        match (gauge, &self.sight) {
            (Gauge::Cost, _) => self.cost(),
            (Gauge::Weight, _) => self.weight(),
            (Gauge::Outage, Some(sight)) => {
                let outage = Reading::new("outage", "ms", milliseconds(sight.outage(self.start, self.end)));
                [outage].into_iter().chain(self.handover(sight)).collect()
            }
            (Gauge::TwoOwners, Some(sight)) => {
                let (time, answers) = sight.two_owners();
                let both = if self.play.trouble == Trouble::Start {
                    Reading::new("both answer", "us", time.as_secs_f64() * 1e6)
                } else {
                    Reading::new("both answer", "ms", milliseconds(time))
                };
                vec![
                    both,
                    Reading::new("answers by the old owner after the new one's first", "", answers as f64),
                ]
            }
            (Gauge::FalseTakeovers, Some(sight)) => self.false_takeovers(sight),
            (Gauge::Outage | Gauge::TwoOwners | Gauge::FalseTakeovers, None) => Vec::new(),
        }
    }

    /// A Backup hears what the neighbour sent, an Active sends by itself.
    fn cost(&self) -> Vec<Reading> {
        let Usage { span, cpu, programs, turns, calls, died, .. } = self.usage;
        if died > 0 {
            return vec![Reading::new("processes that died", "", died as f64)];
        }
        let seconds = span.as_secs_f64();
        let rate = match (self.play.cast, self.spoken) {
            (Cast::Backup, Some(Sent { frames, span, .. })) => frames as f64 / (span as f64 / 1e9),
            _ => self.play.routers.rate(),
        };
        let each = (cpu + programs).as_secs_f64() * 1e6 / (rate * seconds);
        let calls = calls.map(|calls| Reading::new("system calls", "/s", calls as f64 / seconds));
        [
            Reading::new("CPU per advertisement", "us", each),
            Reading::new(
                "of it in the kernel's programs",
                "us",
                programs.as_secs_f64() * 1e6 / (rate * seconds),
            ),
            Reading::new("wakeups", "/s", turns as f64 / seconds),
        ]
        .into_iter()
        .chain(calls)
        .collect()
    }

    fn weight(&self) -> Vec<Reading> {
        let Usage { span, cpu, programs, resident, died, .. } = self.usage;
        let share = |time: Duration| time.as_secs_f64() / span.as_secs_f64() * 100.0;
        let arrived = self.sent.map(|sent| {
            let rate = sent.frames as f64 / (sent.span as f64 / 1e9);
            Reading::new("frames sent", "/s", rate)
        });
        [
            Reading::new("CPU of the daemon", "%", share(cpu)),
            Reading::new("CPU of the kernel's programs", "%", share(programs)),
            Reading::new("memory", "MiB", resident as f64 / 1024.0),
            Reading::new("processes that died", "", died as f64),
        ]
        .into_iter()
        .chain(arrived)
        .collect()
    }

    /// A host without its service goes on to answer echo requests: what counts is when the other one does.
    fn handover(&self, sight: &Sight) -> Option<Reading> {
        let mut spans = sight.spans().into_iter();
        let first = spans.find(|span| span.host == POLLUX && span.from >= self.start)?;
        let time = Duration::from_nanos(first.from - self.start);
        (self.play.trouble == Trouble::KillService)
            .then(|| Reading::new("until the other host answers", "ms", milliseconds(time)))
    }

    fn false_takeovers(&self, sight: &Sight) -> Vec<Reading> {
        let interval = self.play.routers.interval;
        let minutes = Duration::from_nanos(self.end - self.start).as_secs_f64() / 60.0;
        let count = sight.takeovers(POLLUX, self.start, interval) as f64;
        let silence = sight.longest_silence(CASTOR, self.start, self.end);
        // Whoever is silent for longer is taken over from less often: the count alone would favour it.
        let falsely = sight.active(POLLUX, (self.start, self.end), interval).as_secs_f64() / (minutes * 60.0);
        vec![
            Reading::new("false takeovers", "/min", count / minutes),
            Reading::new("time for which the Backup is Active", "%", falsely * 100.0),
            Reading::new("the Active's longest silence", "ms", milliseconds(silence)),
        ]
    }

    fn spans(&self) -> Vec<(String, f64, f64)> {
        let seconds = |at: Nanos| (at as f64 - self.start as f64) / 1e9;
        let name = |host| if host == CASTOR { "castor" } else { "pollux" };
        // A virtual router's own MAC address does not tell which host answers.
        let spans = self.sight.iter().flat_map(Sight::spans).filter(|span| span.host <= POLLUX);
        spans.map(|span| (name(span.host).to_owned(), seconds(span.from), seconds(span.to))).collect()
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
