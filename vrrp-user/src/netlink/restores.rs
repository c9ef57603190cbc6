//! How often what another program removes is put back. What is put back is not known here.

use std::collections::VecDeque;

use vrrp_common::time::{Instant, Interval};

/// Times of putting one thing back, oldest first.
#[derive(Debug, Default)]
pub(super) struct Restores(VecDeque<Instant>);

impl Restores {
    /// So often in any [`Self::WINDOW`].
    pub(super) const LIMIT: usize = 10;
    const WINDOW: Interval = Interval::from_secs(60);

    /// It was put back.
    pub(super) fn note(&mut self, now: Instant) {
        self.0.push_back(now);
    }

    /// `None` if it may be put back now, else from when on.
    pub(super) fn next(&mut self, now: Instant) -> Option<Instant> {
        while self.0.front().is_some_and(|at| at.after(Self::WINDOW) <= now) {
            self.0.pop_front();
        }
        let oldest = self.0.front()?;
        (self.0.len() >= Self::LIMIT).then(|| oldest.after(Self::WINDOW))
    }
}
