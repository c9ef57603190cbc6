//! The datapath of each router by what it asks for and what works: the kernel's, else the socket's. It hears nothing
//! itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::IpAddr,
    os::fd::{AsFd, BorrowedFd},
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use vrrp_common::{
    abi::{Heard, Repeat, RouterView, Stamp},
    judge::DropReason,
    time::Instant,
};

use super::{
    Binding, Counters, Datapath, DatapathError, LastRefused, Progress, Rung, Slot, SocketPath,
    kernel::{GuardParts, KernelPath, Refusal, detach_filter},
    port::{PortKey, interface_name},
};
use crate::{
    config::model::{Receive, ReceivePath},
    pins::{Owner, Pins},
    sys::clock,
};

/// Hears every router in the best way that works for it, and says why not in a better one.
pub struct AutoPath {
    epoll: Epoll,
    socket: SocketPath,
    kernel: Kernel,
    routers: BTreeMap<Slot, Router>,
    /// Where the kernel's part is to have names.
    pins: Option<Pins>,
    /// Whose filters are its own.
    owner: Owner,
    /// The programs log what they judge.
    logs: bool,
}

/// The programs are loaded when the first router asks for them.
enum Kernel {
    Untried,
    Loaded(Box<KernelPath>),
    Refused(String),
}

struct Router {
    binding: Binding,
    /// Why it is heard by the socket, if it is.
    socket: Option<String>,
}

impl AutoPath {
    /// A datapath without routers.
    ///
    /// # Errors
    /// When the process has no file descriptor left.
    pub fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let socket = SocketPath::new("")?;
        epoll.add(socket.readiness(), EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        Ok(Self {
            epoll,
            socket,
            kernel: Kernel::Untried,
            routers: BTreeMap::new(),
            pins: None,
            owner: Owner::default(),
            logs: false,
        })
    }

    /// Loads now what routers with these wishes will most likely need. The kernel takes its time to verify a program,
    /// which nobody else should have to wait for: call it before the thread is a real-time one. What cannot be loaded is
    /// said when a router asks for it.
    pub fn prepare(&mut self, wishes: impl IntoIterator<Item = Receive>) {
        for wish in wishes.into_iter().filter(|wish| wish.path != ReceivePath::Socket) {
            if let Ok(kernel) = self.kernel()
                && let Err(error) = kernel.prepare(wish)
            {
                tracing::debug!("{error}");
            }
        }
    }

    /// The guard's programs and maps, which can be had once; why not, if there are none.
    ///
    /// # Errors
    /// In words, for people.
    pub fn guard(&mut self) -> Result<GuardParts, String> {
        match self.kernel() {
            Ok(kernel) => kernel.guard().map_err(|error| error.to_string()),
            Err(Refusal::Unsuitable(reason)) => Err(reason),
            Err(Refusal::Fatal(error)) => Err(error.to_string()),
        }
    }

    pub(super) fn loaded(&self) -> Option<&KernelPath> {
        if let Kernel::Loaded(path) = &self.kernel { Some(path) } else { None }
    }

    /// What is in the kernel gets names, and goes on hearing when the process is killed.
    pub fn pinned(self, pins: Option<Pins>) -> Self {
        Self { pins, ..self }
    }

    /// What can have no name is told from that of other nodes by its number.
    pub fn owned(self, owner: Owner) -> Self {
        Self { owner, ..self }
    }

    /// The programs log what they judge, if they are told to before they are loaded.
    pub fn logging(self, logs: bool) -> Self {
        Self { logs, ..self }
    }

    /// The kernel datapath, loaded; why not, if it cannot be.
    fn kernel(&mut self) -> Result<&mut KernelPath, Refusal> {
        if matches!(self.kernel, Kernel::Untried) {
            self.kernel = match KernelPath::load(self.pins.clone(), self.owner, self.logs) {
                Ok(path) => {
                    for readiness in path.readiness() {
                        let added = self.epoll.add(readiness, EpollEvent::new(EpollFlags::EPOLLIN, 1));
                        added.map_err(|error| Refusal::Fatal(DatapathError::Wait(error.into())))?;
                    }
                    Kernel::Loaded(Box::new(path))
                }
                Err(error) => Kernel::Refused(error.to_string()),
            };
        }
        match &mut self.kernel {
            Kernel::Loaded(path) => Ok(path),
            Kernel::Refused(reason) => Err(Refusal::Unsuitable(reason.clone())),
            Kernel::Untried => Err(Refusal::Unsuitable("it was not tried".to_owned())),
        }
    }

