//! A new configuration: only the difference is applied. Routers that stay the same are not touched, not even their
//! timers; those that changed go on in their state.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    mem,
};

use vrrp_common::{
    abi::Heard,
    election::{Input, State},
    time::Instant,
};

use super::{
    Node,
    act::statics,
    groups::Group,
    router::{Key, Place, Router, RoutingPlace, first_form, key, parameters},
    view::configured,
};
use crate::{
    config::model::{self, Configuration, Instance, Routing, Track, VirtualAddress},
    datapath::Slot,
    netlink::DesiredRouter,
    notify::Happening,
    sys::clock,
    track::CheckId,
};

/// What a reload came to, in numbers of virtual routers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// New ones.
    pub added: usize,
    /// Such that are gone.
    pub removed: usize,
    /// Such whose settings differ from before.
    pub changed: usize,
    /// The others.
    pub untouched: usize,
}

/// "1 added, 0 removed, 2 changed, 197 untouched".
impl std::fmt::Display for Reloaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { added, removed, changed, untouched } = self;
        write!(f, "{added} added, {removed} removed, {changed} changed, {untouched} untouched")
    }
}

/// Whether the trackers are the same, by the names of what they track.
fn is_tracked_alike(old: &[Track], old_checks: &[CheckId], new: &[Track], new_checks: &[CheckId]) -> bool {
    let named = |tracks: &[Track], checks: &[CheckId]| -> Vec<_> {
        tracks.iter().map(|one| (checks.get(one.check).cloned(), one.weight, one.reverse)).collect()
    };
    named(old, old_checks) == named(new, new_checks)
}

impl Node {
    /// Runs `new` from now on.
    pub(super) fn reload(&mut self, new: Configuration) -> Reloaded {
        let now = clock::now();
        if self.stop_by.is_some() {
            return Reloaded::default();
        }
        let mut outcome = Reloaded::default();
        if let Some(believed) = self.damping.set(new.link_delays, now) {
            self.links = Some(believed);
        }
        let checks = self.checks.ids();
        self.checks.replace(&new.checks, now);
        if let Some(links) = self.links.clone() {
            self.checks.look_at(&links, now);
        }
        self.router_id = new.router_id;
        self.statics = statics(new.statics);
        let former = self.groups_by_slot();
        self.remove_gone(&new.instances, now, &mut outcome);
        let added = self.take_instances(new.instances, &checks, &mut outcome);
        self.regroup(&new.groups, &former);
        self.take_stock();
        (0..self.routers.len()).for_each(|index| self.survey(index));
        if self.links.is_some() && self.held_until.is_none() {
            self.start(&added);
        }
        self.unpublished = true;
        self.remember();
        if new.fifo_states_on_reload {
            self.tell_all_again();
        }
        tracing::info!("the configuration was read again: {outcome}");
        outcome
    }

    /// The group of each router that is in one.
    fn groups_by_slot(&self) -> HashMap<Slot, String> {
        let named = |router: &Router| Some((router.slot, self.groups.get(router.group?)?.name.clone()));
        self.routers.iter().filter_map(named).collect()
    }

    /// Routers that are not in the new file resign.
    fn remove_gone(&mut self, instances: &[Instance], now: Instant, outcome: &mut Reloaded) {
        let staying: HashSet<Key> = instances.iter().map(key).collect();
        let stays = |router: &Router| staying.contains(&key(&router.instance));
        for index in 0..self.routers.len() {
            if stays(&self.routers[index]) {
                continue;
            }
            outcome.removed += 1;
            // Its end is told as the end of an instance, not of the node.
            let deleted = self.routers[index].instance.notify.tells_deleted;
            self.routers[index].told.silence();
            self.input(index, Input::Shutdown, now);
            self.tell(index, if deleted { Happening::Deleted } else { Happening::Fault });
            self.detach(index);
            // What is published after the reload is without its addresses.
            self.departed.push((self.routers[index].slot, self.generation + 1));
        }
        self.routers.retain(stays);
    }

    /// Brings the routers into the order and to the settings of the new file; the places of the new ones.
    fn take_instances(
        &mut self,
        instances: Vec<Instance>,
        checks: &[CheckId],
        outcome: &mut Reloaded,
    ) -> Vec<usize> {
        let mut free = self.free_slots();
        let old = mem::take(&mut self.routers).into_iter();
        let mut old: HashMap<Key, Router> = old.map(|router| (key(&router.instance), router)).collect();
        let mut changed = Vec::new();
        let mut added = Vec::new();
        for instance in instances {
            let place = self.routers.len();
            if let Some(router) = old.remove(&key(&instance)) {
                self.routers.push(router);
                changed.push((place, instance));
            } else {
                let Some(slot) = free.next() else { break };
                self.routers.push(Router::new(slot, instance));
                added.push(place);
                outcome.added += 1;
            }
        }
        let checks = (checks, &*self.checks.ids());
        for (index, instance) in changed {
            if self.change(index, instance, checks) {
                outcome.changed += 1;
            } else {
                outcome.untouched += 1;
            }
        }
        added
    }

