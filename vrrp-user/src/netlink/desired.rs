//! What the node asks of the address thread, and what it hears back. No rule lives here.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
};

use super::LinkTable;
use crate::{
    config::model::{Routing, VirtualAddress, VirtualMac},
    datapath::Slot,
};

/// Which virtual addresses are to be on the host: the whole truth each time, not a change.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    /// The sender's number of this state; [`Event::Settled`] names it when all of it was done or refused.
    pub generation: u64,
    /// The addresses stay when the thread ends: another daemon takes them over.
    pub keep: bool,
    /// Every router of the node. One that is missing lets go of its addresses, as if it were not held.
    pub routers: Vec<DesiredRouter>,
}

impl Desired {
    /// The routers that let go and took their addresses again since the last round, which `acquisitions` remembers:
    /// they forgot what they were told.
    pub(super) fn taken_again(&self, acquisitions: &mut BTreeMap<Slot, u64>) -> BTreeSet<Slot> {
        let again = |router: &&DesiredRouter| {
            let before = acquisitions.insert(router.slot, router.acquisitions);
            before.is_some_and(|before| before != router.acquisitions)
        };
        self.routers.iter().filter(again).map(|router| router.slot).collect()
    }
}

/// The addresses of one virtual router.
#[derive(Clone, Debug)]
pub struct DesiredRouter {
    /// Which one.
    pub slot: Slot,
    /// Whether the addresses are to be on the host.
    pub held: bool,
    /// How often the router took its addresses. It may let go and take them again before this is looked at; then
    /// it has to be told anew that they are there.
    pub acquisitions: u64,
    /// Whether the host says that they are its own (priority 255): those that were there before us stay.
    pub owner: bool,
    /// The router's interface.
    pub interface: String,
    /// The macvlan on it that is to exist, whether the addresses are held or not.
    pub virtual_mac: Option<VirtualMac>,
    /// The addresses; events name one by its index here.
    pub addresses: Arc<[VirtualAddress]>,
    /// Its routes and rules; events name one by its index here.
    pub routing: Arc<[Routing]>,
}

impl DesiredRouter {
    /// Where addresses go that name no device: on the macvlan if there is to be one, else on the interface.
    pub fn home(&self) -> &str {
        self.virtual_mac.as_ref().map_or(&self.interface, |wanted| &wanted.interface)
    }

    /// In place of a router: the addresses, routes and rules that stand while the node runs. Its events name
    /// this slot.
    pub const STATICS: Slot = Slot(u32::MAX);
}

/// What the address thread tells.
#[derive(Debug)]
pub enum Event {
    /// The host's interfaces and addresses; the first event, and whenever something about them changed.
    Links(Arc<LinkTable>),
    /// Held addresses that are on the host now, each as (index, interface): tell the neighbours.
    Confirmed {
        /// Whose.
        slot: Slot,
        /// Index in [`DesiredRouter::addresses`], and the interface's number.
        addresses: Vec<(usize, u32)>,
    },
    /// An address could not be put on the host. It is tried again; this is told when the reason is a new one.
    Refused {
        /// Whose.
        slot: Slot,
        /// Which one.
        index: usize,
        /// Why.
        error: Refusal,
    },
    /// A held address that another program had removed was put back; [`Event::Confirmed`] follows.
    Restored {
        /// Whose.
        slot: Slot,
        /// Which one.
        index: usize,
    },
    /// What became of a route or a rule.
    Routing {
        /// Whose.
        slot: Slot,
        /// Index in [`DesiredRouter::routing`].
        index: usize,
        /// What.
        news: RoutingNews,
    },
    /// All that this generation asks for was done, or refused and told.
    Settled {
        /// [`Desired::generation`].
        generation: u64,
    },
}

/// What became of a route or a rule.
#[derive(Debug)]
pub enum RoutingNews {
    /// It stands.
    Placed,
    /// It could not be added. It is tried again; this is told when the reason is a new one.
    Refused(Refusal),
    /// Somebody had removed it, and it was put back.
    Restored,
}

/// Why an address, a route or a rule is not where it should be.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The interface does not exist.
    #[error("there is no interface {0}; it will be used when it appears")]
    NoInterface(String),
    /// The kernel said no.
    #[error("the kernel refused {action} {address} on {interface}: {error}{}", remedy(.error))]
    Kernel {
        /// "adding" or "removing".
        action: &'static str,
        /// With prefix length.
        address: String,
        /// The interface's name.
        interface: String,
        /// What the kernel said.
        error: io::Error,
    },
    /// Another program removes it again and again.
    #[error(
        "another program removed {address} from {interface} more than {limit} times in a minute; it is put \
         back when the minute is over: find that program and let it leave the address alone"
    )]
    Contested {
        /// With prefix length.
        address: String,
        /// The interface's name.
        interface: String,
        /// How often it is put back.
        limit: usize,
    },
    /// The kernel said no to a route or a rule.
    #[error("the kernel refused {action} {entry}: {error}{}", routing_remedy(.error))]
    Routing {
        /// "adding" or "removing".
        action: &'static str,
        /// The route or rule.
        entry: String,
        /// What the kernel said.
        error: io::Error,
    },
    /// Another program removes a route or a rule again and again.
    #[error(
        "{entry} was removed more than {limit} times in a minute; it is put back when the minute is over: find \
         the program that does it"
    )]
    RoutingContested {
        /// The route or rule.
        entry: String,
        /// How often it is put back.
        limit: usize,
    },
}

impl Refusal {
    /// The kernel's error number, if it was the kernel that refused.
    pub(super) fn code(&self) -> Option<i32> {
        match self {
            Self::Kernel { error, .. } | Self::Routing { error, .. } => error.raw_os_error(),
            _ => None,
        }
    }
}

fn routing_remedy(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM) => "; run as root or with CAP_NET_ADMIN",
        Some(libc::ENETUNREACH | libc::EHOSTUNREACH) => {
            "; no network of this host has the next hop: name its interface and add `onlink`"
        }
        Some(libc::ENETDOWN) => "; its interface is down",
        Some(libc::EINVAL) => {
            "; is `src` an address of this host, and `scope` not narrower than the next hop's?"
        }
        Some(libc::EEXIST) => "; another program has the same",
        _ => "",
    }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM) => "; run as root or with CAP_NET_ADMIN",
        Some(libc::EACCES) => "; IPv6 may be disabled there (net.ipv6.conf.*.disable_ipv6)",
        _ => "",
    }
}
