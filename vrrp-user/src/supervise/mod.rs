//! What a supervisor (systemd) is told: that the node is ready, what it does, that it stops, and that all its threads
//! still turn. Nothing is decided here.

mod pulse;
mod watchdog;

use std::{
    fmt, future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sd_notify::NotifyState;
use tokio::sync::watch;

pub use pulse::Pulse;
use watchdog::Watchdog;

/// How often the threads are asked within the time after which the supervisor gives a node up.
const ASKED_WITHIN: u32 = 4;

/// How many virtual routers are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Active.
    pub active: usize,
    /// Backup.
    pub backup: usize,
    /// Fault.
    pub fault: usize,
    /// Not started yet, or ended.
    pub initialize: usize,
    /// The node was told to stop.
    pub stopping: bool,
}

impl Summary {
    /// Every virtual router takes part in its election or says why it cannot.
    fn is_ready(&self) -> bool {
        self.initialize == 0 && !self.stopping
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { active, backup, fault, .. } = self;
        let prefix = if self.stopping { "stopping; " } else { "" };
        write!(f, "{prefix}{active} Active, {backup} Backup, {fault} Fault")
    }
}

/// The protocol thread's side: it answers in every turn and says how its routers are.
#[derive(Debug)]
pub struct Supervised {
    /// Asks whether it turns.
    pub pulse: Arc<Pulse>,
    /// Where its summary goes.
    pub summary: watch::Sender<Summary>,
}

impl Supervised {
    /// To be called once in every turn, when its work is done.
    pub fn turned(&self, now: Summary) {
        self.pulse.answer();
        self.summary.send_if_modified(|before| std::mem::replace(before, now) != now);
    }
}

/// The other threads, each with the name that the log gives it.
pub type Pulses = Vec<(&'static str, Arc<Pulse>)>;

/// The service thread's side.
#[derive(Debug)]
pub struct Supervisor {
    /// How the routers are.
    pub summary: watch::Receiver<Summary>,
    /// The other threads.
    pub pulses: Pulses,
}

impl Supervisor {
    /// Tells the supervisor for ever. Without one it does nothing, and nobody is asked anything.
    ///
    /// It runs on the service thread, so that a service thread that is stuck feeds no watchdog either.
    pub async fn run(self) {
        tokio::join!(report(self.summary), feed(self.pulses));
    }
}

/// What the service thread, the protocol thread and the address thread need for it.
pub fn begin() -> (Supervisor, Supervised, Arc<Pulse>) {
    let [protocol, address]: [Arc<Pulse>; 2] = Default::default();
    // Until its first turn the node has not begun: a summary of nothing would pass for ready.
    let (sender, summary) = watch::channel(Summary { initialize: 1, ..Summary::default() });
    let pulses = vec![("protocol", Arc::clone(&protocol)), ("address", Arc::clone(&address))];
    (Supervisor { summary, pulses }, Supervised { pulse: protocol, summary: sender }, address)
}

/// Tells that the node has ended, for one that ended before its last word was read.
pub fn ended(last: &Summary) {
    notify(&[NotifyState::Status(&last.to_string()), NotifyState::Stopping]);
}

/// The supervisor was told that the node is ready.
static READY: AtomicBool = AtomicBool::new(false);

/// As long as it lives, the configuration is being read again.
#[derive(Debug)]
pub struct Reloading(());

/// Tells that the configuration is being read again, until the result goes. Nothing is told of a node that is not
/// ready yet: it would be ready too early.
pub fn reloading() -> Option<Reloading> {
    if !READY.load(Ordering::Relaxed) {
        return None;
    }
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!("the supervisor is not told of the reload: {error}"),
    }
    Some(Reloading(()))
}

impl Drop for Reloading {
    fn drop(&mut self) {
        notify(&[NotifyState::Ready]);
    }
}

async fn report(mut summary: watch::Receiver<Summary>) {
    loop {
        let now = *summary.borrow_and_update();
        let text = now.to_string();
        let mut states = vec![NotifyState::Status(&text)];
        if now.stopping {
            states.push(NotifyState::Stopping);
        } else if now.is_ready() && !READY.swap(true, Ordering::Relaxed) {
            states.push(NotifyState::Ready);
        }
        notify(&states);
        if summary.changed().await.is_err() {
            // The node is gone; its thread ends this one.
            return future::pending().await;
        }
    }
}

async fn feed(pulses: Pulses) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut watchdog = Watchdog::new(pulses);
    let mut ticks = tokio::time::interval(period(limit));
    loop {
        ticks.tick().await;
        if watchdog.all_turned() {
            notify(&[NotifyState::Watchdog]);
        }
    }
}

fn period(limit: Duration) -> Duration {
    (limit / ASKED_WITHIN).max(Duration::from_millis(1))
}

/// A supervisor that cannot be told is no reason to do anything else than before.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("the supervisor cannot be told ($NOTIFY_SOCKET): {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_ready_when_every_router_has_begun() {
        let begun = Summary { active: 1, fault: 1, ..Summary::default() };
        assert!(begun.is_ready(), "Fault is an answer too");
        assert!(!Summary { initialize: 1, ..begun }.is_ready());
        assert!(!Summary { stopping: true, ..begun }.is_ready());
        assert_eq!(begun.to_string(), "1 Active, 0 Backup, 1 Fault");
    }

    #[test]
    fn threads_are_asked_often_enough() {
        assert_eq!(period(Duration::from_secs(10)), Duration::from_millis(2500));
        assert_eq!(period(Duration::ZERO), Duration::from_millis(1));
    }
}
