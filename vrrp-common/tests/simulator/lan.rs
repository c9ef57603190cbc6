//! The wire: it loses, delays and thereby reorders, and it can be cut in one direction.

use vrrp_common::election::Advertised;

use crate::rng::Rng;

/// What the LAN and the hosts on it may do. Times are nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    /// The least and the largest delay of a packet.
    pub(crate) delay: (u64, u64),
    /// The largest lateness of a daemon's wake.
    pub(crate) lateness: u64,
    /// The longest time from a daemon's decision to its send call.
    pub(crate) turn: u64,
    /// Packets lost, of a thousand.
    pub(crate) loss: u64,
}

/// An advertisement under way. `content.at` is not set yet.
#[derive(Clone, Copy)]
pub(crate) struct Packet {
    pub(crate) from: usize,
    pub(crate) number: u64,
    pub(crate) content: Advertised,
}

pub(crate) struct Lan {
    pub(crate) conditions: Conditions,
    /// `cut[from][to]`.
    cut: Vec<Vec<bool>>,
}

impl Lan {
    pub(crate) fn new(conditions: Conditions) -> Self {
        Self { conditions, cut: Vec::new() }
    }

    pub(crate) fn plug_in(&mut self) {
        for row in &mut self.cut {
            row.push(false);
        }
        self.cut.push(vec![false; self.cut.len() + 1]);
    }

    pub(crate) fn set_cut(&mut self, from: usize, to: usize, cut: bool) {
        self.cut[from][to] = cut;
    }

    pub(crate) fn mend(&mut self) {
        self.conditions.loss = 0;
        self.cut.iter_mut().for_each(|row| row.fill(false));
    }

    /// How long a packet takes, or that it is lost.
    pub(crate) fn carry(&self, from: usize, to: usize, rng: &mut Rng) -> Option<u64> {
        let (least, most) = self.conditions.delay;
        let lost = rng.chance(self.conditions.loss);
        (!self.cut[from][to] && !lost).then(|| rng.between(least, most))
    }
}
