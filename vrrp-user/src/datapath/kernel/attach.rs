//! Where on an interface a program hears best, and attaching it there. What it hears is not known here.

use std::{
    fs, io,
    os::fd::{AsFd, OwnedFd},
};

use super::object::{LoadError, Object};
use crate::{
    config::model::{Receive, ReceivePath, TcHook},
    datapath::{Rung, port::interface_name},
    pins::{Filter, Link, Owner, Rank},
    sys::{
        bpf::{Hook, attached_to},
        clsact::{self, Direction, Place},
        link::driver,
    },
};

/// Drivers that take an XDP program without touching the link. Others reset the network card.
const UNTOUCHED: &[&str] = &["veth", "tun", "virtio_net"];
const CLSACT: &str = "clsact";
/// How the names of our links begin.
pub(super) const PURPOSE: &str = "hear";
/// The name of our filters.
const FILTER: &str = "xvrrp_tc";
/// Before the guard's, and before those of others.
const PRIORITY: u16 = 1;

/// Where a program is attached, told from the places before it on the same interface by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Post {
    pub(super) interface: u32,
    pub(super) number: u64,
}

/// A program on an interface; detached when dropped.
#[derive(Debug)]
pub(super) struct Attachment {
    pub(super) post: Post,
    pub(super) rung: Rung,
    hook: Hooked,
}

#[derive(Debug)]
enum Hooked {
    Link(Hook, Link),
    Clsact(Filter),
}

impl Attachment {
    /// Attaches to the best place that `wish` allows; why not, if there is none.
    pub(super) fn new(object: &mut Object, post: Post, wish: Receive) -> Result<Self, String> {
        let interface = post.interface;
        let name = interface_name(interface).ok_or_else(|| format!("there is no interface {interface}"))?;
        let mut against = Vec::new();
        if matches!(wish.path, ReceivePath::Auto | ReceivePath::Xdp) {
            let forced = wish.path == ReceivePath::Xdp;
            match xdp(object, interface, &name, forced) {
                Ok(link) => return Ok(Self::linked(post, Hook::Driver, link, &[])),
                Err(reason) => against.push(format!("no XDP: {reason}")),
            }
        }
        if wish.path == ReceivePath::XdpGeneric {
            match link(object, interface, Hook::Generic) {
                Ok(link) => return Ok(Self::linked(post, Hook::Generic, link, &[])),
                Err(reason) => against.push(format!("no XDP: {reason}")),
            }
        }
        if matches!(wish.path, ReceivePath::Auto | ReceivePath::Tc) {
            if wish.hook != Some(TcHook::Clsact) {
                match link(object, interface, Hook::Tcx) {
                    Ok(link) => return Ok(Self::linked(post, Hook::Tcx, link, &against)),
                    Err(reason) => against.push(format!("no tcx: {reason}")),
                }
            }
            if wish.hook != Some(TcHook::Tcx) {
                match clsact(object, interface) {
                    Ok(filter) => {
                        let rung = Rung { name: CLSACT, reason: words(CLSACT, &against) };
                        return Ok(Self { post, rung, hook: Hooked::Clsact(filter) });
                    }
                    Err(reason) => against.push(format!("no clsact: {reason}")),
                }
            }
        }
        Err(against.join("; "))
    }

    fn linked(post: Post, hook: Hook, link: Link, against: &[String]) -> Self {
        let name = match hook {
            Hook::Driver => "xdp",
            Hook::Generic => "xdp-generic",
            Hook::Tcx | Hook::TcxEgress => "tcx",
        };
        let rung = Rung { name, reason: words(name, against) };
        Self { post, rung, hook: Hooked::Link(hook, link) }
    }

    /// The name of its link, if it has one.
    pub(super) fn name(&self) -> Option<String> {
        match &self.hook {
            Hooked::Link(_, link) => link.name().map(str::to_owned),
            Hooked::Clsact(_) => None,
        }
    }

    /// Puts the name of its link back if somebody removed it.
    pub(super) fn secure(&self) {
        if let Hooked::Link(_, link) = &self.hook {
            link.secure();
        }
    }

    /// Whether a router with this wish may share the attachment.
    pub(super) fn satisfies(&self, wish: Receive) -> bool {
        match wish.path {
            ReceivePath::Auto => true,
            ReceivePath::Xdp => matches!(self.hook, Hooked::Link(Hook::Driver, _)),
            ReceivePath::XdpGeneric => matches!(self.hook, Hooked::Link(Hook::Generic, _)),
            ReceivePath::Tc => match wish.hook {
                None => !self.is_xdp(),
                Some(TcHook::Tcx) => matches!(self.hook, Hooked::Link(Hook::Tcx, _)),
                Some(TcHook::Clsact) => matches!(self.hook, Hooked::Clsact(_)),
            },
            ReceivePath::Socket => false,
        }
    }

    fn is_xdp(&self) -> bool {
        matches!(self.hook, Hooked::Link(Hook::Driver | Hook::Generic, _))
    }

    #[cfg(test)]
    pub(super) fn detach_behind_our_back(&self) {
        let Hooked::Link(_, link) = &self.hook else { panic!("no link") };
        crate::sys::bpf::detach(link.as_fd()).unwrap();
    }

    /// What tells from another thread whether the program still hears.
    ///
    /// # Errors
    /// When the process has no file descriptor left.
    pub(super) fn sight(&self) -> io::Result<Sight> {
        Ok(match &self.hook {
            Hooked::Link(hook, link) => Sight::Link {
                link: link.as_fd().try_clone_to_owned()?,
                rank: link.rank(self.post.interface, *hook),
                xdp: self.is_xdp(),
            },
            Hooked::Clsact(filter) => Sight::Clsact(filter.place()),
        })
    }
}

