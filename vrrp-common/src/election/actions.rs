//! The list that [`super::VirtualRouter::handle`] returns: a few actions, in order, without an allocation.

use core::{array, iter};

use super::Action;

/// No input asks for more.
const CAPACITY: usize = 4;

/// What the host must do now, in the order of iteration.
///
/// The host performs one action wholly before the next. In particular it reports [`super::Input::Sent`]
/// while it performs [`Action::Advertise`], and performs what that returns before it goes on. The orders are:
///
/// - takeover: Transition, Advertise; and when it was sent: Grant, Acquire, Announce;
/// - adoption: Transition, Advertise (when it was sent: Grant), Acquire, Announce;
/// - every later advertisement: Advertise; and when it was sent: Grant;
/// - yielding to a better router: Transition, Close, Release;
/// - fault and shutdown: Transition, Close, Advertise (priority 0), Release.
///
/// Acquire and Release come in pairs: without a first success in sending there is neither, unless a daemon adopts
/// what another left.
#[must_use = "actions are what the election decided; dropping them leaves the host in another state"]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions([Option<Action>; CAPACITY]);

impl Actions {
    /// Nothing to do.
    pub(super) const NONE: Self = Self([None; CAPACITY]);

    /// The actions of `list` that are there, in its order.
    pub(super) fn of<const N: usize>(list: [Option<Action>; N]) -> Self {
        const { assert!(N <= CAPACITY) };
        let mut actions = [None; CAPACITY];
        for (slot, action) in actions.iter_mut().zip(list) {
            *slot = action;
        }
        Self(actions)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

impl IntoIterator for Actions {
    type Item = Action;
    type IntoIter = iter::Flatten<array::IntoIter<Option<Action>, CAPACITY>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}
