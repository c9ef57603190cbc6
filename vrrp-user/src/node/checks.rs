//! What the checks said last, and until when it may be believed. Running them is the service thread's work.

use std::{collections::HashMap, sync::Arc};

use vrrp_common::time::{Instant, Interval};

use crate::{
    config::model::{Check, CheckKind},
    netlink::LinkTable,
    state::CheckMemory,
    track::{CheckId, CheckReport, Health},
};

/// How long a check that a reload added may take to report; a script's timeout comes on top of it.
const FIRST_REPORT: Interval = Interval::from_secs(5);

/// The last report of every check, by index.
#[derive(Default)]
pub(super) struct Checks(Vec<Entry>);

struct Entry {
    id: CheckId,
    last: Option<CheckReport>,
    /// Whether the expiry of the last result was already told.
    expiry_told: bool,
    initial: Health,
}

impl Entry {
    fn new(check: &Check) -> Self {
        let fails = matches!(check, Check::Script(script) if script.init_fail);
        let initial = if fails { Health::Failing } else { Health::Pending };
        Self { id: CheckId::of(check), last: None, expiry_told: false, initial }
    }

    /// A check that a reload added says nothing until its first report, for a while.
    fn awaited(check: &Check, now: Instant) -> Self {
        let mut entry = Self::new(check);
        if entry.initial == Health::Pending {
            entry.last = Some(CheckReport {
                check: entry.id.clone(),
                health: Health::Awaited,
                detail: "has not reported yet".to_owned(),
                valid_until: first_report_by(check, now),
                runs: 0,
                last_duration: Interval::ZERO,
            });
        }
        entry
    }

    /// What is believed of it holds until the first report after a reload, which may have given it another script.
    fn patient(mut self, check: &Check, now: Instant) -> Self {
        if let Some(last) = self.last.as_mut().filter(|last| now < last.valid_until) {
            last.valid_until = last.valid_until.max(first_report_by(check, now));
        }
        self
    }

    /// An interface's state is told by the kernel when it changes, and holds until then.
    fn expires(&self) -> bool {
        self.id.kind != CheckKind::Interface
    }
}

/// When a check that begins at `now` must have reported.
fn first_report_by(check: &Check, now: Instant) -> Instant {
    let timeout = match check {
        Check::Script(script) => script.timeout,
        _ => Interval::ZERO,
    };
    now.after(timeout).after(FIRST_REPORT)
}

impl Checks {
    pub(super) fn new(checks: &[Check]) -> Self {
        Self(checks.iter().map(Entry::new).collect())
    }

    /// Goes on with these checks: what is known of those that were there stays.
    pub(super) fn replace(&mut self, checks: &[Check], now: Instant) {
        let old = std::mem::take(&mut self.0).into_iter();
        let mut old: HashMap<CheckId, Entry> = old.map(|entry| (entry.id.clone(), entry)).collect();
        let entry = |check| match old.remove(&CheckId::of(check)) {
            Some(known) => known.patient(check, now),
            None => Entry::awaited(check, now),
        };
        self.0 = checks.iter().map(entry).collect();
    }

    /// Which checks there are, by index.
    pub(super) fn ids(&self) -> Vec<CheckId> {
        self.0.iter().map(|entry| entry.id.clone()).collect()
    }

    pub(super) fn name(&self, check: usize) -> &str {
        self.0.get(check).map_or("?", |entry| &entry.id.name)
    }

