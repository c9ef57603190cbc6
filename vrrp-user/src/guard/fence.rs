//! The guard's programs on every Ethernet interface of the namespace. What they let pass is not known here.

use std::{
    collections::BTreeMap,
    io,
    os::fd::{AsFd, BorrowedFd},
};

use nix::net::if_::if_nameindex;

use crate::{
    config::model::TcHook,
    datapath::GuardPrograms,
    netlink::{Link, LinkTable},
    pins::{self, Filter, Owner, Pins},
    sys::{
        bpf::{Hook, attached_to},
        clsact::{self, Direction, Place},
    },
};

/// How the names of our links begin.
const PURPOSE: &str = "guard";
/// Behind the receive program, which judges advertisements and passes on everything else.
const PRIORITY: u16 = 2;

/// How often the guard goes before programs that were put before it: whoever puts one there again and again does it on
/// purpose, and two who both insist would never end.
const OVERTAKES: u8 = 5;

/// How an interface is guarded: "tcx" or "clsact", or why it is not.
pub type Fenced = Result<&'static str, String>;

/// Every Ethernet interface by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report(pub BTreeMap<String, Fenced>);

impl Report {
    /// Which interfaces are not guarded, and why; `None` if all are.
    pub fn failures(&self) -> Option<String> {
        let failed =
            self.0.iter().filter_map(|(name, fenced)| Some(format!("{name}: {}", fenced.as_ref().err()?)));
        let failed: Vec<String> = failed.collect();
        (!failed.is_empty()).then(|| failed.join("; "))
    }
}

pub(super) struct Fence {
    programs: GuardPrograms,
    hook: Option<TcHook>,
    ports: BTreeMap<u32, Port>,
}

struct Port {
    name: String,
    fenced: Result<Pair, String>,
    /// How often the guard was put before programs that came before it.
    overtook: u8,
}

/// Ingress and egress; detached when dropped.
#[derive(Debug)]
enum Pair {
    Tcx([pins::Link; 2]),
    Clsact([Filter; 2]),
}

impl Pair {
    fn name(&self) -> &'static str {
        match self {
            Self::Tcx(_) => "tcx",
            Self::Clsact(_) => "clsact",
        }
    }

    /// Whether somebody detached it.
    fn is_lost(&self, ifindex: u32) -> bool {
        match self {
            Self::Tcx(links) => links.iter().any(|link| attached_to(link.as_fd()).ok() != Some(ifindex)),
            Self::Clsact(filters) => filters.iter().any(|filter| Filter::lost(filter.place()).is_some()),
        }
    }
}

impl Pair {
    /// The number of a program that runs before the guard and is no xvrrp's.
    fn stranger(&self, ifindex: u32) -> Option<u32> {
        let Self::Tcx([into, out]) = self else { return None };
        let links = [(into, Hook::Tcx), (out, Hook::TcxEgress)];
        links.into_iter().find_map(|(link, hook)| link.rank(ifindex, hook)?.stranger())
    }
}

impl Port {
    /// Interface, name and the program that came before the guard, if it is to be overtaken.
    fn outrun((ifindex, port): (&u32, &mut Self)) -> Option<(u32, String, u32)> {
        if port.overtook >= OVERTAKES {
            return None;
        }
        let stranger = port.fenced.as_ref().ok()?.stranger(*ifindex)?;
        port.overtook += 1;
        if port.overtook == OVERTAKES {
            tracing::error!("{}: somebody goes before the guard again and again; it gives up", port.name);
        }
        Some((*ifindex, port.name.clone(), stranger))
    }
}

impl Fence {
    pub(super) fn new(programs: GuardPrograms, hook: Option<TcHook>) -> Self {
        Self { programs, hook, ports: BTreeMap::new() }
    }

    /// Guards every Ethernet interface of the table.
    pub(super) fn follow(&mut self, links: &LinkTable) {
        self.ports.retain(|ifindex, _| links.by_index(*ifindex).is_some());
        for link in links.iter().filter(|link| is_ethernet(link)) {
            match self.ports.get_mut(&link.ifindex) {
                Some(port) if port.fenced.is_ok() => port.name.clone_from(&link.name),
                _ => self.fence(link.ifindex, &link.name),
            }
        }
    }

    /// Attaches again what somebody detached, and names again what somebody removed.
    pub(super) fn mend(&mut self) {
        for port in self.ports.values() {
            if let Ok(Pair::Tcx(links)) = &port.fenced {
                links.iter().for_each(pins::Link::secure);
            }
        }
        let lost = self
            .ports
            .iter()
            .filter(|(ifindex, port)| port.fenced.as_ref().is_ok_and(|pair| pair.is_lost(**ifindex)));
        let lost: Vec<_> = lost.map(|(ifindex, port)| (*ifindex, port.name.clone())).collect();
        for (ifindex, name) in lost {
            tracing::warn!("{name}: somebody detached the guard, or the interface is gone");
            self.fence(ifindex, &name);
        }
        self.overtake();
    }

