//! What the checks said last, and until when it may be believed. Running them is the service thread's work.

use vrrp_common::time::{Instant, Interval};

use crate::{
    config::model::Script,
    state::CheckMemory,
    track::{CheckReport, Health},
};

/// The last report of every script, by index.
pub(super) struct Checks {
    names: Vec<String>,
    last: Vec<Option<CheckReport>>,
    /// Whether the expiry of the last result was already told.
    expiry_told: Vec<bool>,
    initial: Vec<Health>,
}

impl Checks {
    pub(super) fn new(scripts: &[Script]) -> Self {
        Self {
            names: scripts.iter().map(|script| script.name.clone()).collect(),
            last: vec![None; scripts.len()],
            expiry_told: vec![false; scripts.len()],
            initial: scripts
                .iter()
                .map(|script| if script.init_fail { Health::Failing } else { Health::Pending })
                .collect(),
        }
    }

    /// Believes what the daemon before found, until the first result of our own, but no longer than that may take.
    pub(super) fn adopt(&mut self, scripts: &[Script], left: &[CheckMemory], now: Instant) {
        for (index, script) in scripts.iter().enumerate() {
            let Some(left) = left.iter().find(|left| left.name == script.name) else { continue };
            let patience = script.interval.times(u64::from(script.fall.max(1))).plus(script.timeout);
            self.last[index] = Some(CheckReport {
                script: index,
                health: if left.healthy { Health::Healthy } else { Health::Failing },
                changed: false,
                detail: "as the daemon before found it".to_owned(),
                valid_until: now.after(patience),
                runs: 0,
                last_duration: Interval::ZERO,
            });
        }
    }

    /// What to leave to the next daemon.
    pub(super) fn memory(&self) -> Vec<CheckMemory> {
        let last = self.names.iter().zip(&self.last);
        let reported = last.filter_map(|(name, last)| Some((name, last.as_ref()?)));
        reported
            .map(|(name, last)| CheckMemory { name: name.clone(), healthy: last.health == Health::Healthy })
            .collect()
    }

    pub(super) fn name(&self, script: usize) -> &str {
        self.names.get(script).map_or("?", String::as_str)
    }

    /// Takes a report; true if the health as seen at `now` differs from before.
    pub(super) fn report(&mut self, report: CheckReport, now: Instant) -> bool {
        let script = report.script;
        let before = self.health(script, now);
        if let Some(slot) = self.last.get_mut(script) {
            *slot = Some(report);
            self.expiry_told[script] = false;
        }
        before != self.health(script, now)
    }

    /// The health of a script: an expired result counts as failed, so that a stuck service thread cannot
    /// keep a dead service's address here.
    pub(super) fn health(&self, script: usize, now: Instant) -> Health {
        match self.last.get(script) {
            Some(Some(report)) if now >= report.valid_until => Health::Failing,
            Some(Some(report)) => report.health,
            _ => self.initial.get(script).copied().unwrap_or(Health::Failing),
        }
    }

    pub(super) fn detail(&self, script: usize, now: Instant) -> String {
        match self.last.get(script) {
            Some(Some(report)) if now >= report.valid_until => {
                format!("no result since the last one ({}) expired", report.detail)
            }
            Some(Some(report)) => report.detail.clone(),
            _ => "has not reported yet".to_owned(),
        }
    }

    pub(super) fn runs(&self, script: usize) -> u64 {
        self.last.get(script).and_then(Option::as_ref).map_or(0, |report| report.runs)
    }

    /// When the next believed result expires; only the first result that is not yet told counts.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.untold().map(|(_, valid_until)| valid_until).min()
    }

    /// The scripts whose result has expired at `now`, each once.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<usize> {
        let expired: Vec<usize> =
            self.untold().filter(|(_, valid_until)| now >= *valid_until).map(|(script, _)| script).collect();
        for &script in &expired {
            self.expiry_told[script] = true;
        }
        expired
    }

    fn untold(&self) -> impl Iterator<Item = (usize, Instant)> {
        let reports =
            self.last.iter().enumerate().filter_map(|(script, last)| Some((script, last.as_ref()?)));
        reports
            .filter(|(script, _)| !self.expiry_told[*script])
            .map(|(script, report)| (script, report.valid_until))
    }
}
