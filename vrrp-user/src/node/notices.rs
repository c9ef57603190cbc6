//! What is to be told of routers and groups: each state once, and the last one always, however slow the listener.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tokio::sync::mpsc::{Sender, error::TrySendError};
use vrrp_common::election::{Fault, State};

use super::{Node, router::Router};
use crate::notify::{Happening, Notice, Subject, SubjectKind};

/// The way to whoever tells. The protocol thread never waits for it.
pub(super) struct Outbox {
    sender: Sender<Notice>,
    /// What there was no room for, in order: the newest of every subject.
    waiting: BTreeMap<u64, Notice>,
    /// Where each subject's is.
    places: HashMap<Subject, u64>,
    next: u64,
}

impl Outbox {
    pub(super) fn new(sender: Sender<Notice>) -> Self {
        Self { sender, waiting: BTreeMap::new(), places: HashMap::new(), next: 0 }
    }

    fn send(&mut self, notice: Notice) {
        if let Some(older) = self.places.insert(notice.subject.clone(), self.next) {
            self.waiting.remove(&older);
        }
        self.waiting.insert(self.next, notice);
        self.next += 1;
        self.flush();
    }

    /// Sends what waits, as far as there is room.
    pub(super) fn flush(&mut self) {
        while let Some(first) = self.waiting.first_entry() {
            match self.sender.try_send(first.get().clone()) {
                Err(TrySendError::Full(_)) => return,
                // Nobody tells any more: the node ends too.
                Ok(()) | Err(TrySendError::Closed(_)) => drop(self.places.remove(&first.remove().subject)),
            }
        }
    }
}

/// What was told of a router last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    state: Option<Happening>,
    priority: u8,
}

impl Told {
    /// Nothing is told of its end: somebody else tells.
    pub(super) fn silence(&mut self) {
        self.state = None;
    }
}

/// What a state is to those who are told. A router whose checks have not reported yet has no state to tell of.
fn happening(router: &Router) -> Option<Happening> {
    match router.machine.state() {
        State::Active => Some(Happening::Active),
        State::Backup => Some(Happening::Backup),
        State::Fault if router.told.state.is_none() && is_pending(router) => None,
        State::Fault => Some(Happening::Fault),
        State::Initialize => router.told.state.map(|_| Happening::Stop),
    }
}

fn is_pending(router: &Router) -> bool {
    matches!(router.machine.fault(), Some(Fault::CheckPending(_) | Fault::GroupMember(_)))
        && matches!(router.own_fault, None | Some(Fault::CheckPending(_)))
}

impl Node {
    /// Tells of a router's state if it is another one than was told, and of its priority.
    pub(super) fn tell_state(&mut self, index: usize) {
        let router = &mut self.routers[index];
        let Some(now) = happening(router) else { return };
        let priority = router.machine.priority();
        let changed = router.told.state != Some(now);
        let moved = router.instance.notify.priority_changes && router.told.priority != priority && !changed;
        router.told = Told { state: Some(now), priority };
        if changed {
            self.tell(index, now);
        } else if moved && now == Happening::Active {
            self.tell(index, Happening::ActivePriority);
        } else if moved && now == Happening::Backup {
            self.tell(index, Happening::BackupPriority);
        }
    }

    /// Tells of something that happened to a router.
    pub(super) fn tell(&mut self, index: usize, happening: Happening) {
        let router = &self.routers[index];
        let subject = Subject { kind: SubjectKind::Instance, name: router.instance.name.as_str().into() };
        self.outbox.send(Notice { subject, happening, priority: router.machine.priority() });
    }

    /// Tells of a group's state if it is another one than was told. Members come first.
    pub(super) fn tell_group(&mut self, group: usize) {
        let members = &self.groups[group].members;
        let told = self.groups[group].told;
        let is =
            |wanted: Happening| members.iter().all(|&index| self.routers[index].told.state == Some(wanted));
        let states = [Happening::Active, Happening::Backup, Happening::Fault, Happening::Stop];
        // Members on their way from one state to another are no state of the group.
        let Some(state) = states.into_iter().find(|state| is(*state)).filter(|state| Some(*state) != told)
        else {
            return;
        };
        self.groups[group].told = Some(state);
        let name: Arc<str> = self.groups[group].name.as_str().into();
        let subject = Subject { kind: SubjectKind::Group, name };
        self.outbox.send(Notice { subject, happening: state, priority: 0 });
    }

    /// Tells of every state again, for those who listen since a reload only.
    pub(super) fn tell_all_again(&mut self) {
        self.routers.iter_mut().for_each(|router| router.told.state = None);
        self.groups.iter_mut().for_each(|group| group.told = None);
        (0..self.routers.len()).for_each(|index| self.tell_state(index));
        (0..self.groups.len()).for_each(|group| self.tell_group(group));
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    fn notice(name: &str, happening: Happening) -> Notice {
        let subject = Subject { kind: SubjectKind::Instance, name: name.into() };
        Notice { subject, happening, priority: 100 }
    }

    #[test]
    fn a_full_channel_keeps_the_newest_of_everybody_in_their_order() {
        let (sender, mut listener) = mpsc::channel(1);
        let mut outbox = Outbox::new(sender);
        for (name, happening) in [
            ("a", Happening::Backup),
            ("b", Happening::Backup),
            ("c", Happening::Backup),
            ("b", Happening::Active),
            ("a", Happening::Active),
        ] {
            outbox.send(notice(name, happening));
        }
        let mut told = Vec::new();
        while let Ok(notice) = listener.try_recv() {
            told.push((notice.subject.name.to_string(), notice.happening));
            outbox.flush();
        }
        let one = |name: &str, happening| (name.to_owned(), happening);
        let expected = [
            one("a", Happening::Backup),
            one("c", Happening::Backup),
            one("b", Happening::Active),
            one("a", Happening::Active),
        ];
        assert_eq!(told, expected);
        assert!(outbox.places.is_empty());
    }
}
