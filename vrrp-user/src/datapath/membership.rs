//! The host's presence in multicast groups on one interface, shared by all routers there. Nothing is received.

use std::{collections::BTreeMap, net::IpAddr};

use super::{DatapathError, port::PortKey};
use crate::sys::raw::Presence;

/// Open for as long as somebody listens on the interface, in groups or not: without it the host answers unicast
/// advertisements with ICMP errors.
#[derive(Debug)]
pub(super) struct Membership {
    key: PortKey,
    presence: Presence,
    groups: BTreeMap<IpAddr, usize>,
}

impl Membership {
    pub(super) fn open(key: PortKey) -> Result<Self, DatapathError> {
        let presence = Presence::open(key.interface, key.family).map_err(|error| key.refused(error))?;
        Ok(Self { key, presence, groups: BTreeMap::new() })
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
}
