//! Follows what hosts, nodes and client say, prints it as it comes, and remembers where things stand.

use std::{collections::BTreeSet, fs::File, io::Read as _, path::Path, time::Duration};

use anyhow::{Context as _, Result};

use super::paint::Paint;
use crate::{
    Host, Process,
    conf::ADDRESS,
    lab::binary,
    probe::{Change, Nanos, now},
    scenario::{Make, Stage, Step},
};

/// Everything that the demo knows of the state of things.
pub(super) struct Timeline {
    paint: Paint,
    start: Nanos,
    tails: Vec<Tail>,
    routers_followed: bool,
    owners: BTreeSet<String>,
    answer: Result<String, String>,
    silence: Silence,
    /// They write what is read here, and end with it.
    _watchers: Vec<Process>,
}

/// A log that is read as it grows.
struct Tail {
    host: String,
    source: Source,
    file: File,
    unfinished: String,
}

#[derive(Clone, Copy)]
enum Source {
    /// `ip monitor`: addresses come and go.
    Addresses,
    /// A router's log.
    Router(Make),
    /// The client's probe.
    Client,
}

/// How long nobody has answered, within a step.
struct Silence {
    step: Nanos,
    since: Option<Nanos>,
    ended: Nanos,
}

impl Timeline {
    /// Starts to watch addresses and client. Routers come later.
    pub(super) fn start(stage: &Stage<'_>, paint: Paint) -> Result<Self> {
        let start = now();
        let mut timeline = Self {
            paint,
            start,
            tails: Vec::new(),
            routers_followed: false,
            owners: BTreeSet::new(),
            answer: Err("nothing yet".to_owned()),
            silence: Silence { step: start, since: Some(start), ended: 0 },
            _watchers: Vec::new(),
        };
        // First the client: it says when things happened to it, the others are stamped when they are read.
        let probe = binary("lab-probe")?;
        let probe = probe.to_str().context("the path of lab-probe is not UTF-8")?;
        timeline.watch(&stage.client, Source::Client, &[probe, "watch", ADDRESS])?;
        for host in &stage.hosts {
            timeline.watch(host, Source::Addresses, &["ip", "-oneline", "-4", "monitor", "address"])?;
        }
        Ok(timeline)
    }

    fn watch(&mut self, host: &Host, source: Source, argv: &[&str]) -> Result<()> {
        let process = host.spawn("watcher", argv)?;
        self.tails.push(Tail::open(host, source, process.log_path())?);
        self._watchers.push(process);
        Ok(())
    }

    /// Follows the routers' logs, from their beginning, once there are any.
    pub(super) fn follow_routers(&mut self, stage: &Stage<'_>) -> Result<()> {
        if self.routers_followed {
            return Ok(());
        }
        for (router, make) in stage.routers() {
            self.routers_followed = true;
            let log = router.process().log_path();
            self.tails.push(Tail::open(router.host(), Source::Router(make), log)?);
        }
        Ok(())
    }

    /// Reads and prints what is new.
    pub(super) fn look(&mut self) -> Result<()> {
        let mut news = Vec::new();
        for tail in &mut self.tails {
            for line in tail.lines()? {
                news.push((tail.host.clone(), tail.source, line));
            }
        }
        for (host, source, line) in news {
            self.tell(&host, source, &line)?;
        }
        Ok(())
    }

    fn tell(&mut self, host: &str, source: Source, line: &str) -> Result<()> {
        match source {
            Source::Addresses => self.tell_address(host, line),
            Source::Router(make) => {
                if let Some(reason) = make.reason(line) {
                    self.event(now(), host, &reason);
                }
            }
            Source::Client => {
                let change =
                    serde_json::from_str(line).with_context(|| format!("lab-probe said {line:?}"))?;
                self.tell_answer(host, change);
            }
        }
        Ok(())
    }

    fn tell_address(&mut self, host: &str, line: &str) {
        if !line.contains(&format!(" {ADDRESS}/")) {
            return;
        }
        if line.starts_with("Deleted") {
            self.owners.remove(host);
            self.event(now(), host, &format!("lets go of {ADDRESS}"));
        } else if self.owners.insert(host.to_owned()) {
            self.event(now(), host, &format!("owns {ADDRESS}"));
        }
    }

    fn tell_answer(&mut self, host: &str, Change { asked, known, answer }: Change) {
        match &answer {
            Ok(text) => {
                let gap = self.silence.end(asked);
                let after = gap.map(|gap| format!(", after {:.2} s without an answer", gap.as_secs_f64()));
                let after = after.unwrap_or_default();
                self.event(known, host, &format!("gets \"{text}\"{after}"));
            }
            Err(why) => {
                self.silence.begin(asked);
                self.event(known, host, &format!("gets no answer: {why}"));
            }
        }
        self.answer = answer;
    }

    fn event(&self, at: Nanos, who: &str, text: &str) {
        self.paint.event(Duration::from_nanos(at.saturating_sub(self.start)), who, text);
    }

    pub(super) fn begin_step(&mut self) {
        self.silence.step = now();
        self.silence.ended = 0;
    }

    /// Whether everything is as it must be at the end of the step.
    pub(super) fn shows(&self, step: &Step) -> bool {
        self.owners() == step.owner && self.answer() == step.answer
    }

    pub(super) fn owners(&self) -> String {
        let owners: Vec<&str> = self.owners.iter().map(String::as_str).collect();
        if owners.is_empty() { "nobody".to_owned() } else { owners.join(" and ") }
    }

    pub(super) fn answer(&self) -> &str {
        let (Ok(text) | Err(text)) = &self.answer;
        text
    }

    /// How long nobody answered since the step began.
    pub(super) fn silence(&self) -> Duration {
        self.silence.in_step(now())
    }
}

impl Tail {
    fn open(host: &Host, source: Source, path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        Ok(Self { host: host.name().to_owned(), source, file, unfinished: String::new() })
    }

    /// The lines that were finished since the last call.
    fn lines(&mut self) -> Result<Vec<String>> {
        self.file.read_to_string(&mut self.unfinished).context("reading a log")?;
        let Some(end) = self.unfinished.rfind('\n') else { return Ok(Vec::new()) };
        let rest = self.unfinished.split_off(end + 1);
        let finished = std::mem::replace(&mut self.unfinished, rest);
        Ok(finished.lines().map(str::to_owned).collect())
    }
}

impl Silence {
    fn begin(&mut self, at: Nanos) {
        self.since.get_or_insert(at);
    }

    /// How long all of it was, from before the step too; `None` if there was none.
    fn end(&mut self, at: Nanos) -> Option<Duration> {
        self.ended = self.in_step(at).as_nanos() as Nanos;
        let since = self.since.take()?;
        Some(Duration::from_nanos(at.saturating_sub(since)))
    }

    fn in_step(&self, at: Nanos) -> Duration {
        let running = self.since.map_or(0, |since| at.saturating_sub(since.max(self.step)));
        Duration::from_nanos(self.ended + running)
    }
}
