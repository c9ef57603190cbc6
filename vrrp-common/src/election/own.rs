//! What both Backup and Active know of their own router. No state of the protocol lives here.

use super::{Action, Advertised, Parameters, Peer, priority::OWNER, timers};
use crate::{time::Interval, wire::Version};

/// The router's own side: configuration and effective priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) parameters: Parameters,
    /// Effective priority, 1 to 255.
    pub(super) priority: u8,
}

impl Own {
    pub(super) fn is_owner(&self) -> bool {
        self.parameters.priority == OWNER
    }

    /// Preempt_Mode; an owner always preempts (RFC 9568 §6.1).
    pub(super) fn may_preempt(&self) -> bool {
        self.is_owner() || self.parameters.preempt
    }

    /// How long a lower priority is tolerated first, if at all. An owner does not wait.
    pub(super) fn preempt_delay(&self) -> Option<Interval> {
        let delay = self.parameters.preempt_delay;
        (self.parameters.preempt && !self.is_owner() && delay > Interval::ZERO).then_some(delay)
    }

    pub(super) fn interval(&self) -> Interval {
        self.parameters.advertisement_interval
    }

    /// Active_Adver_Interval after an advertisement that carried `interval`: VRRPv3 learns it, in VRRPv2 all
    /// routers share the configured one (RFC 3768 §5.3.7).
    pub(super) fn learned(&self, interval: Interval) -> Interval {
        match self.parameters.version {
            Version::V2 => self.interval(),
            Version::V3 => interval,
        }
    }

    /// Skew_Time under an Active of this interval.
    pub(super) fn skew(&self, active_adver_interval: Interval) -> Interval {
        timers::skew_time(self.parameters.version, self.priority, active_adver_interval)
    }

    /// Active_Down_Interval under an Active of this interval.
    pub(super) fn down(&self, active_adver_interval: Interval) -> Interval {
        let Parameters { version, down_timer_adverts, .. } = self.parameters;
        timers::active_down_interval(version, self.priority, active_adver_interval, down_timer_adverts)
    }

    /// The tie-break of RFC 9568 §6.4.3, as an Active asks it.
    pub(super) fn is_outranked_by(&self, advert: &Advertised) -> bool {
        (advert.priority, advert.source) > (self.priority, self.parameters.source)
    }

    /// One advertisement with the effective priority.
    pub(super) fn advertise(&self) -> Action {
        Action::Advertise { priority: self.priority, interval: self.interval(), copies: 1 }
    }

    /// The advertisements that resign: three, because the loss of one would cost the peers a whole
    /// Active_Down_Interval.
    pub(super) fn resign(&self) -> Action {
        Action::Advertise { priority: 0, interval: self.interval(), copies: 3 }
    }
}

impl From<&Advertised> for Peer {
    fn from(advert: &Advertised) -> Self {
        Self { source: advert.source, priority: advert.priority, heard: advert.at }
    }
}
