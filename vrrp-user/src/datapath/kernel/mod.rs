//! The kernel datapath: programs judge and record advertisements where they arrive; this side reads memory. What a
//! record means is not decided here, nor what becomes of a router that cannot be heard this way.

mod attach;
mod cells;
mod guard;
mod lines;
mod listens;
mod lookout;
mod marks;
mod object;
mod pinned;
mod shortcuts;

#[cfg(test)]
mod bench_tests;
#[cfg(test)]
mod differential_tests;
#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod lines_tests;
#[cfg(test)]
mod lookout_tests;
#[cfg(test)]
mod program_tests;
#[cfg(test)]
mod refusal_tests;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    net::IpAddr,
    os::fd::{AsFd, BorrowedFd},
};

use aya::maps::{HashMap, MapData, MapError};
use vrrp_common::{
    abi::{Event, Heard, Record, Repeat, RouterKey, RouterView, SLOTS, Stamp, Station},
    judge::DropReason,
    time::{Instant, Interval},
};

use super::{
    Binding, Counters, DatapathError, LastRefused, Rung, Slot, lists::Lists, membership::Membership,
    port::PortKey,
};
use crate::{
    config::model::{Receive, ReceivePath},
    pins::{Owner, Pins, PinsError},
    sys::{clock, link::Inquiry},
};
pub(super) use attach::detach_filter;
pub(super) use attach::suits_xdp;
use attach::{Attachment, Post};
pub use guard::{GuardMaps, GuardParts, GuardPrograms};
use listens::Listens;
use lookout::{Finding, Lookout};
pub(super) use object::LoadError;
use object::Object;

/// How often it is looked whether names are still there.
const CARE: Interval = Interval::from_secs(1);

/// Why a router cannot be heard by the kernel.
pub(super) enum Refusal {
    /// Nor in any other way.
    Fatal(DatapathError),
    /// For this reason.
    Unsuitable(String),
}

/// Hears through one program on each interface, whatever the number of routers.
pub(super) struct KernelPath {
    object: Object,
    attachments: BTreeMap<u32, Attachment>,
    /// How many programs were attached until now.
    placements: u64,
    lookout: Lookout,
    memberships: BTreeMap<PortKey, Membership>,
    routers: BTreeMap<Slot, Router>,
    swept: Instant,
    cared: Instant,
}

struct Router {
    key: RouterKey,
    port: PortKey,
    group: Option<IpAddr>,
    listens: Listens,
    lists: Lists,
    told: bool,
    /// The advertisement that was followed by a silence which was looked into.
    doubted: u64,
}

impl KernelPath {
    pub(super) fn load(pins: Option<Pins>, owner: Owner, logs: bool) -> Result<Self, LoadError> {
        Ok(Self {
            object: Object::load(pins, owner, logs)?,
            attachments: BTreeMap::new(),
            placements: 0,
            lookout: Lookout::new().map_err(LoadError::Share)?,
            memberships: BTreeMap::new(),
            routers: BTreeMap::new(),
            swept: clock::now(),
            cared: clock::now(),
        })
    }

    /// The guard's programs and maps; can be had once.
    pub(super) fn guard(&mut self) -> Result<GuardParts, LoadError> {
        self.object.guard()
    }

    /// Loads the program that this wish asks for first.
    pub(super) fn prepare(&mut self, wish: Receive) -> Result<(), LoadError> {
        match wish.path {
            ReceivePath::Tc => self.object.tc().map(drop),
            _ => self.object.xdp().map(drop),
        }
    }

    /// Readable while there is news, an answer of the lookout, or a line for the log.
    pub(super) fn readiness(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let lines = self.object.lines.as_ref().map(AsFd::as_fd);
        [self.object.events.as_fd(), self.lookout.readiness()].into_iter().chain(lines)
    }

    /// Begins to listen; the router is not attached yet. Nothing is left behind after a refusal.
    pub(super) fn attach(&mut self, binding: &Binding) -> Result<(), Refusal> {
        if binding.slot.0 >= SLOTS {
            return Err(Refusal::Unsuitable(format!("the programs hear for {SLOTS} virtual routers")));
        }
        let outcome = self.place(binding).and_then(|()| self.enter(binding));
        if outcome.is_err() {
            self.detach(binding.slot);
            self.tidy(binding.interface);
        }
        outcome
    }

