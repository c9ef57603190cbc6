//! One run and its process group, from start to the last process: what is due when. Pure but for the
//! signals that it sends.

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, killpg},
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
};
use vrrp_common::time::{Instant, Interval};

use super::{
    launch::Launched,
    message::{Outcome, Request},
};

/// From SIGTERM to SIGKILL.
const PATIENCE: Interval = Interval::from_secs(2);
/// From one SIGKILL to the next, for a process that does not die (waiting for a disk or an NFS server).
const INSISTENCE: Interval = Interval::from_secs(10);
/// How often it is looked whether a killed group is empty.
const INSPECTION: Interval = Interval::from_millis(100);

/// A run.
///
/// The group's number stays ours for as long as its leader has not been reaped; so a leader whose group is
/// still to be killed is left a zombie, else the number could be a stranger's by then.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: u64,
    slot: u64,
    launched: Launched,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// In time.
    Running { until: Instant },
    /// Out of time, reported and asked to stop.
    Stopping { kill_at: Instant, leader_ended: bool },
    /// Killed, but there still.
    Killed { again_at: Instant },
    /// The leader is reaped; others of the killed group exist, or nobody has looked since.
    Remains { look_at: Instant },
    /// Nothing is left that this spawner has to see to.
    Over,
}

impl Job {
    pub(super) fn new(request: &Request, launched: Launched, now: Instant) -> Self {
        let until = now.after(Interval::from_nanos(request.timeout));
        Self { id: request.id, slot: request.slot, launched, phase: Phase::Running { until } }
    }

    /// Whether a new run of `slot` has to wait for this one. Processes that a leader leaves behind when it
    /// stops as told do not count until they have been killed in vain.
    pub(super) fn blocks(&self, slot: u64) -> bool {
        let in_the_way = !matches!(self.phase, Phase::Over | Phase::Stopping { leader_ended: true, .. });
        self.slot == slot && in_the_way
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// When [`Job::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running { until } => Some(until),
            Phase::Stopping { kill_at, .. } => Some(kill_at),
            Phase::Killed { again_at } => Some(again_at),
            Phase::Remains { look_at } => Some(look_at),
            Phase::Over => None,
        }
    }

    /// Looks whether the leader has ended. Returns the outcome if that was not known before.
    pub(super) fn look(&mut self, now: Instant) -> Option<Outcome> {
        match self.phase {
            Phase::Running { .. } if self.has_ended() => {
                self.phase = Phase::Over;
                Some(self.reap())
            }
            Phase::Stopping { kill_at, leader_ended: false } if self.has_ended() => {
                self.phase = Phase::Stopping { kill_at, leader_ended: true };
                None
            }
            Phase::Killed { .. } if self.has_ended() => {
                self.reap();
                self.inspect(now);
                None
            }
            Phase::Remains { .. } => {
                self.inspect(now);
                None
            }
            _ => None,
        }
    }

    /// Does what is due. Returns the outcome if time has just run out.
    pub(super) fn tick(&mut self, now: Instant) -> Option<Outcome> {
        if self.deadline().is_none_or(|at| now < at) {
            return None;
        }
        match self.phase {
            Phase::Running { .. } => {
                self.signal(Signal::SIGTERM);
                self.phase = Phase::Stopping { kill_at: now.after(PATIENCE), leader_ended: false };
                return Some(Outcome::TimedOut);
            }
            Phase::Stopping { leader_ended: true, .. } => {
                self.signal(Signal::SIGKILL);
                self.reap();
                self.inspect(now);
            }
            Phase::Stopping { .. } | Phase::Killed { .. } => {
                self.signal(Signal::SIGKILL);
                self.phase = Phase::Killed { again_at: now.after(INSISTENCE) };
            }
            Phase::Remains { .. } => self.inspect(now),
            Phase::Over => {}
        }
        None
    }

    /// Kills the group if it may still have processes that are to go.
    pub(super) fn kill(&self) {
        if matches!(self.phase, Phase::Running { .. } | Phase::Stopping { .. } | Phase::Killed { .. }) {
            self.signal(Signal::SIGKILL);
        }
    }

    /// An error means that the group is empty or out of our reach; the outcome is the same.
    fn signal(&self, signal: Signal) {
        let _ = killpg(self.launched.pid, signal);
    }

    fn inspect(&mut self, now: Instant) {
        self.phase = match killpg(self.launched.pid, None) {
            Err(Errno::ESRCH) => Phase::Over,
            _ => Phase::Remains { look_at: now.after(INSPECTION) },
        };
    }

    /// Whether the leader has ended, without reaping it.
    fn has_ended(&self) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        !matches!(waitid(Id::Pid(self.launched.pid), flags), Ok(WaitStatus::StillAlive))
    }

    /// Reaps the leader, which has ended.
    fn reap(&mut self) -> Outcome {
        let status = waitid(Id::Pid(self.launched.pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG);
        if let Some(why) = self.launched.complaint() {
            return Outcome::NotRun(why);
        }
        match status {
            Ok(WaitStatus::Exited(_, status)) => Outcome::Exited(status),
            Ok(WaitStatus::Signaled(_, signal, _)) => Outcome::Signalled(signal as i32),
            Ok(other) => Outcome::NotRun(format!("its end cannot be understood: {other:?}")),
            // The one thing that nix has no word for.
            Err(Errno::EINVAL) => Outcome::NotRun("killed by a real-time signal".to_owned()),
            Err(error) => Outcome::NotRun(format!("its end cannot be known: {}", error.desc())),
        }
    }
}
