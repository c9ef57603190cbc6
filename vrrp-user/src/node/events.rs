//! Messages from the other threads: interfaces, addresses, checks, commands. Each changes what a router knows
//! and is then put to its election.

use std::sync::Arc;

use vrrp_common::{
    election::{Fault, Input, State},
    time::Instant,
};

use super::{
    Command, Node,
    links::{Ground, ground},
    router::RoutingPlace,
};
use crate::{
    config::model::Track,
    datapath::{Binding, Slot},
    guard::Unguarded,
    netlink::{Event, LinkTable, RoutingNews},
    sys::clock,
    track::{self, CheckReport},
};

impl Node {
    pub(super) fn on_netlink(&mut self, event: Event) -> Result<(), Unguarded> {
        match event {
            Event::Links(table) => {
                let believed = self.damping.tell(table, clock::now());
                self.on_links(believed)?;
            }
            Event::Confirmed { slot, addresses } => self.on_confirmed(slot, &addresses),
            Event::Refused { slot, index, error } => {
                if let Some((name, place)) = self.place(slot, index) {
                    tracing::warn!("{name}: the host refused a virtual address: {error}");
                    place.ifindex = None;
                    place.refused = Some(error.to_string());
                } else {
                    tracing::warn!("the host refused a static address: {error}");
                }
            }
            Event::Restored { slot, index } => {
                if let Some((name, place)) = self.place(slot, index) {
                    place.restored += 1;
                    tracing::warn!("{name}: put back a virtual address that another program removed");
                }
            }
            Event::Routing { slot, index, news } => self.on_routing(slot, index, news),
            Event::Settled { generation } => {
                self.settled = self.settled.max(generation);
                self.guard_remaining_addresses();
                self.forget_departed(generation);
            }
        }
        Ok(())
    }

    fn place(&mut self, slot: Slot, index: usize) -> Option<(String, &mut super::router::Place)> {
        let router = self.index_of(slot)?;
        let router = &mut self.routers[router];
        Some((router.instance.name.clone(), router.places.get_mut(index)?))
    }

    fn on_routing(&mut self, slot: Slot, index: usize, news: RoutingNews) {
        let router = self.index_of(slot).map(|router| &mut self.routers[router]);
        let name = router.as_ref().map_or("static", |router| &router.instance.name).to_owned();
        let place =
            router.filter(|router| router.held).and_then(|router| router.routing_places.get_mut(index));
        let mut spare = RoutingPlace::default();
        let place = place.unwrap_or(&mut spare);
        match news {
            RoutingNews::Placed => (place.placed, place.refused) = (true, None),
            RoutingNews::Refused(error) => {
                tracing::warn!("{name}: {error}");
                (place.placed, place.refused) = (false, Some(error.to_string()));
            }
            RoutingNews::Restored => {
                tracing::warn!("{name}: put back a route or rule that somebody had removed");
                (place.placed, place.refused) = (true, None);
                place.restored += 1;
            }
        }
    }

    fn on_confirmed(&mut self, slot: Slot, addresses: &[(usize, u32)]) {
        let Some(index) = self.index_of(slot) else { return };
        let router = &mut self.routers[index];
        if !router.held {
            return;
        }
        for &(address, ifindex) in addresses {
            let Some(place) = router.places.get_mut(address) else { continue };
            place.ifindex = Some(ifindex);
            place.refused = None;
        }
        let Some(links) = &self.links else { return };
        let places = addresses
            .iter()
            .filter_map(|&(address, ifindex)| Some((router.addresses.get(address)?.address, ifindex)));
        self.announcer.confirmed(slot, places, links, clock::now());
    }

    /// The first list starts the routers, unless they are held; every later one tells them what became of their
    /// interface.
    pub(super) fn on_links(&mut self, table: Arc<LinkTable>) -> Result<(), Unguarded> {
        self.checks.look_at(&table, clock::now());
        let links = Arc::clone(&table);
        let first = self.links.replace(table).is_none();
        // Before the programs: what they find on the host they know.
        self.guard_all_addresses();
        self.guard.follow(&links)?;
        if first && self.stop_by.is_none() {
            self.adopt();
        }
        (0..self.routers.len()).for_each(|index| self.survey(index));
        if first && self.stop_by.is_none() && self.held_until.is_none() {
            let all: Vec<usize> = (0..self.routers.len()).collect();
            self.start(&all);
        }
        if first {
            self.datapath.started();
            self.guard.sweep();
        }
        Ok(())
    }

    /// Starts these routers. Their groups' faults are known to all of them before the first one starts.
    pub(super) fn start(&mut self, routers: &[usize]) {
        let now = clock::now();
        (0..self.groups.len()).for_each(|group| self.settle_group(group, now));
        for &index in routers {
            self.input(index, Input::Startup, clock::now());
            // What came in while an adopted router was not listened for by us.
            self.replay(self.routers[index].slot, clock::now());
        }
    }

    /// Looks at a router's interface and checks, and tells its election what they mean.
    pub(super) fn survey(&mut self, index: usize) {
        let now = clock::now();
        let Some(table) = self.links.clone() else { return };
        let found = ground(&self.routers[index].instance, &table, &self.virtual_addresses);
        let old = self.routers[index].ground;
        let moved = old.map(|old| old.source) != found.ok().map(|new| new.source);
        // An interface that was renamed or lost its address still carries the farewell.
        let farewell = old.filter(|old| table.by_index(old.ifindex).is_some_and(|link| link.up));
        self.routers[index].ground = found.ok().or(farewell);
        match found {
            Ok(new) => self.attach(index, new, now),
            Err(Fault::InterfaceMissing) => self.detach(index),
            Err(_) => {}
        }
        if let (Ok(new), true) = (found, moved) {
            self.input(index, Input::Source(new.source.into()), now);
        }
        self.assess(index, found.err(), now);
        self.routers[index].ground = found.ok();
    }

