//! What has to be done so that the host's addresses become the desired ones: pure, one round at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::IpAddr,
};

use vrrp_common::time::{Instant, Interval};

use super::{
    Link, LinkTable,
    desired::{Desired, Event, Refusal},
    restores::Restores,
};
use crate::{config::model::VirtualAddress, datapath::Slot};

/// Requests of one round. Between rounds the newest desired state is read, so that letting go of addresses never
/// waits for a long list of others.
const ROUND: usize = 128;

/// After this a request that the kernel refused is made again.
const RETRY: Interval = Interval::from_secs(1);

/// Where an address belongs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) interface: String,
    pub(super) address: IpAddr,
    pub(super) prefix: u8,
}

/// One request to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) place: Place,
    pub(super) ifindex: u32,
    pub(super) action: Action,
    /// Whose address it is, and its index there; `None` when no router lists it any more.
    user: Option<(Slot, usize)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// `restore`: it was there, and another program took it away.
    Add { spec: VirtualAddress, restore: bool },
    /// `prefix` is the one that it has on the host. `promote`: other addresses of its subnet would go with it.
    Remove { prefix: u8, promote: bool },
}

/// What to do, what to tell, and when to look again if nothing happens until then.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) operations: Vec<Operation>,
    pub(super) events: Vec<Event>,
    pub(super) wake: Option<Instant>,
    confirmed: BTreeMap<Slot, Vec<(usize, u32)>>,
}

impl Plan {
    fn look_again(&mut self, at: Instant) {
        self.wake = Some(self.wake.map_or(at, |earlier| earlier.min(at)));
    }
}

/// Adds to the last event when that confirms addresses of the same router.
fn confirm(events: &mut Vec<Event>, slot: Slot, index: usize, ifindex: u32) {
    match events.last_mut() {
        Some(Event::Confirmed { slot: last, addresses }) if *last == slot => addresses.push((index, ifindex)),
        _ => events.push(Event::Confirmed { slot, addresses: vec![(index, ifindex)] }),
    }
}

/// What one router asks for one place. If two list it, the first that holds it is listened to, and every one that
/// holds it is told that it is there.
struct Target<'a> {
    slot: Slot,
    index: usize,
    holders: BTreeSet<(Slot, usize)>,
    held: bool,
    owner: bool,
    spec: &'a VirtualAddress,
}

/// What is remembered of one place.
#[derive(Debug, Default)]
struct Record {
    held: bool,
    /// The address is on the host by our doing, or was found there at first sight: not held, it is removed.
    /// One that another program adds later is left alone.
    ours: bool,
    /// The host says that the address is its own (priority 255): it is removed only if we added it.
    owner: bool,
    /// The interface that has been looked at; a new one may carry leftovers.
    seen_on: Option<u32>,
    /// Told to be on this interface.
    confirmed: Option<u32>,
    /// To whom.
    informed: BTreeSet<(Slot, usize)>,
    /// The error that was told last, so that the same one is not told again.
    told: Option<i32>,
    /// No request before this.
    retry: Option<Instant>,
    restores: Restores,
    /// That another program added it has been logged.
    tolerated: bool,
}

/// Numbers for [`Record::told`] that are no `errno`.
const NO_INTERFACE: i32 = -1;
const CONTESTED: i32 = -2;

/// The memory that reconciling needs beyond the desired and the present state.
#[derive(Debug, Default)]
pub(super) struct Reconciler {
    records: BTreeMap<Place, Record>,
    /// [`super::DesiredRouter::acquisitions`] as last seen.
    acquisitions: BTreeMap<Slot, u64>,
}

impl Reconciler {
    /// The next round: removals first, then additions in the order of the configuration.
    pub(super) fn plan(&mut self, desired: &Desired, links: &LinkTable, now: Instant) -> Plan {
        let targets = targets(desired);
        self.forget_what_was_told(desired);
        for place in targets.keys() {
            if !self.records.contains_key(place) {
                self.records.insert(place.clone(), Record::default());
            }
        }
        let mut plan = Plan::default();
        for (place, record) in &mut self.records {
            let link = links.by_name(&place.interface);
            let target = targets.get(place);
            if let Some(target) = target {
                record.owner = target.owner;
            }
            record.turn(target.is_some_and(|target| target.held));
            if remove_stray(place, record, link, links, now, &mut plan) {
                continue;
            }
            match target {
                Some(target) if target.held => hold(place, record, target, link, now, &mut plan),
                _ => {
                    let user = target.map(|target| (target.slot, target.index));
                    release(place, record, user, link, now, &mut plan);
                }
            }
        }
        self.records.retain(|place, record| record.ours || targets.contains_key(place));
        plan.operations
            .sort_by_key(|operation| (matches!(operation.action, Action::Add { .. }), operation.user));
        plan.operations.truncate(ROUND);
        for (slot, mut addresses) in std::mem::take(&mut plan.confirmed) {
            addresses.sort_unstable();
            plan.events.push(Event::Confirmed { slot, addresses });
        }
        plan
    }

