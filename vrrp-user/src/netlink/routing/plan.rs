//! Which routes and rules are to be added and removed: pure, one round at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use rtnetlink::packet_route::RouteNetlinkMessage;
use vrrp_common::time::{Instant, Interval};

use super::message::{self, Verb};
use crate::{
    config::model::Routing,
    datapath::Slot,
    netlink::{
        LinkTable, Refusal,
        desired::{Desired, Event, RoutingNews},
        restores::Restores,
    },
};

/// After this a request that the kernel refused is made again.
const RETRY: Interval = Interval::from_secs(1);

/// Who lists an entry, and as which of its own.
type User = (Slot, usize);

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::netlink) struct Step {
    pub(super) entry: Routing,
    pub(super) verb: Verb,
    /// It was there, and somebody took it away.
    restore: bool,
    user: Option<User>,
}

/// What to do, what to tell, and when to look again if nothing happens until then.
#[derive(Debug, Default)]
pub(in crate::netlink) struct Plan {
    pub(in crate::netlink) removals: Vec<Step>,
    pub(in crate::netlink) additions: Vec<Step>,
    pub(in crate::netlink) events: Vec<Event>,
    pub(in crate::netlink) wake: Option<Instant>,
}

#[derive(Debug, Default)]
struct Record {
    /// It stands.
    placed: bool,
    /// Another program has the same: it serves, and is not ours to remove.
    foreign: bool,
    /// To whom that was told.
    informed: BTreeSet<User>,
    /// The last refusal that was told.
    told: Option<String>,
    retry: Option<Instant>,
    restores: Restores,
}

/// The memory that reconciling needs beyond the desired and the present state.
#[derive(Debug, Default)]
pub(in crate::netlink) struct Reconciler {
    records: BTreeMap<Routing, Record>,
    acquisitions: BTreeMap<Slot, u64>,
}

impl Reconciler {
    /// Whether there is anything to look after.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Routing> {
        self.records.keys()
    }

    /// The next round. `present` is what carries our mark.
    pub(super) fn plan(
        &mut self,
        desired: &Desired,
        present: &[RouteNetlinkMessage],
        links: &LinkTable,
        now: Instant,
    ) -> Plan {
        let targets = targets(desired);
        self.forget_what_was_told(desired);
        for entry in targets.keys().filter(|entry| !self.records.contains_key(**entry)).collect::<Vec<_>>() {
            self.records.insert((*entry).clone(), Record::default());
        }
        let mut plan = Plan::default();
        for (entry, record) in &mut self.records {
            let stands = present.iter().any(|found| message::is_same(entry, found, links));
            let holders = targets.get(entry).cloned().unwrap_or_default();
            if holders.is_empty() {
                release(entry, record, stands, now, &mut plan);
            } else {
                hold(entry, record, &holders, stands, now, &mut plan);
            }
        }
        let leaving: BTreeSet<Routing> = plan.removals.iter().map(|step| step.entry.clone()).collect();
        self.records.retain(|entry, record| {
            targets.contains_key(entry) || leaving.contains(entry) || record.retry.is_some()
        });
        // In the order of the configuration, rules behind the routes that they lead to.
        plan.additions.sort_by_key(|step| step.user);
        plan
    }

    fn forget_what_was_told(&mut self, desired: &Desired) {
        let again = desired.taken_again(&mut self.acquisitions);
        if !again.is_empty() {
            for record in self.records.values_mut() {
                record.informed.retain(|(slot, _)| !again.contains(slot));
            }
        }
    }

    /// Takes in how the kernel answered, and returns what is to be told.
    pub(super) fn outcome(
        &mut self,
        step: &Step,
        result: Result<(), Refusal>,
        now: Instant,
    ) -> Option<Event> {
        let record = self.records.get_mut(&step.entry)?;
        let code = result.as_ref().err().and_then(Refusal::code);
        match (step.verb, result) {
            (_, Ok(())) => record.retry = None,
            (Verb::Add, Err(_)) if code == Some(libc::EEXIST) => {
                (record.foreign, record.retry) = (true, Some(now.after(RETRY)));
            }
            (Verb::Remove, Err(_)) if code.is_some_and(is_absence) => record.retry = None,
            (_, Err(refusal)) => {
                record.retry = Some(now.after(RETRY));
                return record.refuse(step.user, refusal);
            }
        }
        if step.verb == Verb::Remove {
            record.placed = false;
            return None;
        }
        (record.placed, record.told) = (true, None);
        if step.restore {
            record.restores.note(now);
        }
        let (slot, index) = step.user?;
        record.informed.insert((slot, index));
        let news = if step.restore { RoutingNews::Restored } else { RoutingNews::Placed };
        Some(Event::Routing { slot, index, news })
    }
}