    pub(super) fn assess(&mut self, index: usize, ground_fault: Option<Fault>, now: Instant) {
        let router = &self.routers[index];
        let assessment = track::assess(&router.instance.tracks, |check| self.checks.health(check, now));
        let base = router.instance.priority;
        let fault = ground_fault.or_else(|| router.host_fault()).or(assessment.fault);
        let tracked = vrrp_common::election::effective_priority(base, assessment.adjustment);
        let priority = router.ordered_priority().unwrap_or(tracked);
        if priority != router.machine.priority() {
            let name = &router.instance.name;
            let why = self.priority_words(index, now);
            tracing::info!("{name}: priority {} -> {priority} (base {base}{why})", router.machine.priority());
            self.input(index, Input::Priority(priority), now);
        }
        self.routers[index].own_fault = fault;
        // That a member of a group is well again is not enough: the group settles it.
        let settled = self.routers[index].group.is_some() && fault.is_none();
        if fault != self.routers[index].machine.fault() && !settled {
            self.input(index, Input::Eligibility(fault), now);
        }
    }

    /// `; chk_nginx failing: exited with status 1` for every check of the router, and what was ordered.
    fn priority_words(&self, index: usize, now: Instant) -> String {
        let router = &self.routers[index];
        let words = |track: &Track| {
            let (name, health) = (self.checks.name(track.check), self.checks.health(track.check, now));
            format!("; {name} {}: {}", health.word(), self.checks.detail(track.check, now))
        };
        let ordered = router.order.iter().map(|order| format!("; {}", order.words(now)));
        ordered.chain(router.instance.tracks.iter().map(words)).collect()
    }

    /// Begins to listen before any timer runs that depends on hearing something.
    fn attach(&mut self, index: usize, ground: Ground, now: Instant) {
        let router = &mut self.routers[index];
        if router.attached == Some(ground.ifindex) || router.attach_retry.is_some() {
            return;
        }
        if router.attached.take().is_some() {
            self.datapath.detach(router.slot);
        }
        let Some(view) = router.view(now) else { return };
        let binding = Binding {
            slot: router.slot,
            interface: ground.ifindex,
            vrid: router.instance.vrid,
            family: router.instance.family,
            group: router.instance.group,
            view,
            peers: router.instance.peers.clone(),
            accept_from: router.instance.accept_from.clone().unwrap_or_default(),
            receive: router.instance.receive,
        };
        match self.datapath.attach(binding) {
            Ok(()) => {
                router.attached = Some(ground.ifindex);
                router.refusals.look_again();
                if router.machine.state() == State::Initialize {
                    // What an earlier daemon heard is no news.
                    router.seen = self.datapath.heard(router.slot);
                }
                let rung = self.datapath.rung(router.slot);
                tracing::info!(
                    "{}: listening on {} by {} ({})",
                    router.instance.name,
                    router.instance.interface,
                    rung.name,
                    rung.reason
                );
            }
            Err(error) => {
                tracing::error!("{}: {error}", router.instance.name);
                router.pause_attach(now);
            }
        }
    }

    pub(super) fn detach(&mut self, index: usize) {
        let router = &mut self.routers[index];
        if router.attached.take().is_some() {
            self.datapath.detach(router.slot);
        }
    }

    /// Serves what is due of a router besides its election.
    pub(super) fn on_router_pauses(&mut self, index: usize) {
        // Of hundreds of routers few wait for anything, and each turn asks all of them.
        let Some(due) = self.routers[index].pause_deadline() else { return };
        let now = clock::now();
        if now < due {
            return;
        }
        let router = &mut self.routers[index];
        if router.addresses_overdue(now) {
            tracing::error!(
                "{}: not one virtual address could be added in time, resigning",
                router.instance.name
            );
            self.survey(index);
        }
        if self.routers[index].end_pauses(now) {
            self.survey(index);
        }
    }

    pub(super) fn on_check(&mut self, report: CheckReport) {
        let (name, detail, health) = (report.check.clone(), report.detail.clone(), report.health);
        if let Some(check) = self.checks.report(report, clock::now()) {
            self.remember();
            tracing::info!("check {name} is {}: {detail}", health.word());
            self.survey_tracking(check);
        }
    }

    /// A result that expired means failure: the routers that track it must know.
    pub(super) fn expire_checks(&mut self) {
        for check in self.checks.expired(clock::now()) {
            tracing::warn!("check {}: no result in time, counted as failing", self.checks.name(check));
            self.survey_tracking(check);
        }
    }

    fn survey_tracking(&mut self, check: usize) {
        for index in 0..self.routers.len() {
            if self.routers[index].instance.tracks.iter().any(|track| track.check == check) {
                self.survey(index);
            }
        }
    }

    pub(super) fn on_command(&mut self, command: Command) {
        match command {
            // Whoever asked may have left: that is its business.
            Command::Status(reply) => drop(reply.send(self.snapshot())),
            Command::Events(reply) => drop(reply.send(self.events())),
            Command::Reload(configuration, reply) => drop(reply.send(self.reload(*configuration))),
            Command::Order { name, order, reply } => drop(reply.send(self.order(&name, order))),
            Command::Stop => self.stop(),
            Command::Leave => self.leave(),
        }
    }
}
