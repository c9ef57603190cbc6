//! The socket datapath: `AF_PACKET` sockets, judged and recorded in this process. It needs no BPF, so it is what
//! is left where nothing better runs.

use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    io,
    net::IpAddr,
    os::fd::{AsFd, BorrowedFd},
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use vrrp_common::{
    abi::{Heard, RouterKey, RouterView, Stamp},
    judge::{DropReason, Notice, come_again, judge, locate, print, record, settled},
    time::Instant,
};

use super::{
    Binding, Counters, Datapath, DatapathError, LastRefused, Progress, Rung, Slot,
    lists::Lists,
    peers::PeerList,
    port::{Port, PortKey},
};
use crate::sys::{
    clock,
    packet::{Batch, Packet},
};

/// Hears through one socket for each interface and family, whatever the number of routers.
pub struct SocketPath {
    epoll: Epoll,
    ports: BTreeMap<PortKey, Port>,
    routers: Routers,
    batch: Batch,
    ready: Vec<EpollEvent>,
    swept: Instant,
    reason: String,
}

/// The routers and their records.
#[derive(Debug, Default)]
struct Routers {
    slots: HashMap<RouterKey, Slot>,
    records: BTreeMap<Slot, Record>,
}

#[derive(Debug)]
struct Record {
    key: RouterKey,
    port: PortKey,
    /// The group that was joined.
    group: Option<IpAddr>,
    view: RouterView,
    peers: PeerList,
    heard: Heard,
    lists: Lists,
    counters: Counters,
    refused: [Option<LastRefused>; DropReason::COUNT],
    /// News were told in this call already.
    told: bool,
}

impl SocketPath {
    /// A datapath without routers. `reason` is what [`Datapath::rung`] gives for there being nothing better.
    ///
    /// # Errors
    /// When the process has no file descriptor left.
    pub fn new(reason: impl Into<String>) -> io::Result<Self> {
        Ok(Self {
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            ports: BTreeMap::new(),
            routers: Routers::default(),
            batch: Batch::new(),
            ready: Vec::new(),
            swept: clock::now(),
            reason: reason.into(),
        })
    }

    /// Goes on with what was heard for an attached router on another datapath.
    pub(super) fn resume(&mut self, slot: Slot, heard: Heard, counters: Counters) {
        if let Some(record) = self.routers.records.get_mut(&slot) {
            record.heard = heard;
            // It was judged by a view that is numbered elsewhere.
            record.heard.repeat.print = 0;
            record.counters = counters;
        }
    }

    fn port(&mut self, key: PortKey) -> Result<&mut Port, DatapathError> {
        self.ready.resize(self.ports.len() + 1, EpollEvent::empty());
        match self.ports.entry(key) {
            Entry::Occupied(port) => Ok(port.into_mut()),
            Entry::Vacant(vacancy) => {
                let port = Port::open(key)?;
                let interest = EpollEvent::new(EpollFlags::EPOLLIN, key.token());
                self.epoll
                    .add(&port.receiver, interest)
                    .map_err(|error| DatapathError::Wait(error.into()))?;
                Ok(vacancy.insert(port))
            }
        }
    }

    /// Closes the sockets when nobody uses them; epoll forgets a closed socket by itself.
    fn close_if_unused(&mut self, key: PortKey) {
        if self.ports.get(&key).is_some_and(|port| port.routers == 0) {
            self.ports.remove(&key);
        }
    }

    fn bind(&mut self, binding: &Binding, port: PortKey) -> Result<Option<IpAddr>, DatapathError> {
        let multicast = binding.view.flags & RouterView::UNICAST == 0;
        let group = multicast.then_some(binding.group);
        let port = self.port(port)?;
        if let Some(group) = group {
            port.membership.join(group)?;
        }
        port.routers += 1;
        Ok(group)
    }
}

impl Datapath for SocketPath {
    fn readiness(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }

    fn attach(&mut self, binding: Binding) -> Result<(), DatapathError> {
        let port = PortKey { interface: binding.interface, family: binding.family };
        let key = RouterKey {
            ifindex: binding.interface,
            vlan: 0,
            family: binding.family as u8,
            vrid: binding.vrid,
        };
        if self.routers.slots.get(&key).is_some_and(|slot| *slot != binding.slot) {
            let interface = port.interface_name();
            return Err(DatapathError::Taken { interface, family: binding.family, vrid: binding.vrid });
        }
        self.detach(binding.slot);
        let group = self.bind(&binding, port).inspect_err(|_| self.close_if_unused(port))?;
        self.routers.slots.insert(key, binding.slot);
        let record = Record {
            key,
            port,
            group,
            view: binding.view,
            peers: PeerList::from(&binding),
            heard: Heard::default(),
            lists: Lists::default(),
            counters: Counters::default(),
            refused: [None; DropReason::COUNT],
            told: false,
        };
        self.routers.records.insert(binding.slot, record);
        Ok(())
    }

