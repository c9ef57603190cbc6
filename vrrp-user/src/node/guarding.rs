//! What is guarded of each router: the addresses that it holds, and those that it has not let go of yet. When a lease
//! opens and ends is decided in the election.

use std::collections::{BTreeMap, BTreeSet};

use vrrp_common::{
    abi::{GuardKey, Passage},
    time::Instant,
};

use super::{Node, router::Router};
use crate::{config::model::VirtualAddress, netlink::LinkTable, status};

impl Node {
    /// Guards what a router asks for, before it asks, and what is still there of it.
    pub(super) fn guard_addresses(&mut self, index: usize) {
        let router = &self.routers[index];
        let Some(links) = self.links.as_deref().filter(|_| self.unguarded(router).is_none()) else { return };
        let keys = keys(router, links);
        let (slot, name) = (router.slot, &router.instance.name);
        if let Err(error) = self.guard.keep(slot, keys) {
            tracing::error!("{name}: an address is not guarded: {error}");
        }
    }

    /// Addresses may have gone, or have been left here by an earlier run.
    pub(super) fn guard_all_addresses(&mut self) {
        for index in 0..self.routers.len() {
            self.guard_addresses(index);
        }
    }

    /// Lets go of addresses that are no longer here.
    pub(super) fn guard_remaining_addresses(&mut self) {
        for index in 0..self.routers.len() {
            if !self.routers[index].held && self.guard.keeps(self.routers[index].slot) {
                self.guard_addresses(index);
            }
        }
    }

    /// Why the addresses of a router are not guarded, if so.
    pub(super) fn unguarded(&self, router: &Router) -> Option<String> {
        if let Some(reason) = self.guard.absent() {
            return Some(reason.to_owned());
        }
        if router.instance.priority == 255 {
            return Some("the host owns the addresses (priority 255)".to_owned());
        }
        (router.instance.down_timer_adverts < 2).then(|| {
            "with down_timer_adverts 1 a lease would end before it can be renewed; 2 or more can be guarded"
                .to_owned()
        })
    }
}

impl Node {
    /// How each interface is guarded, or why not.
    pub(super) fn fenced(&self) -> BTreeMap<String, String> {
        let report = self.guard.report().0.into_iter();
        report.map(|(name, fenced)| (name, fenced.map_or_else(|reason| reason, str::to_owned))).collect()
    }

    /// How the addresses of one router are guarded.
    pub(super) fn guard_status(&self, router: &Router, now: Instant) -> status::GuardStatus {
        let unguarded = self.unguarded(router);
        let guarded = unguarded.is_none();
        let (until, packets) = self.guard.books(router.slot, now).unwrap_or_default();
        let left = |until: Instant| (until.since(now).as_nanos() / 1000) as f64 / 1000.0;
        status::GuardStatus {
            guarded,
            reason: unguarded.or_else(|| self.guard.report().failures()),
            open_for_ms: until.filter(|_| guarded).map(left),
            packets: Passage::ALL
                .iter()
                .zip(packets)
                .map(|(one, count)| (one.name().to_owned(), count))
                .collect(),
        }
    }
}

/// The addresses of a router that are to be on this host, or are where it puts them.
fn keys(router: &Router, links: &LinkTable) -> BTreeSet<GuardKey> {
    let key = |entry: &VirtualAddress| {
        let device = entry.device.as_ref().unwrap_or(&router.instance.interface);
        let link = links.by_name(device);
        let here = link.is_some_and(|link| link.find(entry.address, entry.prefix).is_some());
        let ifindex = link.map_or(0, |link| link.ifindex);
        (router.held || here).then(|| GuardKey::new(entry.address.into(), ifindex))
    };
    router.addresses.iter().filter_map(key).collect()
}
