//! What the election asks for is done here, in its order. Nothing is decided.

use std::sync::Arc;

use vrrp_common::{
    election::{Action, Announcement, Input, State},
    time::{Instant, Interval},
};

use super::Node;
use crate::{
    config::model::Statics,
    netlink::{Desired, DesiredRouter},
    notify::Happening,
    perform::transmit::{Route, Sent},
    sys::clock,
};

impl Node {
    /// Gives `input` to a router's election and does what it asks for. `granted` is the clock as read before
    /// this turn looked at anything.
    pub(super) fn input(&mut self, index: usize, input: Input, granted: Instant) {
        let now = clock::now();
        let heard = matches!(input, Input::Advertisement(_));
        let machine = &mut self.routers[index].machine;
        let due = machine.next_advertisement();
        let before = machine.standing(now);
        let actions = machine.handle(input, now);
        self.agenda.note(index, machine);
        if heard && actions.is_empty() && machine.standing(now) == before {
            // A Backup's steady Active: nobody needs to be told.
            return;
        }
        for action in actions {
            self.perform(index, action, due, granted);
        }
        let router = &self.routers[index];
        if let Some(view) = router.view(now) {
            self.datapath.update(router.slot, view);
        }
        self.tell_state(index);
    }

    fn perform(&mut self, index: usize, action: Action, due: Option<Instant>, granted: Instant) {
        match action {
            Action::Transition(transition) => {
                let reason = self.reason_words(index, &transition.reason);
                let router = &mut self.routers[index];
                router.history.note(&router.instance.name, &transition, reason);
            }
            Action::Advertise { priority, interval, copies } => {
                self.advertise(index, (priority, interval, copies), due, granted);
            }
            Action::Grant(lease) => self.grant(self.routers[index].slot, lease),
            Action::Close => self.close(self.routers[index].slot),
            Action::Acquire => {
                self.routers[index].expect_addresses(clock::now());
                self.guard_addresses(index);
                self.unpublished = true;
            }
            Action::Release => {
                self.announcer.stop(self.routers[index].slot);
                self.routers[index].release_addresses();
                self.unpublished = true;
            }
            Action::Announce(occasion) => self.announce_for(index, occasion),
        }
    }

    fn advertise(
        &mut self,
        index: usize,
        (priority, interval, copies): (u8, Interval, u8),
        due: Option<Instant>,
        granted: Instant,
    ) {
        let router = &mut self.routers[index];
        let Some(ground) = router.ground else { return };
        let route = Route {
            interface: ground.ifindex,
            mac: ground.mac,
            source: ground.source,
            group: router.instance.group,
            peers: &router.instance.peers,
            ttl: router.instance.ttl,
            version: router.instance.version,
            vrid: router.instance.vrid,
            password: router.instance.password,
            addresses: &router.advertised,
            form: router.form,
        };
        let Sent { at: sent, failures } = match self.transmitter.advertise(&route, priority, interval, copies)
        {
            Ok(sent) => sent,
            Err(error) => return router.note_send_error(&error),
        };
        for failure in &failures {
            router.note_send_error(failure);
        }
        router.sent += u64::from(copies);
        if priority == 0 {
            router.resignations_sent += u64::from(copies);
        }
        if let Some(due) = due.filter(|due| *due <= sent) {
            router.note_lateness(due, sent);
        }
        if priority != 0 {
            self.input(index, Input::Sent { granted, sent }, granted);
        }
    }

    fn announce_for(&mut self, index: usize, occasion: Announcement) {
        let router = &self.routers[index];
        let (slot, now) = (router.slot, clock::now());
        match occasion {
            Announcement::Takeover => self.announcer.start(slot, router.instance.announce, now),
            again => self.announcer.again(slot, again, now),
        }
        if occasion == Announcement::LosingActive {
            self.tell(index, Happening::Losing);
        }
    }

    /// Tells the address thread which routers hold their addresses, if that is news; it works towards that at its own
    /// pace. Once a turn: what thousands of routers came to is one list, and an address that moves from one router to
    /// another was never wanted by none.
    pub(super) fn publish(&mut self) {
        if !std::mem::take(&mut self.unpublished) {
            return;
        }
        self.generation += 1;
        let mut routers: Vec<_> = self
            .routers
            .iter()
            .map(|router| DesiredRouter {
                slot: router.slot,
                held: router.held || router.left.is_some(),
                acquisitions: router.acquisitions,
                owner: router.instance.priority == 255,
                interface: router.instance.interface.clone(),
                virtual_mac: router.instance.virtual_mac.clone(),
                addresses: Arc::clone(&router.addresses),
                routing: Arc::clone(&router.routing),
            })
            .chain(self.leftovers())
            .collect();
        let held = self.stop_by.is_none() || self.leaving;
        routers.push(DesiredRouter { held, ..self.statics.clone() });
        let keep = self.leaving;
        self.desired.send_replace(Arc::new(Desired { generation: self.generation, keep, routers }));
    }

    /// Ends without a word to anybody: the next daemon finds everything where it is.
    pub(super) fn leave(&mut self) {
        if self.stop_by.is_none() {
            self.leaving = true;
            self.datapath.leave();
            self.unpublished = true;
            self.stop_by = Some(clock::now().after(super::STOP_PATIENCE));
        }
    }

    /// Resigns everywhere: every router's priority 0 leaves before the first address is removed.
    pub(super) fn stop(&mut self) {
        if self.stop_by.is_some() {
            return;
        }
        let now = clock::now();
        for index in 0..self.routers.len() {
            if self.routers[index].machine.state() != State::Initialize {
                self.input(index, Input::Shutdown, now);
            }
        }
        (0..self.groups.len()).for_each(|group| self.tell_group(group));
        self.stop_by = Some(now.after(super::STOP_PATIENCE));
        self.unpublished = true;
    }
}

/// What stands while the node runs, as a router that is always Active. What was on the host before us stays.
pub(super) fn statics(statics: Statics) -> DesiredRouter {
    DesiredRouter {
        slot: DesiredRouter::STATICS,
        held: true,
        acquisitions: 0,
        owner: true,
        interface: statics.interface,
        virtual_mac: None,
        addresses: statics.addresses.into(),
        routing: statics.routing.into(),
    }
}
