//! The sockets of one interface and family, shared by all routers there. No packet is judged here.

use std::io;

use vrrp_common::{
    time::{Instant, Interval},
    wire::Family,
};

use super::{Counters, DatapathError, Progress, membership::Membership};
use crate::sys::{
    clock::Stamps,
    link::Inquiry,
    packet::{BATCH, Batch, Receiver},
};

/// Receive queues of several processors hand packets over in an order that may differ from that of their stamps
/// by less than this.
const REORDERING: Interval = Interval::from_millis(1);

/// Which interface and family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PortKey {
    pub(super) interface: u32,
    pub(super) family: Family,
}

impl PortKey {
    /// A number for epoll to give back.
    pub(super) fn token(self) -> u64 {
        u64::from(self.interface) << 8 | self.family as u64
    }

    pub(super) fn from_token(token: u64) -> Self {
        let family = if token as u8 == Family::V4 as u8 { Family::V4 } else { Family::V6 };
        Self { interface: (token >> 8) as u32, family }
    }

    pub(super) fn refused(self, error: io::Error) -> DatapathError {
        DatapathError::Listen { interface: self.interface_name(), family: self.family, error }
    }

    pub(super) fn interface_name(self) -> String {
        interface_name(self.interface).unwrap_or_else(|| format!("interface number {}", self.interface))
    }
}

/// The name of an interface, if there is one of this number.
pub(super) fn interface_name(interface: u32) -> Option<String> {
    Inquiry::new().and_then(|inquiry| inquiry.name(interface)).ok()
}

#[derive(Debug)]
pub(super) struct Port {
    pub(super) key: PortKey,
    pub(super) receiver: Receiver,
    pub(super) stamps: Stamps,
    pub(super) strangers: Counters,
    /// How many routers listen here.
    pub(super) routers: usize,
    /// More waits: everything older than this has been read. `None` if the queue was empty.
    pub(super) behind: Option<Instant>,
    /// The groups that the host is in for them.
    pub(super) membership: Membership,
}

impl Port {
    pub(super) fn open(key: PortKey) -> Result<Self, DatapathError> {
        Ok(Self {
            key,
            membership: Membership::open(key)?,
            receiver: Receiver::open(key.interface, key.family).map_err(|error| key.refused(error))?,
            stamps: Stamps::new(),
            strangers: Counters::default(),
            routers: 0,
            behind: None,
        })
    }

    /// Reads one batch and says whether that was all. Afterwards [`Self::stamps`] can convert its stamps.
    pub(super) fn receive(&mut self, batch: &mut Batch) -> Result<Progress, DatapathError> {
        let received = match self.receiver.receive(batch) {
            Ok(received) => received,
            // The interface went down, which netlink tells the node; the socket revives with it.
            Err(error) if error.raw_os_error() == Some(libc::ENETDOWN) => 0,
            Err(error) => return Err(self.unreadable(error)),
        };
        self.stamps.sample();
        if received < BATCH {
            self.stamps.emptied();
            self.behind = None;
            return Ok(Progress::Drained);
        }
        let last = self.stamps.instant(batch.packets().next_back().and_then(|packet| packet.stamp));
        self.behind = Some(last.before(REORDERING));
        // A queue that was full long enough to lose packets takes more than one batch to read.
        let lost = self.receiver.take_drops().map_err(|error| self.unreadable(error))?;
        self.strangers.lost += u64::from(lost);
        Ok(Progress::More)
    }

    fn unreadable(&self, error: io::Error) -> DatapathError {
        DatapathError::Receive { interface: self.key.interface_name(), error }
    }
}
