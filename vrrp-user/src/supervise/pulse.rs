//! Whether a thread still turns: it is asked, and its loop answers. Who asks and what follows is not known here.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Between one thread that is watched and one that watches; neither ever waits for the other.
#[derive(Debug, Default)]
pub struct Pulse {
    asked: AtomicU64,
    answered: AtomicU64,
    wake: Notify,
}

impl Pulse {
    /// Wakes the thread's loop.
    pub(super) fn ask(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Whether every question was answered.
    pub(super) fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed) == self.asked.load(Ordering::Relaxed)
    }

    /// Wakes when there is a question; for the `select!` that the loop sleeps in.
    pub async fn asked(&self) {
        self.wake.notified().await;
    }

    /// To be called once in every turn of the loop, when its work is done.
    pub fn answer(&self) {
        self.answered.store(self.asked.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}
