//! One virtual router as the node keeps it: its election, its place in the datapath and its books.

use std::{net::IpAddr, sync::Arc};

use hdrhistogram::Histogram;
use vrrp_common::{
    abi::{Heard, RouterView},
    election::{Fault, Lease, Parameters, VirtualRouter},
    time::{Instant, Interval},
    wire::{ChecksumForm, Version},
};

use super::{
    history::History,
    links::{Ground, sender},
    notices::Told,
    orders::Order,
    refusals::Refusals,
    view::{configured, view},
};
use crate::{
    config::model::{Checksum, Instance, Routing, VirtualAddress},
    datapath::Slot,
    state::{PlaceMemory, RouterMemory, Voice},
};

/// How long a router whose every address the host refused stays out of the election.
const REFUSED_PAUSE: Interval = Interval::from_secs(30);
/// How long the host may take to add the first address, however short the interval: netlink waits for whoever
/// holds its lock, and hundreds of addresses of other routers may be first. Also how long a router then stays out.
const ADDING_PATIENCE: Interval = Interval::from_secs(3);
/// How long to wait before another attempt to listen.
const ATTACH_PAUSE: Interval = Interval::from_secs(1);
/// The most lateness that the histogram tells apart, in microseconds.
const MAX_LATENESS_US: u64 = 60_000_000;

/// What makes a router the same one before and after a reload or a restart: interface, family and VRID, which are what
/// its peers know it by. A name may change.
pub(super) type Key = (String, u8, u8);

pub(super) fn key(instance: &Instance) -> Key {
    (instance.interface.clone(), instance.family as u8, instance.vrid)
}

/// One virtual router.
pub(super) struct Router {
    pub(super) instance: Instance,
    pub(super) slot: Slot,
    pub(super) machine: VirtualRouter,
    /// What advertisements list.
    pub(super) advertised: Vec<IpAddr>,
    /// What the receive path is told of the configuration.
    pub(super) configured: RouterView,
    pub(super) addresses: Arc<[VirtualAddress]>,
    /// What the interface gives us; absent while there is none to work with.
    pub(super) ground: Option<Ground>,
    /// The interface that the datapath listens on for us.
    pub(super) attached: Option<u32>,
    pub(super) attach_retry: Option<Instant>,
    /// The record as last replayed.
    pub(super) seen: Heard,
    /// When that was the whole record.
    pub(super) read: Instant,
    /// The checksum form that we send (VRRPv3 over IPv4).
    pub(super) form: ChecksumForm,
    /// The lease of the daemon before, until it is decided whether it is adopted: the addresses stay meanwhile.
    pub(super) left: Option<Lease>,
    pub(super) held: bool,
    pub(super) acquisitions: u64,
    pub(super) places: Vec<Place>,
    pub(super) routing: Arc<[Routing]>,
    /// Where these stand.
    pub(super) routing_places: Vec<RoutingPlace>,
    /// When it is looked whether an Active without a single address gives up.
    pub(super) addresses_due: Option<Instant>,
    /// When it does even if the host has not refused one.
    pub(super) addresses_limit: Instant,
    pub(super) refused_until: Option<Instant>,
    pub(super) history: History,
    pub(super) refusals: Refusals,
    pub(super) sent: u64,
    /// Of these: with priority 0.
    pub(super) resignations_sent: u64,
    pub(super) send_errors: u64,
    pub(super) last_send_error: Option<String>,
    pub(super) lateness: Histogram<u64>,
    /// Why it is not eligible by itself, its group aside.
    pub(super) own_fault: Option<Fault>,
    /// The group that it is in.
    pub(super) group: Option<usize>,
    /// Whether the group heeds it, see `election::groups`.
    pub(super) joined: bool,
    pub(super) told: Told,
    /// What the operator ordered.
    pub(super) order: Option<Order>,
}

/// Where one virtual address stands on this host.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The interface that holds it now.
    pub(super) ifindex: Option<u32>,
    /// Why the host refused it last.
    pub(super) refused: Option<String>,
    /// How often it was put back.
    pub(super) restored: u64,
}

/// Where a route or rule stands on this host.
#[derive(Clone, Debug, Default)]
pub(super) struct RoutingPlace {
    /// It is there.
    pub(super) placed: bool,
    /// Why the host refused it last.
    pub(super) refused: Option<String>,
    /// How often it was put back.
    pub(super) restored: u64,
}

