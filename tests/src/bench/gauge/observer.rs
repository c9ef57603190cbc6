//! What a client saw, and what that says: how long nobody answered, how long two did, who advertised in vain.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use anyhow::{Context as _, Result, ensure};

use crate::{
    Host, Process,
    init::Exit,
    lab::binary,
    probe::{Deed, Nanos, Seen},
    story::SOON,
};

/// Answers of one host that follow each other closer than this are one time of owning the address: shorter than any
/// takeover and back.
const TOGETHER: Nanos = 8_000_000;

/// A client that asks, or only listens.
#[derive(Debug)]
pub(crate) struct Observer(Process);

impl Observer {
    /// Starts it. Asks for an address this often if there is one.
    pub(crate) fn start(client: &Host, address: Option<IpAddr>, every: Duration) -> Result<Self> {
        let program = program()?;
        // A gauge that waits for its turn on a busy core would blame the network.
        let period = every.as_micros().to_string();
        let mut argv = vec!["chrt", "--fifo", "60", &program, "observe", "--period", &period];
        let address = address.map(|address| address.to_string());
        if let Some(address) = &address {
            argv.extend(["--address", address]);
        }
        let process = client.spawn("observe", &argv)?;
        let observer = Self(process);
        observer.0.wait_ready("the observer is ready", || Ok(observer.0.log()?.contains("ready")))?;
        Ok(observer)
    }

    /// Ends it.
    pub(crate) fn stop(self) -> Result<Sight> {
        Ok(Sight(said_at_end(&self.0)?))
    }
}

/// Ends a program that says one line of JSON at its end.
pub(crate) fn said_at_end<T: serde::de::DeserializeOwned>(process: &Process) -> Result<T> {
    let exit = process.terminate(SOON)?;
    let log = process.log()?;
    ensure!(exit == Exit::Code(0), "it ended with {exit:?}:\n{log}");
    let last = log.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("it said {last:?}"))
}

/// Where `lab-probe` is.
pub(crate) fn program() -> Result<String> {
    binary("lab-probe")?.into_os_string().into_string().ok().context("the path of lab-probe is not UTF-8")
}

/// From when to when a host answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The host's number.
    pub(crate) host: u8,
    /// First answer.
    pub(crate) from: Nanos,
    /// Last answer.
    pub(crate) to: Nanos,
}

/// What was seen from first to last.
#[derive(Debug)]
pub(crate) struct Sight(Seen);

impl Sight {
    /// How late the observer was at worst.
    pub(crate) fn lateness(&self) -> Duration {
        Duration::from_nanos(self.0.worst_lateness)
    }

    /// The longest time between answers to the echo requests of a client, from `start` on. A time at whose end there
    /// was still no answer counts until `end`.
    pub(crate) fn outage(&self, start: Nanos, end: Nanos) -> Duration {
        let echoes = self.0.deeds.iter().filter(|(_, _, deed)| *deed == Deed::Echo).map(|(at, ..)| *at);
        let before = echoes.clone().take_while(|at| *at < start).last().unwrap_or(start);
        let after = echoes.filter(|at| (start..end).contains(at));
        let mut last = before;
        let mut longest = 0;
        for at in after.chain([end]) {
            longest = longest.max(at.saturating_sub(last));
            last = at;
        }
        Duration::from_nanos(longest)
    }

    /// The times during which each host answered, in the order in which they began.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for (at, host, _) in self.answers() {
            match spans.iter_mut().rev().find(|span| span.host == host && at - span.to <= TOGETHER) {
                Some(span) => span.to = at,
                None => spans.push(Span { host, from: at, to: at }),
            }
        }
        spans
    }

    /// For how long two hosts answered, and how many answers the one who had it before gave after the first answer of
    /// the one who has it since.
    pub(crate) fn two_owners(&self) -> (Duration, usize) {
        let spans = self.spans();
        let mut answers = 0;
        let mut time = 0;
        for (number, old) in spans.iter().enumerate() {
            for new in spans[number + 1..].iter().filter(|new| new.host != old.host && new.from <= old.to) {
                let end = old.to.min(new.to);
                time += end - new.from;
                let within =
                    |(at, host, _): &(Nanos, u8, Deed)| *host == old.host && (new.from..=end).contains(at);
                answers += self.answers().filter(within).count();
            }
        }
        (Duration::from_nanos(time), answers)
    }

    fn answers(&self) -> impl Iterator<Item = (Nanos, u8, Deed)> {
        self.0.deeds.iter().copied().filter(|(_, _, deed)| matches!(deed, Deed::Echo | Deed::WhoHas))
    }

    /// When a host advertised with a priority above 0, from `start` on.
    fn adverts(&self, from: u8, start: Nanos) -> impl Iterator<Item = Nanos> {
        let spoke = move |(at, host, deed): &(Nanos, u8, Deed)| {
            (*host == from && *at >= start && matches!(deed, Deed::Advert(_, 1..))).then_some(*at)
        };
        self.0.deeds.iter().filter_map(spoke)
    }

    /// How often a host that should be silent began to advertise, having been silent for three intervals.
    pub(crate) fn takeovers(&self, host: u8, start: Nanos, interval: Duration) -> usize {
        let silence = 3 * interval.as_nanos() as Nanos;
        let mut last = None;
        let mut count = 0;
        for at in self.adverts(host, start) {
            if last.is_none_or(|last| at - last > silence) {
                count += 1;
            }
            last = Some(at);
        }
        count
    }

    /// For how long a host was Active, from `start` until `end`: an interval from each advertisement, or until the next.
    pub(crate) fn active(&self, host: u8, (start, end): (Nanos, Nanos), interval: Duration) -> Duration {
        let interval = interval.as_nanos() as Nanos;
        let mut until = start;
        let mut time = 0;
        for at in self.adverts(host, start).filter(|at| *at <= end) {
            let from = at.max(until);
            until = (at + interval).min(end);
            time += until.saturating_sub(from);
        }
        Duration::from_nanos(time)
    }

    /// The longest time between two advertisements of a host, from `start` until `end`.
    pub(crate) fn longest_silence(&self, host: u8, start: Nanos, end: Nanos) -> Duration {
        let mut last = start;
        let mut longest = 0;
        for at in self.adverts(host, start).filter(|at| *at <= end).chain([end]) {
            longest = longest.max(at - last);
            last = at;
        }
        Duration::from_nanos(longest)
    }

    /// The longest time between two advertisements of a host for one virtual router.
    pub(crate) fn longest_gap(&self, host: u8) -> Duration {
        let mut last = BTreeMap::new();
        let mut longest = 0;
        for (at, from, deed) in &self.0.deeds {
            if let Deed::Advert(vrid, 1..) = deed
                && *from == host
                && let Some(before) = last.insert(*vrid, *at)
            {
                longest = longest.max(at - before);
            }
        }
        Duration::from_nanos(longest)
    }
}
