//! The sockets of one interface and family, shared by all routers there. No packet is judged here.

use std::{collections::BTreeMap, io, net::IpAddr};

use nix::net::if_::if_indextoname;
use vrrp_common::{
    time::{Instant, Interval},
    wire::Family,
};

use super::{Counters, DatapathError, Progress};
use crate::sys::{
    clock::Stamps,
    packet::{BATCH, Batch, Receiver},
    raw::Presence,
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

    pub(super) fn interface_name(self) -> String {
        // The wrapper gives an empty name where there is no such interface.
        match if_indextoname(self.interface) {
            Ok(name) if !name.is_empty() => name.to_string_lossy().into_owned(),
            _ => format!("interface number {}", self.interface),
        }
    }
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
    presence: Presence,
    groups: BTreeMap<IpAddr, usize>,
}

impl Port {
    pub(super) fn open(key: PortKey) -> Result<Self, DatapathError> {
        let refused =
            |error| DatapathError::Listen { interface: key.interface_name(), family: key.family, error };
        Ok(Self {
            key,
            presence: Presence::open(key.interface, key.family).map_err(refused)?,
            receiver: Receiver::open(key.interface, key.family).map_err(refused)?,
            stamps: Stamps::new(),
            strangers: Counters::default(),
            routers: 0,
            behind: None,
            groups: BTreeMap::new(),
        })
    }

    pub(super) fn join(&mut self, group: IpAddr) -> Result<(), DatapathError> {
        let members = self.groups.entry(group).or_default();
        if *members == 0 {
            self.presence.join(group).map_err(|error| DatapathError::Join {
                interface: self.key.interface_name(),
                group,
                error,
            })?;
        }
        *members += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self, group: IpAddr) {
        let Some(members) = self.groups.get_mut(&group) else { return };
        *members = members.saturating_sub(1);
        if *members > 0 {
            return;
        }
        self.groups.remove(&group);
        if let Err(error) = self.presence.leave(group) {
            // It went with its interface, or goes with the socket.
            tracing::debug!("cannot leave {group} on {}: {error}", self.key.interface_name());
        }
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
