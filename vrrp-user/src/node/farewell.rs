//! Farewells for routers that the daemon before held and no file names any more: the next one resigns for them, so that
//! no peer has to wait for their silence.

use std::{collections::HashSet, net::IpAddr};

use vrrp_common::{
    time::{Instant, Interval},
    wire::{ChecksumForm, Family, Version},
};

use super::{Node, links::Ground, router::key};
use crate::{
    config::model::UnicastPeer,
    datapath::Slot,
    netlink::LinkTable,
    perform::transmit::Route,
    state::{RouterMemory, Voice},
};

/// As an Active that shuts down sends.
const COPIES: u8 = 3;

impl Node {
    /// Notes the routers of the daemon before that held a lease at `now` and are not among ours. Their addresses stay
    /// until the farewell was sent.
    pub(super) fn find_orphans(&mut self, now: Instant) {
        let heritage = &self.heritage;
        let present: HashSet<_> = self.routers.iter().map(|router| key(&router.instance)).collect();
        let is_orphan = |left: &&RouterMemory| {
            let lease = heritage.leases.read(Slot(left.slot));
            let held = lease.is_some_and(|lease| now < lease.until);
            held && !present.contains(&left.key())
        };
        self.orphans = heritage.left.routers.iter().filter(is_orphan).cloned().collect();
    }

    /// Whether a router of the daemon before still waits for its farewell.
    pub(super) fn is_orphan(&self, left: &RouterMemory) -> bool {
        self.orphans.contains(left)
    }

    /// Priority 0 for each of them; from here on their addresses go.
    pub(super) fn resign_for_orphans(&mut self) {
        let Some(table) = self.links.clone() else { return };
        for left in std::mem::take(&mut self.orphans) {
            let name = format!("VRID {} on {}", left.vrid, left.interface);
            self.guard.close(Slot(left.slot));
            let Some(ground) = self.ground_of(&left, &table) else {
                tracing::warn!("{name} is not configured any more, and there is no interface to resign on");
                continue;
            };
            match self.say_farewell(&left, ground) {
                Ok(()) => tracing::info!("{name} is not configured any more: resigned for it"),
                Err(error) => tracing::warn!("{name} is not configured any more, and cannot resign: {error}"),
            }
        }
    }

    fn say_farewell(&mut self, left: &RouterMemory, ground: Ground) -> Result<(), String> {
        let Voice { v2, interval, group, ref peers, ttl, password, ref addresses, .. } = left.voice;
        let peer = |&address: &IpAddr| UnicastPeer { address, min_ttl: 0, max_ttl: 255 };
        let peers: Vec<UnicastPeer> = peers.iter().map(peer).collect();
        let route = Route {
            interface: ground.ifindex,
            mac: ground.mac,
            source: ground.source,
            group,
            peers: &peers,
            ttl,
            version: if v2 { Version::V2 } else { Version::V3 },
            vrid: left.vrid,
            password,
            addresses,
            form: ChecksumForm::Pseudo,
        };
        let interval = Interval::from_nanos(interval);
        // Which form its peers understood is not known: each of them drops the other one.
        for form in forms(v2, Family::of(ground.source)) {
            let route = Route { form: *form, ..route };
            self.transmitter.advertise(&route, 0, interval, COPIES).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn ground_of(&self, left: &RouterMemory, table: &LinkTable) -> Option<Ground> {
        let link = table.by_name(&left.interface).filter(|link| link.up)?;
        let family = Family::of(left.voice.group);
        let theirs = self.heritage.left.routers.iter().flat_map(|router| &router.addresses);
        let is_theirs = |address: &IpAddr| theirs.clone().any(|place| place.address == *address);
        let primary = || link.primary_address(family, |address| !is_theirs(address));
        let source = left.voice.source.or_else(primary)?;
        Some(Ground { ifindex: link.ifindex, mac: left.voice.mac.or(link.mac).unwrap_or_default(), source })
    }
}

fn forms(v2: bool, family: Family) -> &'static [ChecksumForm] {
    match (v2, family) {
        (false, Family::V4) => &[ChecksumForm::Pseudo, ChecksumForm::Message],
        _ => &[ChecksumForm::Pseudo],
    }
}