    /// The kernel datapath, if it is the one that hears this router.
    fn kernel_of(&self, slot: Slot) -> Option<&KernelPath> {
        self.routers.get(&slot).filter(|router| router.socket.is_none()).and_then(|_| self.loaded())
    }

    /// Attaches to the kernel datapath, or gives the reason for the socket.
    fn choose(&mut self, binding: &Binding) -> Result<Option<String>, DatapathError> {
        let path = binding.receive.path;
        if path == ReceivePath::Socket {
            return Ok(Some("as configured".to_owned()));
        }
        match self.kernel().and_then(|kernel| kernel.attach(binding)) {
            Ok(()) => Ok(None),
            Err(Refusal::Fatal(error)) => Err(error),
            Err(Refusal::Unsuitable(reason)) if path == ReceivePath::Auto => Ok(Some(reason)),
            Err(Refusal::Unsuitable(reason)) => Err(DatapathError::Forced {
                wish: wish(path),
                interface: port(binding).interface_name(),
                reason,
            }),
        }
    }

    /// Takes away the filters of an earlier daemon where nobody uses them.
    fn detach_leftovers(&self) {
        let heard_on = self.routers.values().map(|router| router.binding.interface);
        for interface in heard_on.collect::<BTreeSet<u32>>() {
            if self.loaded().is_some_and(|kernel| kernel.is_attached(interface)) {
                continue;
            }
            if let Err(error) = detach_filter(interface, self.owner) {
                tracing::warn!("the filter of an earlier daemon stays on interface {interface}: {error}");
            }
        }
    }

    fn refuse_twins(&self, binding: &Binding) -> Result<(), DatapathError> {
        let twin = |other: &Binding| {
            other.slot != binding.slot && port(other) == port(binding) && other.vrid == binding.vrid
        };
        if !self.routers.values().any(|router| twin(&router.binding)) {
            return Ok(());
        }
        let interface = port(binding).interface_name();
        Err(DatapathError::Taken { interface, family: binding.family, vrid: binding.vrid })
    }

    /// Goes on with sockets where the kernel datapath does not work any more.
    fn fall_back(&mut self) {
        let Kernel::Loaded(kernel) = &mut self.kernel else { return };
        for (interface, reason) in kernel.failed() {
            // Without its interface a router cannot be heard at all; netlink tells the node.
            let Some(name) = interface_name(interface) else { continue };
            tracing::error!("{name}: {reason}; going on with a socket");
            for slot in kernel.routers_on(interface) {
                let Some(router) = self.routers.get_mut(&slot) else { continue };
                let (heard, counters) = (kernel.heard(slot), kernel.counters(slot));
                kernel.detach(slot);
                if let Err(error) = self.socket.attach(router.binding.clone()) {
                    tracing::error!("{name}: {error}; VRID {} is not heard", router.binding.vrid);
                }
                self.socket.resume(slot, with_grace(heard), counters);
                router.socket = Some(reason.clone());
            }
        }
    }
}

/// Nobody knows since when nothing was heard: whoever was heard before counts as heard now, once, so that the
/// silence is ours and nobody else's. That may delay a takeover by one Active_Down_Interval and causes none.
fn with_grace(mut heard: Heard) -> Heard {
    if heard.accepted.at != 0 {
        heard.accepted.at = clock::now().as_nanos();
        heard.accepted.count = heard.accepted.count.wrapping_add(1);
    }
    heard
}

fn port(binding: &Binding) -> PortKey {
    PortKey { interface: binding.interface, family: binding.family }
}

fn wish(path: ReceivePath) -> &'static str {
    match path {
        ReceivePath::Auto => "auto",
        ReceivePath::Xdp => "xdp",
        ReceivePath::XdpGeneric => "xdp_generic",
        ReceivePath::Tc => "tc",
        ReceivePath::Socket => "socket",
    }
}

impl Datapath for AutoPath {
    fn readiness(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }

