//! What keepalived writes into files when a signal asks for it, for the exporters and scripts that read them: the
//! same signals, names and fields. All of it is taken from configuration and snapshot; nothing is gathered here.

mod data;
mod json;
mod statistics;
mod words;
mod writer;

use std::collections::HashMap;

use self::{statistics::Statistics, writer::Writer};
use crate::{
    config::model::{Configuration, Instance},
    status::{RouterStatus, Status},
};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dump {
    /// Settings and states as text.
    Data,
    /// Counters as text.
    Statistics,
    /// The same, and they count from 0 again in all that is written.
    ClearStatistics,
    /// Settings, states and counters as JSON.
    Json,
}

impl Dump {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Data, Self::Statistics, Self::ClearStatistics, Self::Json];

    /// The signal that asks for it.
    pub fn signal(self) -> i32 {
        match self {
            Self::Data => libc::SIGUSR1,
            Self::Statistics => libc::SIGUSR2,
            Self::ClearStatistics => libc::SIGRTMAX() - 1,
            Self::Json => libc::SIGRTMIN() + 2,
        }
    }

    /// What keepalived calls that signal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "DATA",
            Self::Statistics => "STATS",
            Self::ClearStatistics => "STATS_CLEAR",
            Self::Json => "JSON",
        }
    }
}

/// What is written down.
#[derive(Clone, Copy)]
pub struct Source<'s> {
    /// What the node runs.
    pub configuration: &'s Configuration,
    /// How it is.
    pub status: &'s Status,
    /// The scripts that run at this moment.
    pub running: &'s [String],
}

impl<'s> Source<'s> {
    /// The routers that both know: a reload may have come between.
    fn routers(self) -> impl Iterator<Item = (&'s Instance, &'s RouterStatus)> {
        let instances = &self.configuration.instances;
        self.status.routers.iter().filter_map(move |router| {
            Some((instances.iter().find(|instance| instance.name == router.name)?, router))
        })
    }
}

/// Writes the files.
#[derive(Debug, Default)]
pub struct Dumper {
    writer: Writer,
    /// What the counters were when they were last cleared, by router.
    cleared: HashMap<String, Statistics>,
}

impl Dumper {
    /// Hands over what is asked for to be written, and does not wait until it is.
    pub fn dump(&mut self, dump: Dump, source: Source<'_>) {
        let files = &source.configuration.dumps;
        let (path, text) = match dump {
            Dump::Data => (&files.data, data::text(source)),
            Dump::Statistics | Dump::ClearStatistics => {
                (&files.statistics, statistics::text(&self.statistics(source)))
            }
            Dump::Json => (&files.json, json::text(source, &self.statistics(source))),
        };
        if dump == Dump::ClearStatistics {
            let routers = source.status.routers.iter();
            self.cleared = routers.map(|router| (router.name.clone(), Statistics::of(router))).collect();
        }
        self.writer.write(path, text);
    }

    /// The counters of each router, in the order of [`Source::routers`].
    fn statistics<'s>(&self, source: Source<'s>) -> Vec<(&'s str, Statistics)> {
        let since = |router: &RouterStatus| {
            let before = self.cleared.get(&router.name).copied().unwrap_or_default();
            Statistics::of(router).since(before)
        };
        source.routers().map(|(instance, router)| (instance.name.as_str(), since(router))).collect()
    }
}