impl Router {
    pub(super) fn new(slot: Slot, instance: Instance) -> Self {
        Self {
            machine: VirtualRouter::new(parameters(&instance)),
            advertised: instance.advertised().collect(),
            configured: configured(&instance),
            addresses: instance.held_addresses().cloned().collect(),
            places: vec![Place::default(); instance.held_addresses().count()],
            form: first_form(instance.checksum),
            routing: instance.routing.clone().into(),
            routing_places: vec![RoutingPlace::default(); instance.routing.len()],
            instance,
            slot,
            ground: None,
            attached: None,
            attach_retry: None,
            seen: Heard::default(),
            read: Instant::from_nanos(0),
            left: None,
            held: false,
            acquisitions: 0,
            addresses_due: None,
            addresses_limit: Instant::default(),
            refused_until: None,
            history: History::default(),
            refusals: Refusals::default(),
            sent: 0,
            resignations_sent: 0,
            send_errors: 0,
            last_send_error: None,
            lateness: lateness_histogram(),
            own_fault: None,
            group: None,
            joined: true,
            told: Told::default(),
            order: None,
        }
    }

    /// What the datapath must know, if there is an address to send with.
    pub(super) fn view(&self, now: Instant) -> Option<RouterView> {
        let ground = self.ground?;
        Some(view(self.configured, ground.source, self.machine.standing(now)))
    }

    /// What to leave to the next daemon.
    pub(super) fn memory(&self) -> RouterMemory {
        RouterMemory {
            slot: self.slot.0,
            interface: self.instance.interface.clone(),
            family: self.instance.family as u8,
            vrid: self.instance.vrid,
            owner: self.instance.priority == 255,
            addresses: self.listed().collect(),
            voice: self.voice(),
        }
    }

    fn voice(&self) -> Voice {
        let one = &self.instance;
        Voice {
            v2: one.version == Version::V2,
            interval: one.advertisement_interval.as_nanos(),
            mac: sender(one),
            source: one.source,
            group: one.group,
            peers: one.peers.iter().map(|peer| peer.address).collect(),
            ttl: one.ttl,
            password: one.password,
            addresses: self.advertised.clone(),
        }
    }

    /// Where its addresses belong, held or not.
    pub(super) fn listed(&self) -> impl Iterator<Item = PlaceMemory> {
        let Instance { interface, virtual_mac, .. } = &self.instance;
        let home = virtual_mac.as_ref().map_or(interface, |own| &own.interface);
        self.addresses.iter().map(move |entry| PlaceMemory {
            address: entry.address,
            prefix: entry.prefix,
            interface: entry.device.as_ref().unwrap_or(home).clone(),
        })
    }

    /// With `checksum auto` the form last heard decides ours, so that a peer of either camp understands us.
    pub(super) fn learn_form(&mut self, heard: &Heard) {
        if self.instance.checksum != Checksum::Auto {
            return;
        }
        let message = heard.checksum_message != self.seen.checksum_message;
        let pseudo = heard.checksum_pseudo != self.seen.checksum_pseudo;
        self.form = match (message, pseudo) {
            (true, false) => ChecksumForm::Message,
            (false, true) => ChecksumForm::Pseudo,
            _ => self.form,
        };
    }

    /// A fault that the host makes, besides interface and checks.
    pub(super) fn host_fault(&self) -> Option<Fault> {
        if self.attach_retry.is_some() {
            return Some(Fault::CannotListen);
        }
        self.refused_until.map(|_| Fault::AddressesRefused)
    }

    /// The earliest instant at which something is due besides its election.
    pub(super) fn pause_deadline(&self) -> Option<Instant> {
        let ordered = self.order.as_ref().and_then(|order| order.until);
        [self.attach_retry, self.addresses_due, self.refused_until, ordered].into_iter().flatten().min()
    }

    /// The addresses were asked for: within one Active_Down_Interval not all of them may be refused, and within
    /// [`ADDING_PATIENCE`] one must be here.
    pub(super) fn expect_addresses(&mut self, now: Instant) {
        self.held = true;
        self.acquisitions += 1;
        for place in &mut self.places {
            place.refused = None;
        }
        let interval = self.machine.active_down_interval();
        self.addresses_due = Some(now.after(interval));
        self.addresses_limit = now.after(interval.max(ADDING_PATIENCE));
    }

    pub(super) fn release_addresses(&mut self) {
        self.held = false;
        self.addresses_due = None;
        for place in &mut self.places {
            place.ifindex = None;
        }
        for place in &mut self.routing_places {
            place.placed = false;
        }
    }

    /// True once if the time for the addresses is over and none is here.
    pub(super) fn addresses_overdue(&mut self, now: Instant) -> bool {
        if self.addresses_due.is_none_or(|due| now < due) {
            return false;
        }
        self.addresses_due = None;
        let none = !self.places.is_empty() && self.places.iter().all(|place| place.ifindex.is_none());
        let slow = self.places.iter().any(|place| place.refused.is_none());
        if none && slow && now < self.addresses_limit {
            // A host that is slow to answer has refused nothing yet.
            self.addresses_due = Some(self.addresses_limit);
            return false;
        }
        if none {
            // Others have had the time to take over; if there are none, a host that is busy may be idle again.
            self.refused_until = Some(now.after(if slow { ADDING_PATIENCE } else { REFUSED_PAUSE }));
        }
        none
    }