    /// Attaches anew, and so before all others, what somebody put a program before: it may let pass what the guard holds
    /// back.
    fn overtake(&mut self) {
        let outrun: Vec<_> = self.ports.iter_mut().filter_map(Port::outrun).collect();
        for (ifindex, name, stranger) in outrun {
            tracing::warn!(
                "{name}: somebody attached a program in tc before the guard, which may let pass what the guard holds back: \
                 `bpftool prog show id {stranger}`; the guard goes before it"
            );
            self.fence(ifindex, &name);
        }
    }

    pub(super) fn report(&self) -> Report {
        let fenced = |port: &Port| port.fenced.as_ref().map(Pair::name).map_err(Clone::clone);
        Report(self.ports.values().map(|port| (port.name.clone(), fenced(port))).collect())
    }

    fn fence(&mut self, ifindex: u32, name: &str) {
        let fenced = self.attach(ifindex);
        let before = self.ports.get(&ifindex).and_then(|port| port.fenced.as_ref().err());
        match &fenced {
            Ok(pair) => tracing::info!("{name}: guarded by {}", pair.name()),
            Err(reason) if before != Some(reason) => tracing::error!("{name}: not guarded: {reason}"),
            Err(_) => {}
        }
        let again = matches!(fenced, Ok(Pair::Clsact(_)));
        let overtook = self.ports.get(&ifindex).map_or(0, |port| port.overtook);
        let old = self.ports.insert(ifindex, Port { name: name.to_owned(), fenced, overtook });
        if let Some(Port { fenced: Ok(Pair::Clsact(filters)), .. }) = old.filter(|_| again) {
            filters.into_iter().for_each(Filter::give_way);
        }
    }

    /// By tcx if the kernel has it, unless its links would end with the process for want of names: filters of clsact stay.
    fn attach(&self, ifindex: u32) -> Result<Pair, String> {
        let tcx = || self.tcx(ifindex).map_err(|error| format!("no tcx: {error}"));
        let clsact = || self.clsact(ifindex).map_err(|error| format!("no clsact: {error}"));
        let either = |first: Result<Pair, String>, second: &dyn Fn() -> Result<Pair, String>| {
            first.or_else(|first| second().map_err(|second| format!("{first}; {second}")))
        };
        match self.hook {
            Some(TcHook::Clsact) => clsact(),
            Some(TcHook::Tcx) => tcx(),
            None if self.pins().is_none() => either(clsact(), &tcx),
            None => either(tcx(), &clsact),
        }
    }

    fn tcx(&self, ifindex: u32) -> io::Result<Pair> {
        let links = [
            pins::Link::attach(self.pins(), &format!("{PURPOSE}-in"), self.ingress(), ifindex, Hook::Tcx)?,
            pins::Link::attach(
                self.pins(),
                &format!("{PURPOSE}-out"),
                self.egress(),
                ifindex,
                Hook::TcxEgress,
            )?,
        ];
        // What an earlier run without tcx left would be closed for ever.
        for place in places(ifindex, self.programs.owner) {
            clsact::detach(place)?;
        }
        Ok(Pair::Tcx(links))
    }

    fn clsact(&self, ifindex: u32) -> io::Result<Pair> {
        let [into, out] = places(ifindex, self.programs.owner);
        Ok(Pair::Clsact([
            Filter::attach(self.pins(), self.ingress(), "xvrrp_guard_in", into)?,
            Filter::attach(self.pins(), self.egress(), "xvrrp_guard_out", out)?,
        ]))
    }

    fn pins(&self) -> Option<&Pins> {
        self.programs.pins.as_ref()
    }

    fn ingress(&self) -> BorrowedFd<'_> {
        self.programs.ingress.as_fd()
    }

    fn egress(&self) -> BorrowedFd<'_> {
        self.programs.egress.as_fd()
    }
}

/// Removes the filters of clsact that a daemon which was killed left on an interface.
///
/// # Errors
/// What the kernel says; that none is there is fine.
pub fn detach_filters(ifindex: u32, owner: Owner) -> io::Result<()> {
    places(ifindex, owner).into_iter().try_for_each(clsact::detach)
}

/// Takes away what an earlier daemon left on any interface: without anybody to open it, it would be closed for ever.
///
/// # Errors
/// What stays, and why.
pub fn retire(pins: Option<&Pins>, owner: Owner) -> io::Result<()> {
    if let Some(pins) = pins {
        pins.sweep_links(PURPOSE, &[]).map_err(io::Error::other)?;
    }
    if_nameindex()?.iter().try_for_each(|interface| detach_filters(interface.index(), owner))
}

fn places(ifindex: u32, owner: Owner) -> [Place; 2] {
    [Direction::Ingress, Direction::Egress].map(|direction| Place {
        ifindex,
        direction,
        priority: PRIORITY,
        handle: owner.handle(),
    })
}

/// Where neighbours ask for hardware addresses.
fn is_ethernet(link: &Link) -> bool {
    link.mac.is_some()
}