/// An attachment as others see it; no part in its life. To look, the kernel takes the lock for all interfaces.
pub(super) enum Sight {
    Link { link: OwnedFd, rank: Option<Rank>, xdp: bool },
    Clsact(Place),
}

impl Sight {
    /// Why nothing is heard on this interface any more, if so.
    pub(super) fn lost(&self, interface: u32) -> Option<String> {
        let (link, rank) = match self {
            Self::Link { link, rank, .. } => (link, rank),
            Self::Clsact(place) => return Filter::lost(*place),
        };
        match attached_to(link.as_fd()) {
            Ok(found) if found == interface => rank.as_ref().and_then(hidden),
            Ok(_) => Some("somebody detached the program, or the interface is gone".to_owned()),
            Err(error) => Some(format!("the program's link cannot be read: {error}")),
        }
    }

    /// Why what is heard on this interface must not be believed any more, if so.
    pub(super) fn misled(&self, interface: &str) -> Option<String> {
        match self {
            Self::Link { xdp: true, .. } => stacked(interface).map(|vlan| mixed_up(&vlan)),
            _ => None,
        }
    }
}

/// Why a program that is attached may not get to see what it should.
fn hidden(rank: &Rank) -> Option<String> {
    let stranger = rank.stranger()?;
    Some(format!(
        "somebody attached a program in tc before ours, which may keep packets from it: `bpftool prog show id {stranger}`"
    ))
}

fn words(name: &str, against: &[String]) -> String {
    let what = match name {
        "xdp" => "in the driver",
        "xdp-generic" => "behind the driver, as configured",
        "tcx" => "in tc, before other programs",
        _ => "in tc, as a filter",
    };
    let against: String = against.iter().map(|reason| format!("; {reason}")).collect();
    format!("{what}{against}")
}

fn xdp(object: &mut Object, interface: u32, name: &str, forced: bool) -> Result<Link, String> {
    suits_xdp(name, forced)?;
    link(object, interface, Hook::Driver)
}

/// What speaks against a program in the driver of this interface, before it is tried; less does if it is `forced`.
pub(in crate::datapath) fn suits_xdp(name: &str, forced: bool) -> Result<(), String> {
    if let Some(vlan) = stacked(name) {
        return Err(mixed_up(&vlan));
    }
    if forced {
        return Ok(());
    }
    let driver = driver(name).map_err(|error| format!("the driver is not known: {error}"))?;
    if UNTOUCHED.contains(&driver.as_str()) {
        return Ok(());
    }
    Err(format!("attaching to {driver} may reset the link; `datapath xdp` does it all the same"))
}

fn link(object: &mut Object, interface: u32, hook: Hook) -> Result<Link, String> {
    let pins = object.pins().cloned();
    let text = |error: LoadError| error.to_string();
    let program = match hook {
        Hook::Tcx | Hook::TcxEgress => object.tc().map_err(text)?.fd(),
        Hook::Driver | Hook::Generic => object.xdp().map_err(text)?.fd(),
    };
    let program = program.map_err(|error| error.to_string())?;
    let link = Link::attach(pins.as_ref(), PURPOSE, program.as_fd(), interface, hook)
        .map_err(|error| explain(&error, hook))?;
    // What an earlier run without links left would count everything twice.
    detach_filter(interface, object.owner())
        .map_err(|error| format!("the filter of an earlier run stays: {error}"))?;
    Ok(link)
}

fn explain(error: &io::Error, hook: Hook) -> String {
    let why = match (error.raw_os_error(), hook) {
        (Some(libc::EBUSY | libc::EEXIST), _) => "another XDP program is there",
        (Some(libc::EOPNOTSUPP), _) => "the driver has none",
        (Some(libc::EINVAL), Hook::Tcx) => "it needs Linux 6.6",
        _ => return error.to_string(),
    };
    format!("{why} ({error})")
}

/// Removes the filter that a daemon which was killed left on an interface.
pub(in crate::datapath) fn detach_filter(interface: u32, owner: Owner) -> io::Result<()> {
    clsact::detach(place(interface, owner))
}

fn place(ifindex: u32, owner: Owner) -> Place {
    Place { ifindex, direction: Direction::Ingress, priority: PRIORITY, handle: owner.handle() }
}

fn clsact(object: &mut Object, interface: u32) -> Result<Filter, String> {
    let (pins, place) = (object.pins().cloned(), place(interface, object.owner()));
    let program = object.tc().map_err(|error| error.to_string())?.fd().map_err(|error| error.to_string())?;
    Filter::attach(pins.as_ref(), program.as_fd(), FILTER, place).map_err(|error| error.to_string())
}

/// The VLAN device on an interface, if there is one: /proc/net/vlan/config has "name | id | parent".
fn stacked(interface: &str) -> Option<String> {
    const TABLE: &str = "/proc/thread-self/net/vlan/config";
    // To open it takes new memory of the kernel's even where it is not there: see `Inquiry`.
    let table = fs::exists(TABLE).ok()?.then(|| fs::read_to_string(TABLE))?.ok()?;
    table.lines().find_map(|line| {
        let mut fields = line.split('|').map(str::trim);
        let name = fields.next()?;
        (fields.nth(1)? == interface).then(|| name.to_owned())
    })
}

fn mixed_up(vlan: &str) -> String {
    format!("{vlan} is stacked on it, and XDP sees no tag that the hardware took off")
}