    /// The program on the interface.
    fn place(&mut self, binding: &Binding) -> Result<(), Refusal> {
        let interface = binding.interface;
        if let Some(there) = self.attachments.get(&interface) {
            let other = || format!("another virtual router there is heard by {}", there.rung.name);
            return if there.satisfies(binding.receive) { Ok(()) } else { Err(Refusal::Unsuitable(other())) };
        }
        // Before the program, which takes only what is for this address.
        let mac = self.learn_station(interface).map_err(Refusal::Unsuitable)?;
        let zero = object::nothing().map_err(|error| Refusal::Unsuitable(error.to_string()))?;
        self.object.strangers.insert(interface, zero, 0).map_err(|error| unusable(&error))?;
        self.placements += 1;
        let post = Post { interface, number: self.placements };
        let attachment =
            Attachment::new(&mut self.object, post, binding.receive).map_err(Refusal::Unsuitable)?;
        attachment
            .sight()
            .and_then(|sight| self.lookout.watch(post, sight, mac))
            .map_err(|error| Refusal::Unsuitable(format!("nobody could look after the program: {error}")))?;
        self.attachments.insert(interface, attachment);
        Ok(())
    }

    /// The router in the maps; the key last, as packets are judged from then on.
    fn enter(&mut self, binding: &Binding) -> Result<(), Refusal> {
        let port = PortKey { interface: binding.interface, family: binding.family };
        let multicast = binding.view.flags & RouterView::UNICAST == 0;
        let group = multicast.then_some(binding.group);
        let membership = match self.memberships.entry(port) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(vacancy) => vacancy.insert(Membership::open(port).map_err(Refusal::Fatal)?),
        };
        if let Some(group) = group {
            membership.join(group).map_err(Refusal::Fatal)?;
        }
        let key = RouterKey {
            ifindex: binding.interface,
            vlan: 0,
            family: binding.family as u8,
            vrid: binding.vrid,
        };
        let slot = binding.slot;
        self.routers.insert(
            slot,
            Router {
                key,
                port,
                group,
                listens: Listens::default(),
                lists: Lists::default(),
                told: false,
                doubted: 0,
            },
        );
        self.listens(binding).map_err(|error| unusable(&error))?;
        self.object.enter_view(slot, binding.view);
        let bytes: [u8; 8] = bytemuck::cast(key);
        if self.object.routers.get(&bytes, 0).is_ok_and(|there| there == slot.0) {
            // Left by an earlier daemon: what was heard since counts, and its news were told to nobody.
            self.object.heard.acknowledge(slot.0);
        } else {
            self.forget(slot).map_err(|error| unusable(&error))?;
            self.object.shortcuts.vacate(&key);
            self.object.routers.insert(bytes, slot.0, 0).map_err(|error| unusable(&error))?;
        }
        self.object.shortcuts.take(&key, slot);
        Ok(())
    }

    fn listens(&mut self, binding: &Binding) -> Result<(), MapError> {
        let Some(router) = self.routers.get_mut(&binding.slot) else { return Ok(()) };
        router.listens.enter(&mut self.object, binding)
    }

    fn forget(&mut self, slot: Slot) -> Result<(), MapError> {
        self.object.heard.write(slot.0, &Record::default());
        let unread = |io_error| aya::sys::SyscallError { call: "read", io_error };
        self.object.counts.set(slot.0, object::nothing().map_err(unread)?, 0)?;
        self.object.refused.set(slot.0, object::zeroes().map_err(unread)?, 0)
    }

    /// Stops listening for a router. Nothing happens if it is not attached.
    pub(super) fn detach(&mut self, slot: Slot) {
        let Some(router) = self.routers.remove(&slot) else { return };
        self.object.shortcuts.vacate(&router.key);
        // Not there if the router was only half entered.
        let _ = self.object.routers.remove(&bytemuck::cast::<_, [u8; 8]>(router.key));
        router.listens.remove(&mut self.object);
        if let (Some(group), Some(membership)) = (router.group, self.memberships.get_mut(&router.port)) {
            membership.leave(group);
        }
        self.tidy(router.port.interface);
    }

    /// Lets go of what no router on the interface needs any more.
    fn tidy(&mut self, interface: u32) {
        let used = |port: &PortKey| self.routers.values().any(|router| router.port == *port);
        self.memberships.retain(|port, _| port.interface != interface || used(port));
        if self.routers.values().any(|router| router.port.interface == interface) {
            return;
        }
        if let Some(attachment) = self.attachments.remove(&interface) {
            self.lookout.forget(attachment.post);
        }
        let _ = self.object.stations.remove(&interface);
        let _ = self.object.strangers.remove(&interface);
    }

    /// What an earlier daemon left and no router took up is removed.
    pub(super) fn sweep(&mut self) -> Result<(), PinsError> {
        let routers: Vec<[u8; 8]> = self.routers.values().map(|router| bytemuck::cast(router.key)).collect();
        self.object.shortcuts.keep(self.routers.iter().map(|(slot, router)| (router.key, *slot)));
        retain(&mut self.object.routers, |key| routers.contains(key));
        let interfaces = &self.attachments;
        retain(&mut self.object.stations, |interface| interfaces.contains_key(interface));
        Listens::sweep(&mut self.object, self.routers.values().map(|router| &router.listens));
        let Some(pins) = self.object.pins() else { return Ok(()) };
        let taken: Vec<String> = self.attachments.values().filter_map(Attachment::name).collect();
        Self::sweep_links(pins, &taken)
    }

    /// Programs of an earlier daemon that nobody took up hear no more.
    pub(super) fn sweep_links(pins: &Pins, taken: &[String]) -> Result<(), PinsError> {
        pins.sweep_links(attach::PURPOSE, taken).and_then(|()| pins.retire_others())
    }

    /// Whether a program of ours is on this interface.
    pub(super) fn is_attached(&self, interface: u32) -> bool {
        self.attachments.contains_key(&interface)
    }

    /// Nothing is detached any more: the next daemon goes on with it.
    pub(super) fn leave(&mut self) {
        if let Some(pins) = self.object.pins() {
            pins.keep();
        }
    }

    pub(super) fn update(&mut self, slot: Slot, view: &RouterView) {
        if self.routers.contains_key(&slot) {
            self.object.update_view(slot, *view);
        }
    }

    /// Adds the routers with news to `changed`, each once. All that arrived before was judged on arrival.
    pub(super) fn drain(&mut self, changed: &mut Vec<Slot>) {
        let start = clock::now();
        if let Some(lines) = &mut self.object.lines {
            lines.flush();
        }
        for router in self.routers.values_mut() {
            router.told = false;
        }
        while let Some(item) = self.object.events.next() {
            let Ok(event) = bytemuck::try_pod_read_unaligned::<Event>(&item) else { continue };
            self.object.heard.acknowledge(event.slot);
            let slot = Slot(event.slot);
            let Some(router) = self.routers.get_mut(&slot) else { continue };
            let message = event.message.get(..event.length.into()).unwrap_or_default();
            let own = self.object.views.read(event.slot).digest;
            router.lists.note(event.source, message, router.port.family, own);
            if !std::mem::replace(&mut router.told, true) {
                changed.push(slot);
            }
        }
        self.swept = start;
    }

    /// What arrived before this was judged on arrival, as far as it is known that a program was there.
    pub(super) fn judged_until(&self, slot: Slot) -> Instant {
        let attachment = self.routers.get(&slot).and_then(|router| self.attachment_of(router));
        attachment.and_then(|attachment| self.lookout.trusted(attachment.post)).unwrap_or(self.swept)
    }

    /// Until when it is worth waiting before a silence is believed, if so.
    pub(super) fn patience(&self) -> Option<Instant> {
        self.lookout.patience()
    }

    pub(super) fn heard(&self, slot: Slot) -> Heard {
        self.object.heard.heard(slot.0)
    }

    pub(super) fn repeat(&self, slot: Slot) -> Option<Repeat> {
        self.object.heard.repeat(slot.0)
    }

    pub(super) fn list(&self, slot: Slot, sender: &Stamp) -> Option<Vec<IpAddr>> {
        self.routers.get(&slot)?.lists.of(sender.source, sender.digest).map(<[IpAddr]>::to_vec)
    }

    pub(super) fn counters(&self, slot: Slot) -> Counters {
        let counts = self.object.counts.get(&slot.0, 0);
        let mut counters = counts.map_or_else(|_| Counters::default(), |counts| object::sum(&counts));
        counters.accept(&self.heard(slot));
        counters
    }

    pub(super) fn refused_anew(&self, slot: Slot) -> bool {
        self.object.heard.take_refused(slot.0)
    }

    pub(super) fn last_refused(&self, slot: Slot, reason: DropReason) -> Option<LastRefused> {
        let refused = self.object.refused.get(&slot.0, 0).ok()?;
        let last = object::latest(&refused, reason)?;
        Some(LastRefused { source: last.source.into(), at: Instant::from_nanos(last.at) })
    }

    pub(super) fn strangers(&self, interface: u32) -> Counters {
        let counts = self.object.strangers.get(&interface, 0);
        counts.map_or_else(|_| Counters::default(), |counts| object::sum(&counts))
    }

    pub(super) fn rung(&self, slot: Slot) -> Option<Rung> {
        self.attachment_of(self.routers.get(&slot)?).map(|attachment| attachment.rung.clone())
    }

    fn attachment_of(&self, router: &Router) -> Option<&Attachment> {
        self.attachments.get(&router.port.interface)
    }

    /// The interfaces on which nothing can be heard any more, and why. The lookout looks once a second, and at once
    /// when a peer has been silent for two of its intervals: before its silence is believed.
    pub(super) fn failed(&mut self) -> Vec<(u32, String)> {
        let mut failed = Vec::new();
        for finding in self.lookout.findings(self.swept) {
            match finding {
                Finding::Lost(post, reason) if self.is_manned(post) => failed.push((post.interface, reason)),
                Finding::Moved(post, mac) if self.is_manned(post) => self.note_station(post.interface, mac),
                // Of an attachment that is no more.
                Finding::Lost(..) | Finding::Moved(..) => {}
            }
        }
        self.doubt();
        self.secure();
        failed
    }

    fn is_manned(&self, post: Post) -> bool {
        self.attachments.get(&post.interface).is_some_and(|attachment| attachment.post == post)
    }

    /// Has the lookout look into silences, each once.
    fn doubt(&mut self) {
        for (slot, router) in &mut self.routers {
            let (at, interval) = self.object.heard.accepted(slot.0);
            let (heard, interval) = (Instant::from_nanos(at), Interval::from_nanos(interval));
            if at == 0 || at == router.doubted || self.swept <= heard.after(interval.times(2)) {
                continue;
            }
            router.doubted = at;
            if let Some(attachment) = self.attachments.get(&router.port.interface) {
                self.lookout.doubt(attachment.post, heard, interval, self.swept);
            }
        }
    }

    /// Names that somebody removed are put back within a second.
    fn secure(&mut self) {
        if self.swept >= self.cared.after(CARE) {
            self.cared = self.swept;
            self.object.secure();
            self.attachments.values().for_each(Attachment::secure);
        }
    }

    #[cfg(test)]
    pub(super) fn detach_behind_our_back(&self) {
        self.attachments.values().for_each(Attachment::detach_behind_our_back);
    }

    /// The routers on an interface.
    pub(super) fn routers_on(&self, interface: u32) -> Vec<Slot> {
        let there = self.routers.iter().filter(|(_, router)| router.port.interface == interface);
        there.map(|(slot, _)| *slot).collect()
    }

    fn learn_station(&mut self, interface: u32) -> Result<[u8; 6], String> {
        let mac = Inquiry::new().and_then(|inquiry| inquiry.ethernet_address(&inquiry.name(interface)?));
        // Others have frames that the programs cannot read.
        let mac = mac.map_err(|error| format!("no hardware address: {error}"))?;
        self.enter_station(interface, mac).map_err(|error| error.to_string())?;
        Ok(mac)
    }

    /// Hardware addresses change, seldom.
    fn note_station(&mut self, interface: u32, mac: [u8; 6]) {
        if let Err(error) = self.enter_station(interface, mac) {
            tracing::debug!("interface {interface}: {error}");
        }
    }

    fn enter_station(&mut self, interface: u32, mac: [u8; 6]) -> Result<(), MapError> {
        let station = bytemuck::cast::<_, [u8; 8]>(Station { mac, reserved: 0 });
        self.object.stations.insert(interface, station, 0)
    }
}

fn retain<K: aya::Pod, V: aya::Pod>(map: &mut HashMap<MapData, K, V>, wanted: impl Fn(&K) -> bool) {
    let stale: Vec<K> = map.keys().flatten().filter(|key| !wanted(key)).collect();
    for key in stale {
        // Gone already is as good.
        let _ = map.remove(&key);
    }
}

fn unusable(error: &MapError) -> Refusal {
    Refusal::Unsuitable(format!("a map of the programs refuses it: {error}"))
}