    /// These are here by the doing of an earlier daemon, and of nobody else.
    pub(super) fn recall(&mut self, places: Vec<Place>) {
        for place in places {
            self.records.entry(place).or_default().ours = true;
        }
    }

    /// Whether this adds what the host says is its own.
    pub(super) fn becomes_ours(&self, operation: &Operation) -> bool {
        let owned = self.records.get(&operation.place).is_some_and(|record| record.owner);
        owned && matches!(operation.action, Action::Add { restore: false, .. })
    }

    /// Whether the address is on the host by our doing.
    pub(super) fn is_ours(&self, place: &Place) -> bool {
        self.records.get(place).is_some_and(|record| record.ours)
    }

    /// A router that let go and took its addresses again since the last round forgot what it was told.
    fn forget_what_was_told(&mut self, desired: &Desired) {
        let again = desired.taken_again(&mut self.acquisitions);
        if !again.is_empty() {
            for record in self.records.values_mut() {
                record.informed.retain(|(slot, _)| !again.contains(slot));
            }
        }
    }

    /// Takes in how the kernel answered; what is to be told goes to `events`. Returns whether the address is
    /// where the operation wanted it.
    pub(super) fn outcome(
        &mut self,
        operation: &Operation,
        result: io::Result<()>,
        now: Instant,
        events: &mut Vec<Event>,
    ) -> bool {
        let Some(record) = self.records.get_mut(&operation.place) else { return result.is_ok() };
        let existed = result.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::EEXIST));
        let error = match (&operation.action, result) {
            (_, Ok(())) => None,
            (Action::Add { .. }, Err(_)) if existed => None,
            (Action::Remove { .. }, Err(error)) if is_absent(&error) => None,
            (_, Err(error)) => Some(error),
        };
        match error {
            None => record.succeeded(operation, existed, now, events),
            Some(error) => {
                record.failed(operation, error, now, events);
                return false;
            }
        }
        true
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL | libc::ENODEV))
}

fn targets(desired: &Desired) -> BTreeMap<Place, Target<'_>> {
    let mut targets: BTreeMap<Place, Target<'_>> = BTreeMap::new();
    for router in &desired.routers {
        for (index, spec) in router.addresses.iter().enumerate() {
            let interface = spec.device.clone().unwrap_or_else(|| router.home().to_owned());
            let place = Place { interface, address: spec.address, prefix: spec.prefix };
            let known = targets.entry(place).or_insert_with(|| Target {
                slot: router.slot,
                index,
                holders: BTreeSet::new(),
                held: false,
                owner: false,
                spec,
            });
            // The host's own address stays its own, whoever else lists it.
            known.owner |= router.owner;
            if router.held {
                if !known.held {
                    (known.slot, known.index, known.held, known.spec) = (router.slot, index, true, spec);
                }
                known.holders.insert((router.slot, index));
            }
        }
    }
    targets
}

/// Our address went away with an interface that has another name now: it is removed there. True while it is
/// still to be done.
fn remove_stray(
    place: &Place,
    record: &Record,
    link: Option<&Link>,
    links: &LinkTable,
    now: Instant,
    plan: &mut Plan,
) -> bool {
    let elsewhere =
        record.seen_on.filter(|ifindex| record.ours && link.map(|link| link.ifindex) != Some(*ifindex));
    let Some(link) = elsewhere.and_then(|ifindex| links.by_index(ifindex)) else { return false };
    let Some(entry) = link.find(place.address, place.prefix) else { return false };
    if let Some(at) = record.retry.filter(|at| *at > now) {
        plan.look_again(at);
        return true;
    }
    let action = Action::Remove { prefix: entry.prefix, promote: takes_others_along(link, entry) };
    plan.operations.push(Operation { place: place.clone(), ifindex: link.ifindex, action, user: None });
    true
}

fn hold(
    place: &Place,
    record: &mut Record,
    target: &Target<'_>,
    link: Option<&Link>,
    now: Instant,
    plan: &mut Plan,
) {
    let user = (target.slot, target.index);
    record.tolerated = false;
    let Some(link) = link else {
        (record.seen_on, record.confirmed) = (None, None);
        record.tell(user, NO_INTERFACE, || Refusal::NoInterface(place.interface.clone()), &mut plan.events);
        return;
    };
    record.seen_on = Some(link.ifindex);
    if link.find(place.address, place.prefix).is_some() {
        record.ours |= !record.owner;
        record.told = None;
        if record.confirmed.replace(link.ifindex) != Some(link.ifindex) {
            record.informed.clear();
        }
        for (slot, index) in target.holders.difference(&record.informed) {
            plan.confirmed.entry(*slot).or_default().push((*index, link.ifindex));
        }
        record.informed.clone_from(&target.holders);
        return;
    }
    if let Some(at) = record.retry.filter(|at| *at > now) {
        return plan.look_again(at);
    }
    // An interface that is switched off loses its IPv6 addresses; nobody took them away.
    let restore = record.confirmed == Some(link.ifindex) && link.enabled;
    if restore && let Some(at) = record.restores.next(now) {
        let refusal = || Refusal::Contested {
            address: place.written(),
            interface: place.interface.clone(),
            limit: Restores::LIMIT,
        };
        record.tell(user, CONTESTED, refusal, &mut plan.events);
        return plan.look_again(at);
    }
    plan.operations.push(Operation {
        place: place.clone(),
        ifindex: link.ifindex,
        action: Action::Add { spec: target.spec.clone(), restore },
        user: Some(user),
    });
}

