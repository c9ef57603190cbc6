//! How often packets may wake the loop. What they mean is not known here.

use vrrp_common::time::{Instant, Interval};

use crate::sys::clock;

/// Wakes that follow each other faster than this are one: a flood of news wakes the loop a thousand times a second at
/// most. It decides no differently for that, as each packet has the time at which it was received.
const TOGETHER: Interval = Interval::from_millis(1);

/// Lets packets gather while they come fast.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    woken: Option<Instant>,
    until: Option<Instant>,
}

impl Gathering {
    /// Packets have just woken the loop.
    pub(super) fn woken(&mut self) {
        let now = clock::now();
        let fast = self.woken.is_some_and(|before| now < before.after(TOGETHER.times(2)));
        self.until = fast.then(|| now.after(TOGETHER));
        self.woken = Some(now);
    }

    /// Until when packets must not wake the loop, if they must not now.
    pub(super) fn until(&mut self) -> Option<Instant> {
        self.until = self.until.filter(|until| clock::now() < *until);
        self.until
    }
}
