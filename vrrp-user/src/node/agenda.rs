//! When each router's election has something to do, side by side: each turn asks all of them, and the routers themselves
//! are spread over more memory than a processor keeps at hand. What is to be done then is not known here.

use vrrp_common::{
    election::{State, VirtualRouter},
    time::Instant,
};

/// By the routers' places.
#[derive(Debug, Default)]
pub(super) struct Agenda(Vec<Entry>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    deadline: Option<Instant>,
    is_backup: bool,
}

impl Entry {
    fn of(machine: &VirtualRouter) -> Self {
        Self { deadline: machine.deadline(), is_backup: machine.state() == State::Backup }
    }
}

impl Agenda {
    /// The list of routers is another one.
    pub(super) fn rebuild<'m>(&mut self, machines: impl Iterator<Item = &'m VirtualRouter>) {
        self.0.clear();
        self.0.extend(machines.map(Entry::of));
    }

    /// To be called when a router's election may have another deadline.
    pub(super) fn note(&mut self, index: usize, machine: &VirtualRouter) {
        if index >= self.0.len() {
            self.0.resize(index + 1, Entry::default());
        }
        self.0[index] = Entry::of(machine);
    }

    /// Whether this is what the elections say.
    pub(super) fn is_true<'m>(&self, machines: impl Iterator<Item = &'m VirtualRouter>) -> bool {
        self.0.iter().copied().eq(machines.map(Entry::of))
    }

    /// Whether the router's time is up.
    pub(super) fn is_due(&self, index: usize, now: Instant) -> bool {
        self.0.get(index).and_then(|entry| entry.deadline).is_some_and(|due| due <= now)
    }

    /// Whether the router is a Backup.
    pub(super) fn is_backup(&self, index: usize) -> bool {
        self.0.get(index).is_some_and(|entry| entry.is_backup)
    }

    /// Whether some Backup's time is up.
    pub(super) fn calls_for_backups(&self, now: Instant) -> bool {
        self.0.iter().any(|entry| entry.is_backup && entry.deadline.is_some_and(|due| due <= now))
    }

    /// The routers that have a deadline, the deadline, and whether it is a Backup's.
    pub(super) fn deadlines(&self) -> impl Iterator<Item = (usize, Instant, bool)> {
        let entries = self.0.iter().enumerate();
        entries.filter_map(|(index, entry)| Some((index, entry.deadline?, entry.is_backup)))
    }
}
