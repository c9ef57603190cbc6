//! What is taken over from the daemon before: slots, leases, results of checks. Whether a router that was Active
//! goes on is the election's to say.

use std::collections::{BTreeSet, HashMap, HashSet};

use tokio::sync::watch;
use vrrp_common::{
    election::{Input, Lease, State},
    time::{Instant, Interval},
};

use super::{
    Node,
    links::ground,
    router::{Key, Router, key},
};
use crate::{
    config::model::{Check, Instance, Routing},
    datapath::Slot,
    netlink::DesiredRouter,
    state::{Leases, Memory, PlaceMemory, RouterMemory},
    sys::clock,
};

/// In one [`WINDOW`] so many daemons adopt: whoever ends more often is not fit to be Active.
const ADOPTIONS: usize = 5;
const WINDOW: Interval = Interval::from_secs(60);

/// What the daemon before left, and where this one leaves its own.
#[derive(Debug)]
pub struct Heritage {
    /// What it remembered.
    pub left: Memory,
    /// Its leases, which become ours.
    pub leases: Leases,
    /// Takes what is to be remembered, whenever that changes.
    pub remember: watch::Sender<Memory>,
}

/// The routers in the slots that they had, so that maps and leases stay true, each with the lease that may still be
/// adopted at `now`.
pub(super) fn settle(instances: Vec<Instance>, heritage: &Heritage, now: Instant) -> Vec<Router> {
    let mut left: HashMap<Key, u32> =
        heritage.left.routers.iter().map(|left| (left.key(), left.slot)).collect();
    let known: Vec<Option<u32>> = instances.iter().map(|instance| left.remove(&key(instance))).collect();
    let taken: BTreeSet<u32> = known.iter().copied().flatten().collect();
    let mut free = (0..).filter(|slot| !taken.contains(slot));
    let mut routers = Vec::new();
    for (instance, known) in instances.into_iter().zip(known) {
        let Some(slot) = known.or_else(|| free.next()).map(Slot) else { break };
        let mut router = Router::new(slot, instance);
        router.left = known.and_then(|_| heritage.leases.read(slot)).filter(|lease| now < lease.until);
        routers.push(router);
    }
    routers
}

impl Node {
    /// Takes in what was left. Leases that nobody can adopt are gone for good.
    pub(super) fn inherit(&mut self, checks: &[Check]) {
        let now = clock::now();
        self.find_orphans(now);
        let Heritage { left, leases, .. } = &mut self.heritage;
        left.adoptions.retain(|at| now < Instant::from_nanos(*at).after(WINDOW));
        leases.clear_all();
        let wanted = self.routers.iter().any(|router| router.left.is_some());
        if wanted && left.adoptions.len() >= ADOPTIONS {
            tracing::warn!(
                "{ADOPTIONS} daemons went on for another one within a minute: this one starts as Backup"
            );
            self.routers.iter_mut().for_each(|router| router.left = None);
        } else if wanted {
            left.adoptions.push(now.as_nanos());
            self.checks.adopt(checks, &left.checks, now);
        }
        // They hold until it is decided: the addresses answer meanwhile.
        for router in &self.routers {
            if let Some(lease) = router.left {
                self.grant(router.slot, lease);
            }
        }
        self.remember();
    }

    /// The addresses of a router are open until its lease ends, whatever becomes of this daemon.
    pub(super) fn grant(&self, slot: Slot, lease: Lease) {
        self.guard.grant(slot, lease);
        self.heritage.leases.write(slot, lease);
    }

    /// The addresses of a router are closed.
    pub(super) fn close(&self, slot: Slot) {
        self.guard.close(slot);
        self.heritage.leases.clear(slot);
    }

    /// Decides about the leases that were left, before anything else that takes time: an adopted router advertises
    /// at once.
    pub(super) fn adopt(&mut self) {
        let Some(table) = self.links.clone() else { return };
        for index in 0..self.routers.len() {
            let router = &mut self.routers[index];
            let Some(lease) = router.left.take() else { continue };
            let now = clock::now();
            let found = ground(&router.instance, &table, &self.virtual_addresses);
            router.ground = found.ok();
            if let Ok(ground) = found {
                self.input(index, Input::Source(ground.source.into()), now);
            }
            self.assess(index, found.err(), now);
            let slot = self.routers[index].slot;
            let heard = self.datapath.left(slot);
            self.routers[index].seen = heard;
            let superseded = heard.better.at >= lease.granted.as_nanos();
            let begin = if superseded { Input::Startup } else { Input::Adopt(lease) };
            self.input(index, begin, clock::now());
            let router = &self.routers[index];
            if router.machine.state() != State::Active {
                tracing::warn!("{}: what the daemon before held is let go of", router.instance.name);
                self.close(slot);
            }
        }
        self.resign_for_orphans();
        self.unpublished = true;
    }

    /// Leaves to the next daemon what it would need now.
    pub(super) fn remember(&self) {
        let memory = Memory {
            routers: self.routers.iter().map(Router::memory).collect(),
            routing: self.routing().cloned().collect(),
            checks: self.checks.memory(),
            adoptions: self.heritage.left.adoptions.clone(),
        };
        self.heritage.remember.send_replace(memory);
    }

    /// Addresses, routes and rules of the daemon before that are in no present router's list: they go.
    pub(super) fn leftovers(&self) -> Vec<DesiredRouter> {
        let left = &self.heritage.left;
        let present: HashSet<PlaceMemory> = self.routers.iter().flat_map(Router::listed).collect();
        // Numbers that no router has.
        let mut slots = (0..DesiredRouter::STATICS.0).rev().map(Slot);
        let gone = left.routers.iter().zip(&mut slots).map(|(router, slot)| {
            let places = router.addresses.iter().filter(|place| !present.contains(place));
            DesiredRouter { held: self.is_orphan(router), ..router.released(slot, places) }
        });
        let mut gone: Vec<DesiredRouter> = gone.collect();
        let routing: BTreeSet<&Routing> = self.routing().collect();
        let unrouted = left.routing.iter().filter(|entry| !routing.contains(entry)).cloned();
        gone.extend(slots.next().map(|slot| Memory::unrouted(slot, unrouted)));
        gone
    }

    /// All routes and rules.
    fn routing(&self) -> impl Iterator<Item = &Routing> {
        self.routers.iter().flat_map(|router| router.routing.iter()).chain(self.statics.routing.iter())
    }
}

impl RouterMemory {
    /// What peers know it by.
    pub(super) fn key(&self) -> Key {
        (self.interface.clone(), self.family, self.vrid)
    }
}