    fn attach(&mut self, binding: Binding) -> Result<(), DatapathError> {
        self.refuse_twins(&binding)?;
        self.detach(binding.slot);
        let socket = self.choose(&binding)?;
        if socket.is_some() {
            self.socket.attach(binding.clone())?;
        }
        self.routers.insert(binding.slot, Router { binding, socket });
        Ok(())
    }

    fn detach(&mut self, slot: Slot) {
        self.routers.remove(&slot);
        self.socket.detach(slot);
        if let Kernel::Loaded(kernel) = &mut self.kernel {
            kernel.detach(slot);
        }
    }

    fn update(&mut self, slot: Slot, view: RouterView) {
        let Some(router) = self.routers.get_mut(&slot) else { return };
        router.binding.view = view;
        self.socket.update(slot, view);
        if let Kernel::Loaded(kernel) = &mut self.kernel {
            kernel.update(slot, &view);
        }
    }

    fn drain(&mut self, changed: &mut Vec<Slot>) -> Result<Progress, DatapathError> {
        if let Kernel::Loaded(kernel) = &mut self.kernel {
            kernel.drain(changed);
        }
        self.fall_back();
        self.socket.drain(changed)
    }

    fn judged_until(&self, slot: Slot) -> Instant {
        match self.kernel_of(slot) {
            Some(kernel) => kernel.judged_until(slot),
            None => self.socket.judged_until(slot),
        }
    }

    fn patience(&self) -> Option<Instant> {
        self.loaded().and_then(KernelPath::patience)
    }

    fn heard(&self, slot: Slot) -> Heard {
        match self.kernel_of(slot) {
            Some(kernel) => kernel.heard(slot),
            None => self.socket.heard(slot),
        }
    }

    fn repeat(&self, slot: Slot) -> Option<Repeat> {
        self.kernel_of(slot)?.repeat(slot)
    }

    fn list(&self, slot: Slot, sender: &Stamp) -> Option<Vec<IpAddr>> {
        match self.kernel_of(slot) {
            Some(kernel) => kernel.list(slot, sender),
            None => self.socket.list(slot, sender),
        }
    }

    fn counters(&self, slot: Slot) -> Counters {
        match self.kernel_of(slot) {
            Some(kernel) => kernel.counters(slot),
            None => self.socket.counters(slot),
        }
    }

    fn refused_anew(&self, slot: Slot) -> bool {
        match self.kernel_of(slot) {
            Some(kernel) => kernel.refused_anew(slot),
            None => self.socket.refused_anew(slot),
        }
    }

    fn last_refused(&self, slot: Slot, reason: DropReason) -> Option<LastRefused> {
        match self.kernel_of(slot) {
            Some(kernel) => kernel.last_refused(slot, reason),
            None => self.socket.last_refused(slot, reason),
        }
    }

    fn left(&mut self, slot: Slot) -> Heard {
        match self.kernel() {
            Ok(kernel) => kernel.heard(slot),
            Err(_) => Heard::default(),
        }
    }

    fn started(&mut self) {
        let swept = match (&mut self.kernel, &self.pins) {
            (Kernel::Loaded(kernel), _) => kernel.sweep(),
            (_, Some(pins)) => KernelPath::sweep_links(pins, &[]),
            (_, None) => Ok(()),
        };
        if let Err(error) = swept {
            tracing::warn!("what an earlier daemon left in the kernel stays: {error}");
        }
        self.detach_leftovers();
    }

    fn leave(&mut self) {
        if let Kernel::Loaded(kernel) = &mut self.kernel {
            kernel.leave();
        }
    }

    fn strangers(&self, interface: u32) -> Counters {
        let mut sum = self.socket.strangers(interface);
        if let Some(kernel) = self.loaded() {
            sum.add(&kernel.strangers(interface));
        }
        sum
    }

    fn rung(&self, slot: Slot) -> Rung {
        let router = self.routers.get(&slot);
        if let Some(reason) = router.and_then(|router| router.socket.clone()) {
            return Rung { name: "socket", reason };
        }
        let heard = self.loaded().and_then(|kernel| kernel.rung(slot));
        heard.unwrap_or_else(|| Rung { name: "none", reason: "not attached".to_owned() })
    }
}