fn is_absence(code: i32) -> bool {
    matches!(code, libc::ESRCH | libc::ENOENT | libc::ENODEV)
}

/// Every entry with those who hold it; none if it is only listed.
fn targets(desired: &Desired) -> BTreeMap<&Routing, BTreeSet<User>> {
    let mut targets: BTreeMap<&Routing, BTreeSet<User>> = BTreeMap::new();
    for router in &desired.routers {
        for (index, entry) in router.routing.iter().enumerate() {
            let holders = targets.entry(entry).or_default();
            if router.held {
                holders.insert((router.slot, index));
            }
        }
    }
    targets
}

fn hold(
    entry: &Routing,
    record: &mut Record,
    holders: &BTreeSet<User>,
    stands: bool,
    now: Instant,
    plan: &mut Plan,
) {
    if stands || record.foreign {
        if stands {
            (record.placed, record.foreign, record.retry, record.told) = (true, false, None, None);
        }
        for &(slot, index) in holders.difference(&record.informed) {
            plan.events.push(Event::Routing { slot, index, news: RoutingNews::Placed });
        }
        record.informed.clone_from(holders);
    }
    if stands {
        return;
    }
    if let Some(at) = record.retry.filter(|at| *at > now) {
        return plan.look_again(at);
    }
    let restore = record.placed && !std::mem::take(&mut record.foreign);
    let user = holders.first().copied();
    if restore && let Some(at) = record.restores.next(now) {
        let refusal = Refusal::RoutingContested { entry: entry.to_string(), limit: Restores::LIMIT };
        plan.events.extend(record.refuse(user, refusal));
        return plan.look_again(at);
    }
    plan.additions.push(Step { entry: entry.clone(), verb: Verb::Add, restore, user });
}

fn release(entry: &Routing, record: &mut Record, stands: bool, now: Instant, plan: &mut Plan) {
    record.informed.clear();
    if record.placed {
        // A refusal of the addition is no reason to wait with the removal.
        (record.placed, record.retry, record.told) = (false, None, None);
    }
    record.foreign = false;
    if !stands {
        record.retry = None;
        return;
    }
    if let Some(at) = record.retry.filter(|at| *at > now) {
        return plan.look_again(at);
    }
    plan.removals.push(Step { entry: entry.clone(), verb: Verb::Remove, restore: false, user: None });
}

impl Record {
    /// A refusal is told when it is another one than before; without anybody to tell, the log has it.
    fn refuse(&mut self, user: Option<User>, refusal: Refusal) -> Option<Event> {
        let text = refusal.to_string();
        if self.told.as_ref() == Some(&text) {
            return None;
        }
        self.told = Some(text);
        let Some((slot, index)) = user else {
            tracing::warn!("{refusal}");
            return None;
        };
        Some(Event::Routing { slot, index, news: RoutingNews::Refused(refusal) })
    }
}

impl Step {
    /// What the kernel's refusal means.
    pub(super) fn refusal(&self, error: io::Error) -> Refusal {
        let action = match self.verb {
            Verb::Add => "adding",
            Verb::Remove => "removing",
        };
        Refusal::Routing { action, entry: self.entry.to_string(), error }
    }
}

impl Plan {
    fn look_again(&mut self, at: Instant) {
        self.wake = Some(self.wake.map_or(at, |earlier| earlier.min(at)));
    }
}