    fn detach(&mut self, slot: Slot) {
        let Some(record) = self.routers.records.remove(&slot) else { return };
        self.routers.slots.remove(&record.key);
        if let Some(port) = self.ports.get_mut(&record.port) {
            port.routers = port.routers.saturating_sub(1);
            if let Some(group) = record.group {
                port.membership.leave(group);
            }
        }
        self.close_if_unused(record.port);
    }

    fn update(&mut self, slot: Slot, view: RouterView) {
        let Some(record) = self.routers.records.get_mut(&slot) else { return };
        record.view = view.instead_of(&record.view).unwrap_or(record.view);
    }

    /// One batch from each socket that has something, so that a flood on one interface cannot keep the node from
    /// another, or from sending.
    fn drain(&mut self, changed: &mut Vec<Slot>) -> Result<Progress, DatapathError> {
        let Self { epoll, ports, routers, batch, ready, swept, .. } = self;
        let start = clock::now();
        if ports.is_empty() {
            *swept = start;
            return Ok(Progress::Drained);
        }
        let count = match epoll.wait(ready, EpollTimeout::ZERO) {
            Ok(count) => count,
            Err(error) => return Err(DatapathError::Wait(error.into())),
        };
        routers.begin();
        let mut progress = Progress::Drained;
        let mut outcome = Ok(());
        for event in ready.iter().take(count) {
            let Some(port) = ports.get_mut(&PortKey::from_token(event.data())) else { continue };
            match port.receive(batch) {
                Ok(Progress::Drained) => {}
                Ok(Progress::More) => progress = Progress::More,
                Err(error) => {
                    outcome = Err(error);
                    continue;
                }
            }
            for packet in batch.packets() {
                routers.take(port, packet, changed);
            }
        }
        *swept = start;
        outcome.map(|()| progress)
    }

    fn judged_until(&self, slot: Slot) -> Instant {
        let record = self.routers.records.get(&slot);
        let port = record.and_then(|record| self.ports.get(&record.port));
        port.and_then(|port| port.behind).map_or(self.swept, |behind| behind.min(self.swept))
    }

    fn heard(&self, slot: Slot) -> Heard {
        self.routers.records.get(&slot).map_or_else(Heard::default, |record| settled(record.heard))
    }

    fn left(&mut self, _: Slot) -> Heard {
        Heard::default()
    }

    fn started(&mut self) {}

    fn leave(&mut self) {}

    fn list(&self, slot: Slot, sender: &Stamp) -> Option<Vec<IpAddr>> {
        self.routers.records.get(&slot)?.lists.of(sender.source, sender.digest).map(<[IpAddr]>::to_vec)
    }

    fn counters(&self, slot: Slot) -> Counters {
        self.routers.records.get(&slot).map_or_else(Counters::default, |record| record.counters)
    }

    fn refused_anew(&self, _: Slot) -> bool {
        true
    }

    fn last_refused(&self, slot: Slot, reason: DropReason) -> Option<LastRefused> {
        *self.routers.records.get(&slot)?.refused.get(reason as usize)?
    }

    fn strangers(&self, interface: u32) -> Counters {
        let mut sum = Counters::default();
        for port in self.ports.values().filter(|port| port.key.interface == interface) {
            sum.add(&port.strangers);
        }
        sum
    }

    fn rung(&self, _: Slot) -> Rung {
        Rung { name: "socket", reason: self.reason.clone() }
    }
}

impl Routers {
    fn begin(&mut self) {
        for record in self.records.values_mut() {
            record.told = false;
        }
    }

    /// Judges one packet and moves the records.
    fn take(&mut self, port: &mut Port, packet: Packet<'_>, changed: &mut Vec<Slot>) {
        let envelope = match locate(packet.frame) {
            Ok(Some(envelope)) => envelope,
            Ok(None) => return,
            Err(reason) => return port.strangers.refuse(reason),
        };
        let key = envelope.key(port.key.interface, packet.vlan);
        let slot = self.slots.get(&key).copied();
        let Some((slot, router)) = slot.and_then(|slot| Some((slot, self.records.get_mut(&slot)?))) else {
            return port.strangers.refuse(DropReason::Vrid);
        };
        let at = port.stamps.instant(packet.stamp);
        let print = print(packet.frame, &envelope, router.view.serial);
        let again = come_again(&mut router.heard, router.view.standing, &envelope.source, print, at);
        let outcome = match again {
            Some(news) => Ok(news),
            None => judge(packet.frame, &envelope, &router.view, &router.peers).map(|verdict| {
                record(&mut router.heard, router.view.standing, &Notice::new(&verdict, print), at)
            }),
        };
        match outcome {
            Ok(news) => {
                router.counters.received += 1;
                if news && let Some(message) = envelope.message(packet.frame) {
                    router.lists.note(envelope.source, message, envelope.family, router.view.digest);
                }
                if news && !router.told {
                    router.told = true;
                    changed.push(slot);
                }
            }
            Err(reason) => {
                router.counters.refuse(reason);
                if let Some(last) = router.refused.get_mut(reason as usize) {
                    *last = Some(LastRefused { source: envelope.source.into(), at });
                }
            }
        }
    }
}
