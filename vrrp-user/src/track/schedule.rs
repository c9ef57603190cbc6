//! Runs one script at its pace and reports each result.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, time::sleep};
use vrrp_common::time::{Instant, Interval};

use super::{Check, CheckId, CheckReport, Health};
use crate::{
    config::model::Script,
    spawner::{Program, Spawner},
    sys::clock,
};

/// Added to the validity of a result, for a busy host.
pub(super) const SLACK: Interval = Interval::from_secs(2);

/// How far a script is, for whoever wants to know beside it.
#[derive(Debug)]
pub(super) struct Progress {
    /// Whether it runs at this moment; nothing depends on it.
    under_way: AtomicBool,
    health: Mutex<Health>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { under_way: AtomicBool::new(false), health: Mutex::new(Health::Pending) }
    }
}

impl Progress {
    pub(super) fn is_under_way(&self) -> bool {
        self.under_way.load(Ordering::Relaxed)
    }

    /// The health after the last run.
    pub(super) fn health(&self) -> Health {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_health(&self, health: Health) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }
}

/// A script that is run again and again.
pub(super) struct Schedule {
    id: CheckId,
    script: Script,
    program: Program,
    check: Check,
    runs: u64,
    progress: Arc<Progress>,
}

impl Schedule {
    /// `before` is the health that it had under other settings; Pending if there was none.
    pub(super) fn new(id: CheckId, script: Script, before: Health, spawner: &Spawner) -> Self {
        let program = spawner.program(&script.command, script.user);
        let check = Check::new(script.rise, script.fall, script.init_fail).continued(before);
        let progress = Arc::<Progress>::default();
        progress.set_health(check.health());
        Self { id, script, program, check, runs: 0, progress }
    }

    pub(super) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Runs the script, the first time at once, then `interval` from start to start, never beside itself; a run
    /// that takes longer leaves out the starts it missed. Reports every run.
    ///
    /// Returns when nobody takes reports any more. Dropping it stops the schedule; a run under way ends at its
    /// timeout.
    pub(super) async fn run(mut self, reports: mpsc::Sender<CheckReport>) {
        let mut due = clock::now();
        loop {
            let report = self.run_once().await;
            if reports.send(report).await.is_err() {
                return;
            }
            let now = clock::now();
            due = next_start(due, self.script.interval, now);
            sleep(Duration::from_nanos(due.since(now).as_nanos())).await;
        }
    }

    async fn run_once(&mut self) -> CheckReport {
        let started = clock::now();
        self.progress.under_way.store(true, Ordering::Relaxed);
        let outcome = self.program.run(self.script.timeout).await;
        self.progress.under_way.store(false, Ordering::Relaxed);
        let now = clock::now();
        self.runs += 1;
        self.check.record(outcome.is_success());
        self.progress.set_health(self.check.health());
        CheckReport {
            check: self.id.clone(),
            health: self.check.health(),
            detail: outcome.describe(self.script.timeout),
            valid_until: now.after(validity(&self.script)),
            runs: self.runs,
            last_duration: now.since(started),
        }
    }
}

/// How long a result holds without another; see [`CheckReport::valid_until`].
fn validity(script: &Script) -> Interval {
    script.interval.plus(script.timeout).times(u64::from(script.fall.max(1))).plus(SLACK)
}

/// The first start after `now` in the cadence that `due` belongs to.
fn next_start(due: Instant, interval: Interval, now: Instant) -> Instant {
    // An interval of zero would be a loop without pause.
    let interval = interval.max(Interval::from_millis(1));
    let passed = now.since(due).as_nanos() / interval.as_nanos();
    due.after(interval.times(passed + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::Credentials;

    #[test]
    fn starts_keep_their_cadence() {
        for (due, interval, now, expected) in [
            (0, 1_000, 10, 1_000),
            (1_000, 1_000, 1_999, 2_000),
            (1_000, 1_000, 2_000, 3_000), // exactly late: that start is missed
            (1_000, 1_000, 4_700, 5_000),
            (500, 250, 500, 750),
            (5, 0, 10, 11),
        ] {
            let millis = |millis: u64| Instant::from_nanos(millis * 1_000_000);
            let next = next_start(millis(due), Interval::from_millis(interval), millis(now));
            assert_eq!(next, millis(expected), "due {due} interval {interval} now {now}");
        }
    }

    #[test]
    fn a_result_holds_until_fall_runs_must_have_reported() {
        for (interval, timeout, fall, expected) in [(2, 2, 1, 6), (1, 3, 5, 22), (1, 1, 0, 4)] {
            let script = Script {
                name: "web".into(),
                command: vec!["true".into()],
                interval: Interval::from_secs(interval),
                timeout: Interval::from_secs(timeout),
                rise: 1,
                fall,
                init_fail: false,
                user: Credentials { uid: 0, gid: 0 },
            };
            assert_eq!(validity(&script), Interval::from_secs(expected));
        }
    }
}
