//! Routers that move together: what each is told about the others. What follows from what is decided in
//! `election::groups`.

use vrrp_common::{
    election::{
        State,
        groups::{self, Member},
    },
    time::Instant,
};

use super::{Node, router::Router};
use crate::{config::model, notify::Happening};

/// A group and its members' places among the routers.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) members: Vec<usize>,
    /// The state that was told of it last.
    pub(super) told: Option<Happening>,
}

impl Group {
    pub(super) fn new(group: &model::Group, told: Option<Happening>) -> Self {
        Self { name: group.name.clone(), members: group.members.clone(), told }
    }
}

fn member(router: &Router) -> Member {
    Member {
        state: router.machine.state(),
        takeover_due: router.machine.takeover_due(),
        own_fault: router.own_fault,
        told_fault: router.machine.fault(),
        joined: router.joined,
    }
}

impl Node {
    /// The group that a router is in.
    pub(super) fn group_of(&self, index: usize) -> Option<usize> {
        self.routers[index].group
    }

    fn members(&self, group: usize) -> Vec<Member> {
        self.groups[group].members.iter().map(|&index| member(&self.routers[index])).collect()
    }

    /// Whether the router's group decides when it becomes Active: its own time has run out and is not enough.
    pub(super) fn waits_for_group(&self, index: usize, now: Instant) -> bool {
        let router = &self.routers[index];
        router.group.is_some() && router.machine.takeover_due().is_some_and(|due| due <= now)
    }

    /// When a group has something to do although nothing happens.
    pub(super) fn group_deadline(&self, group: usize) -> Option<Instant> {
        groups::deadline(&self.members(group))
    }

    /// Gives every member what its group asks of it, until all agree.
    pub(super) fn settle_group(&mut self, group: usize, granted: Instant) {
        if self.group_deadline(group).is_some_and(|due| due <= granted) {
            for index in self.groups[group].members.clone() {
                let slot = self.routers[index].slot;
                self.replay(slot, granted);
            }
        }
        let judged = self.judged_until(group, granted);
        loop {
            let inputs: Vec<_> = groups::inputs(&self.members(group), judged).collect();
            if inputs.is_empty() {
                break;
            }
            for (place, input) in inputs {
                let index = self.groups[group].members[place];
                self.input(index, input, granted);
            }
        }
        self.join(group);
        self.tell_group(group);
    }

    fn judged_until(&self, group: usize, granted: Instant) -> Instant {
        let slots = self.groups[group].members.iter().map(|&index| self.routers[index].slot);
        slots.map(|slot| self.datapath.judged_until(slot)).fold(granted, Instant::min)
    }

    /// Members that are where the group is are heeded from now on.
    fn join(&mut self, group: usize) {
        let members = self.members(group);
        for (place, index) in self.groups[group].members.clone().into_iter().enumerate() {
            let router = &mut self.routers[index];
            router.joined = router.joined
                || (members[place].joins(&members) && router.machine.state() != State::Initialize);
        }
    }

    /// The member that a fault names, in words.
    pub(super) fn group_member_name(&self, index: usize, place: u16) -> &str {
        let group = self.group_of(index).map(|group| &self.groups[group]);
        let member = group.and_then(|group| group.members.get(usize::from(place)));
        let member = member.and_then(|&member| self.routers.get(member));
        member.map_or("?", |member| &member.instance.name)
    }

    /// Which of a group's members listen first although they own their addresses: all, unless all own theirs.
    pub(super) fn mark_group(&mut self, group: usize) {
        let members = self.groups[group].members.clone();
        let owners = members.iter().all(|&index| self.routers[index].instance.priority == 255);
        for index in members {
            self.routers[index].group = Some(group);
            self.routers[index].machine.listen_first(!owners);
        }
    }
}