    /// What kind of check it is, in a word.
    pub(super) fn kind(&self, check: usize) -> &'static str {
        self.0.get(check).map_or("?", |entry| entry.id.kind.word())
    }

    /// Takes a report; the index of the check if its health as seen at `now` differs from before. A report of a
    /// check that is not there any more says nothing.
    pub(super) fn report(&mut self, report: CheckReport, now: Instant) -> Option<usize> {
        let check = self.0.iter().position(|entry| entry.id == report.check)?;
        let before = self.health(check, now);
        let entry = &mut self.0[check];
        entry.last = Some(report);
        entry.expiry_told = false;
        (before != self.health(check, now)).then_some(check)
    }

    /// Looks at the tracked interfaces.
    pub(super) fn look_at(&mut self, links: &Arc<LinkTable>, now: Instant) {
        for entry in self.0.iter_mut().filter(|entry| !entry.expires()) {
            let link = links.by_name(&entry.id.name);
            let (health, detail) = match link.map(|link| link.up) {
                Some(true) => (Health::Healthy, "up"),
                Some(false) => (Health::Failing, "down"),
                None => (Health::Failing, "missing"),
            };
            let runs = entry.last.as_ref().map_or(0, |last| last.runs) + 1;
            entry.last = Some(CheckReport {
                check: entry.id.clone(),
                health,
                detail: detail.to_owned(),
                valid_until: now,
                runs,
                last_duration: Interval::ZERO,
            });
        }
    }

    /// Believes what the daemon before found, until the first result of our own, but no longer than that may take.
    pub(super) fn adopt(&mut self, checks: &[Check], left: &[CheckMemory], now: Instant) {
        for (entry, check) in self.0.iter_mut().zip(checks) {
            let Some(left) = left.iter().find(|left| left.is(entry.id.kind, &entry.id.name)) else {
                continue;
            };
            let patience = match check {
                Check::Script(script) => {
                    script.interval.times(u64::from(script.fall.max(1))).plus(script.timeout)
                }
                _ => FIRST_REPORT,
            };
            entry.last = Some(CheckReport {
                check: entry.id.clone(),
                health: match (left.value, left.healthy) {
                    (Some(value), _) => Health::Value(value),
                    (None, true) => Health::Healthy,
                    (None, false) => Health::Failing,
                },
                detail: "as the daemon before found it".to_owned(),
                valid_until: now.after(patience),
                runs: 0,
                last_duration: Interval::ZERO,
            });
        }
    }

    /// What to leave to the next daemon.
    pub(super) fn memory(&self) -> Vec<CheckMemory> {
        let known = self.0.iter().filter_map(|entry| Some((&entry.id, entry.last.as_ref()?.health)));
        let memory = |(id, health): (&CheckId, Health)| CheckMemory {
            kind: id.kind.word().to_owned(),
            name: id.name.to_string(),
            healthy: health == Health::Healthy,
            value: if let Health::Value(value) = health { Some(value) } else { None },
        };
        known.filter(|(_, health)| *health != Health::Awaited).map(memory).collect()
    }

    /// The health of a check: an expired result counts as failed, so that a stuck service thread cannot
    /// keep a dead service's address here.
    pub(super) fn health(&self, check: usize, now: Instant) -> Health {
        let Some(entry) = self.0.get(check) else { return Health::Failing };
        match &entry.last {
            Some(report) if entry.expires() && now >= report.valid_until => Health::Failing,
            Some(report) => report.health,
            None => entry.initial,
        }
    }

    pub(super) fn detail(&self, check: usize, now: Instant) -> String {
        let Some(entry) = self.0.get(check) else { return "unknown".to_owned() };
        match &entry.last {
            Some(report) if entry.expires() && now >= report.valid_until => {
                format!("no result since the last one ({}) expired", report.detail)
            }
            Some(report) => report.detail.clone(),
            None => "has not reported yet".to_owned(),
        }
    }

    pub(super) fn runs(&self, check: usize) -> u64 {
        self.0.get(check).and_then(|entry| entry.last.as_ref()).map_or(0, |report| report.runs)
    }

    /// When the next believed result expires; only the first result that is not yet told counts.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.untold().map(|(_, valid_until)| valid_until).min()
    }

    /// The checks whose result has expired at `now`, each once.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<usize> {
        let expired: Vec<usize> =
            self.untold().filter(|(_, valid_until)| now >= *valid_until).map(|(check, _)| check).collect();
        for &check in &expired {
            self.0[check].expiry_told = true;
        }
        expired
    }

    fn untold(&self) -> impl Iterator<Item = (usize, Instant)> {
        let entries = self.0.iter().enumerate();
        let believed = entries.filter(|(_, entry)| !entry.expiry_told && entry.expires());
        believed.filter_map(|(check, entry)| Some((check, entry.last.as_ref()?.valid_until)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::{TrackedFile, TrackedProcess};

    const NOW: Instant = Instant::from_nanos(1_000_000_000);

    fn file(name: &str) -> Check {
        Check::File(TrackedFile { name: name.into(), path: "/x".into(), init: None })
    }

    fn report(check: &Check, health: Health) -> CheckReport {
        CheckReport {
            check: CheckId::of(check),
            health,
            detail: "d".into(),
            valid_until: NOW.after(Interval::from_secs(3)),
            runs: 1,
            last_duration: Interval::ZERO,
        }
    }

    #[test]
    fn a_reload_keeps_what_is_known_and_asks_for_no_first_result() {
        let mut checks = Checks::new(&[file("a"), file("b")]);
        assert_eq!(checks.report(report(&file("b"), Health::Value(7)), NOW), Some(1));
        checks.replace(&[file("c"), file("b")], NOW);
        assert_eq!((checks.health(0, NOW), checks.health(1, NOW)), (Health::Awaited, Health::Value(7)));
        let later = NOW.after(FIRST_REPORT);
        assert_eq!(checks.health(0, later), Health::Failing, "it never reported");
        assert_eq!(checks.report(report(&file("a"), Health::Value(1)), NOW), None, "a is gone");
    }

    #[test]
    fn names_are_of_a_kind() {
        let process = Check::Process(TrackedProcess {
            name: "a".into(),
            program: "p".into(),
            parameters: Vec::new(),
            matching: None,
            full_command: false,
            quorum: 1,
            quorum_max: 1,
            fork_delay: Interval::ZERO,
            terminate_delay: Interval::ZERO,
        });
        let mut checks = Checks::new(&[file("a"), process.clone()]);
        assert_eq!(checks.report(report(&process, Health::Healthy), NOW), Some(1));
        assert_eq!(checks.health(0, NOW), Health::Pending);
    }
}