    /// The numbers that no router has, the lowest first.
    fn free_slots(&self) -> impl Iterator<Item = Slot> + use<> {
        let routers = self.routers.iter().map(|router| router.slot);
        let taken: HashSet<Slot> = routers.chain(self.departed.iter().map(|(slot, _)| *slot)).collect();
        (0..DesiredRouter::STATICS.0).map(Slot).filter(move |slot| !taken.contains(slot))
    }

    /// Gives a router its new settings; true if they differ from the old ones. `checks` are those that the old
    /// ones number, and those that the new ones do.
    fn change(&mut self, index: usize, new: Instance, checks: (&[CheckId], &[CheckId])) -> bool {
        let now = clock::now();
        let router = &mut self.routers[index];
        let old = mem::replace(&mut router.instance, new);
        router.configured = configured(&router.instance);
        let new = &router.instance;
        // Checks are numbered by their places in the file, which may have moved.
        if (Instance { tracks: new.tracks.clone(), ..old.clone() } == *new) {
            return !is_tracked_alike(&old.tracks, checks.0, &new.tracks, checks.1);
        }
        let heard_otherwise = (&old.peers, &old.accept_from, old.group, old.receive)
            != (&new.peers, &new.accept_from, new.group, new.receive)
            || old.version != new.version;
        let holds_otherwise = !old.held_addresses().eq(new.held_addresses())
            || old.routing != new.routing
            || old.virtual_mac != new.virtual_mac
            || old.announce != new.announce;
        if old.checksum != new.checksum {
            router.form = first_form(new.checksum);
        }
        let new = parameters(new);
        if parameters(&old) != new {
            self.input(index, Input::Configure(new), now);
        }
        if holds_otherwise {
            self.announce_anew(index, now);
        }
        let router = &mut self.routers[index];
        if let Some(view) = router.view(now) {
            self.datapath.update(router.slot, view);
        }
        if heard_otherwise {
            router.seen = Heard::default();
            self.detach(index);
        }
        true
    }

    /// The addresses, or how they are announced, changed: each is announced when it is there, as at a takeover.
    fn announce_anew(&mut self, index: usize, now: Instant) {
        let router = &mut self.routers[index];
        router.take_addresses();
        if router.held {
            self.announcer.start(router.slot, router.instance.announce, now);
        }
        self.guard_addresses(index);
    }

    /// The addresses of routers that a reload removed are gone: nothing is left to guard, and their slots are free.
    pub(super) fn forget_departed(&mut self, generation: u64) {
        let (gone, waiting) = self.departed.iter().partition(|(_, leaving)| *leaving <= generation);
        self.departed = waiting;
        let gone: Vec<(Slot, u64)> = gone;
        for (slot, _) in gone {
            if let Err(error) = self.guard.keep(slot, BTreeSet::new()) {
                tracing::warn!("an address of a router that is gone is still guarded: {error}");
            }
        }
    }

    /// Makes the groups anew. A router that was not in the group follows it at first if it is Active, see
    /// `election::groups`.
    fn regroup(&mut self, groups: &[model::Group], former: &HashMap<Slot, String>) {
        let told = mem::take(&mut self.groups).into_iter().map(|group| (group.name, group.told));
        let told: HashMap<String, _> = told.collect();
        let group = |one: &model::Group| Group::new(one, told.get(&one.name).copied().flatten());
        self.groups = groups.iter().map(group).collect();
        for group in groups {
            let is_active = |index: &usize| self.routers[*index].machine.state() == State::Active;
            let active = group.members.iter().any(is_active);
            for &index in &group.members {
                let router = &mut self.routers[index];
                let stays = former.get(&router.slot) == Some(&group.name) && router.joined;
                router.joined = stays || !active || router.machine.state() == State::Active;
            }
        }
    }
}

impl Router {
    /// The addresses of the instance, with what is known of those that were there before.
    fn take_addresses(&mut self) {
        let before: HashMap<_, _> = self.addresses.iter().zip(&self.places).collect();
        let known = |entry: &VirtualAddress| before.get(entry).copied().cloned().unwrap_or_default();
        let places: Vec<Place> = self.instance.held_addresses().map(known).collect();
        self.places = places;
        self.addresses = self.instance.held_addresses().cloned().collect();
        self.take_routing();
        self.advertised = self.instance.advertised().collect();
        // Events name an address by its place in the list: all are told of anew.
        self.acquisitions += 1;
    }

    fn take_routing(&mut self) {
        let before: BTreeMap<_, _> = self.routing.iter().zip(&self.routing_places).collect();
        let known = |entry: &Routing| before.get(entry).copied().cloned().unwrap_or_default();
        let places: Vec<RoutingPlace> = self.instance.routing.iter().map(known).collect();
        self.routing_places = places;
        self.routing = self.instance.routing.clone().into();
    }
}