fn release(
    place: &Place,
    record: &mut Record,
    user: Option<(Slot, usize)>,
    link: Option<&Link>,
    now: Instant,
    plan: &mut Plan,
) {
    let seen_before = record.seen_on;
    record.seen_on = link.map(|link| link.ifindex);
    let entry = link.and_then(|link| Some((link, link.find(place.address, place.prefix)?)));
    let Some((link, entry)) = entry.filter(|_| record.ours || !record.owner) else {
        record.ours = false;
        record.tolerated = false;
        return;
    };
    if seen_before != Some(link.ifindex) {
        record.ours = true;
    }
    if !record.ours {
        if !record.tolerated {
            tracing::warn!(
                interface = place.interface,
                "another program added {} although this node does not hold it; it is left alone",
                place.written()
            );
        }
        record.tolerated = true;
        return;
    }
    if let Some(at) = record.retry.filter(|at| *at > now) {
        return plan.look_again(at);
    }
    let action = Action::Remove { prefix: entry.prefix, promote: takes_others_along(link, entry) };
    plan.operations.push(Operation { place: place.clone(), ifindex: link.ifindex, action, user });
}

/// Whether the kernel removes further addresses with this one: the first IPv4 address of a subnet takes the
/// later ones along, unless `promote_secondaries` is set.
fn takes_others_along(link: &Link, entry: &super::LinkAddress) -> bool {
    let IpAddr::V4(address) = entry.address else { return false };
    let subnet = |address: std::net::Ipv4Addr| {
        address.to_bits() & u32::MAX.checked_shl(u32::from(32 - entry.prefix.min(32))).unwrap_or(0)
    };
    !entry.is_secondary()
        && link.addresses.iter().any(|other| match other.address {
            IpAddr::V4(other_address) => {
                other.is_secondary()
                    && other.prefix == entry.prefix
                    && subnet(other_address) == subnet(address)
            }
            IpAddr::V6(_) => false,
        })
}

impl Record {
    /// What was told and tried for the other purpose is forgotten.
    fn turn(&mut self, held: bool) {
        if std::mem::replace(&mut self.held, held) != held {
            (self.confirmed, self.told, self.retry) = (None, None, None);
        }
    }

    fn succeeded(&mut self, operation: &Operation, existed: bool, now: Instant, events: &mut Vec<Event>) {
        (self.retry, self.told) = (None, None);
        let Action::Add { restore, .. } = operation.action else {
            self.ours = false;
            return;
        };
        // What was the host's own before stays so, even if we had to put it back.
        self.ours |= !(restore || existed && self.owner);
        self.confirmed = Some(operation.ifindex);
        self.informed = operation.user.into_iter().collect();
        let Some((slot, index)) = operation.user else { return };
        if restore {
            self.restores.note(now);
            events.push(Event::Restored { slot, index });
        }
        confirm(events, slot, index, operation.ifindex);
    }

    fn failed(&mut self, operation: &Operation, error: io::Error, now: Instant, events: &mut Vec<Event>) {
        self.retry = Some(now.after(RETRY));
        let (action, adding) = match operation.action {
            Action::Add { .. } => ("adding", true),
            Action::Remove { .. } => ("removing", false),
        };
        if adding {
            self.confirmed = None;
        }
        let code = error.raw_os_error().unwrap_or(libc::EIO);
        let refusal = || Refusal::Kernel {
            action,
            address: operation.place.written(),
            interface: operation.place.interface.clone(),
            error,
        };
        match operation.user {
            Some(user) => self.tell(user, code, refusal, events),
            None => tracing::warn!("{}", refusal()),
        }
    }

    fn tell(
        &mut self,
        (slot, index): (Slot, usize),
        code: i32,
        error: impl FnOnce() -> Refusal,
        events: &mut Vec<Event>,
    ) {
        if self.told.replace(code) != Some(code) {
            events.push(Event::Refused { slot, index, error: error() });
        }
    }
}

impl Place {
    fn written(&self) -> String {
        format!("{}/{}", self.address, self.prefix)
    }
}