    /// The pauses that are over at `now` end; true if one did.
    pub(super) fn end_pauses(&mut self, now: Instant) -> bool {
        let over = |pause: &mut Option<Instant>| pause.take_if(|until| now >= *until).is_some();
        let attach = over(&mut self.attach_retry);
        let refused = over(&mut self.refused_until);
        let ended = self.order.take_if(|order| order.until.is_some_and(|until| now >= until));
        attach || refused || ended.is_some()
    }

    pub(super) fn pause_attach(&mut self, now: Instant) {
        self.attach_retry = Some(now.after(ATTACH_PAUSE));
    }

    /// Counts an advertisement that the kernel did not take; the log says so when the cause is a new one.
    pub(super) fn note_send_error(&mut self, error: &dyn std::error::Error) {
        let text = error.to_string();
        if self.last_send_error.as_ref() != Some(&text) {
            tracing::warn!("{}: {text}", self.instance.name);
        }
        self.send_errors += 1;
        self.last_send_error = Some(text);
    }

    pub(super) fn note_lateness(&mut self, due: Instant, sent: Instant) {
        let microseconds = sent.since(due).as_nanos() / 1000;
        self.lateness.saturating_record(microseconds.min(MAX_LATENESS_US));
    }
}

/// The checksum form to send before anything was heard.
pub(super) fn first_form(checksum: Checksum) -> ChecksumForm {
    match checksum {
        Checksum::Message => ChecksumForm::Message,
        Checksum::Auto | Checksum::Pseudo => ChecksumForm::Pseudo,
    }
}

/// What the election is told of an instance; the primary address follows when the interface is known.
pub(super) fn parameters(instance: &Instance) -> Parameters {
    Parameters {
        version: instance.version,
        priority: instance.priority,
        advertisement_interval: instance.advertisement_interval,
        preempt: instance.preempt,
        preempt_delay: instance.preempt_delay,
        down_timer_adverts: instance.down_timer_adverts,
        source: Default::default(),
    }
}

fn lateness_histogram() -> Histogram<u64> {
    // Two significant digits from 1 us to a minute: constants that the constructor accepts.
    Histogram::new_with_bounds(1, MAX_LATENESS_US, 2).expect("constant bounds are valid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Options};

    const START: Instant = Instant::from_nanos(1_000_000_000);

    fn millis(after: u64) -> Instant {
        START.after(Interval::from_millis(after))
    }

    /// Active since [`START`] at priority 254 with one address. VRRPv3 at 10 ms: its Active_Down_Interval is
    /// 3 x 10 ms + 2 x 10 ms / 256 (RFC 9568 §6.1).
    fn acquiring() -> Router {
        let options = Options {
            interface: Some("eth0".to_owned()),
            vrid: Some("51".to_owned()),
            priority: Some("254".to_owned()),
            vip: vec!["192.0.2.100/24".to_owned()],
            advert_int: Some("0.01".to_owned()),
            version: Some("3".to_owned()),
            ..Options::default()
        };
        let configuration = config::from_options(&options).configuration.unwrap();
        let mut router = Router::new(Slot(0), configuration.instances.into_iter().next().unwrap());
        router.expect_addresses(START);
        router
    }

    #[test]
    fn a_host_that_is_slow_to_add_has_refused_nothing() {
        let mut router = acquiring();
        assert!(!router.addresses_overdue(millis(31)));
        assert_eq!(router.addresses_due, Some(millis(3000)));
        assert!(router.addresses_overdue(millis(3000)), "it does not take for ever either");
        assert!(!router.end_pauses(millis(5999)));
        assert!(router.end_pauses(millis(6000)), "it is tried again soon: nothing was refused");
    }

    #[test]
    fn a_host_that_refuses_every_address_costs_one_active_down_interval() {
        let mut router = acquiring();
        router.places[0].refused = Some("no".to_owned());
        assert!(!router.addresses_overdue(millis(30)));
        assert!(router.addresses_overdue(millis(31)));
        assert!(!router.end_pauses(millis(30_030)));
        assert!(router.end_pauses(millis(30_031)));
    }

    #[test]
    fn an_old_refusal_is_no_answer_to_a_new_request() {
        let mut router = acquiring();
        router.places[0].refused = Some("no".to_owned());
        router.release_addresses();
        router.expect_addresses(START);
        assert!(!router.addresses_overdue(millis(31)));
    }
}
