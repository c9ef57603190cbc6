//! The effective configuration: every default applied, every value checked. No parsing happens here.

mod dumps;
mod links;
mod mail;
mod network;
mod nftables;
mod notify;
mod routing;
mod running;
mod tracking;

use std::net::IpAddr;

pub use dumps::Dumps;
pub use links::LinkDelay;
pub use mail::Mail;
pub use network::Network;
pub use nftables::Nftables;
pub use routing::{
    Action, Amount, Hop, MAIN_TABLE, Metric, Placement, Preference, Range, Realms, Route, RouteKind, Routing,
    Rule,
};
pub use running::Running;
use vrrp_common::{
    time::Interval,
    wire::{Family, Version},
};

pub use notify::{Fifo, Group, Notify, Program};
pub use tracking::{
    Check, CheckKind, InitialValue, ParameterMatch, Script, Track, TrackedFile, TrackedProcess,
};

/// What one node runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// `router_id`, or the host name: how this node calls itself in logs and status.
    pub router_id: String,
    /// When the routers start, and how the threads are scheduled.
    pub running: Running,
    /// `net_namespace`: where the node runs; where it was started if absent.
    pub net_namespace: Option<String>,
    /// Virtual routers in the file's order.
    pub instances: Vec<Instance>,
    /// Instances that move together.
    pub groups: Vec<Group>,
    /// What at least one instance tracks.
    pub checks: Vec<Check>,
    /// Pipes that are told of every transition.
    pub fifos: Vec<Fifo>,
    /// `fifo_write_vrrp_states_on_reload`.
    pub fifo_states_on_reload: bool,
    /// What stands while the node runs, whoever is Active.
    pub statics: Statics,
    /// `interface_up_down_delays`, one for each interface.
    pub link_delays: Vec<LinkDelay>,
    /// Where mail goes; none is sent if absent.
    pub mail: Option<Mail>,
    /// `guard`, and `tc_hook` of the node.
    pub guard: Guard,
    /// How the rules for `no_accept` are written.
    pub nftables: Nftables,
    /// What is written when a signal asks for it.
    pub dumps: Dumps,
}

impl Configuration {
    /// The scripts among the checks.
    pub fn scripts(&self) -> impl Iterator<Item = &Script> {
        self.checks.iter().filter_map(|check| match check {
            Check::Script(script) => Some(script),
            _ => None,
        })
    }
}

/// How the addresses are to be guarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Whether.
    pub mode: GuardMode,
    /// Where in tc; tcx if the kernel has it, else clsact, if absent.
    pub hook: Option<TcHook>,
}

/// Whether addresses are guarded by a lease in the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GuardMode {
    /// Where that is possible.
    #[default]
    Auto,
    /// Always: the node does not run without.
    Required,
    /// Never.
    Off,
}

/// `static_ipaddress`, `static_routes` and `static_rules`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statics {
    /// Where addresses go that name no interface: `default_interface`.
    pub interface: String,
    /// Addresses.
    pub addresses: Vec<VirtualAddress>,
    /// Routes and rules.
    pub routing: Vec<Routing>,
}

/// A virtual router's own MAC address (RFC 9568 §7.3), and the interface that carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualMac {
    /// The name of the macvlan that is made on the router's interface.
    pub interface: String,
    /// 00-00-5E-00-01-VRID for IPv4 and 00-00-5E-00-02-VRID for IPv6, unless the file says otherwise.
    pub mac: [u8; 6],
    /// Advertisements leave with the interface's own MAC address all the same.
    pub advertise_from_base: bool,
}

/// Accept_Mode (RFC 9568 §6.1): whether packets to the addresses are accepted. An owner always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// They are.
    Yes,
    /// They are not, because strict mode says so.
    NotIfStrict,
    /// They are not, because the file says so.
    No,
}

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The name in the file.
    pub name: String,
    /// Interface to listen and send on.
    pub interface: String,
    /// 1 to 255.
    pub vrid: u8,
    /// VRRP version.
    pub version: Version,
    /// Family of advertisements and addresses.
    pub family: Family,
    /// Base priority, 1 to 255.
    pub priority: u8,
    /// Advertisement_Interval, valid for the version.
    pub advertisement_interval: Interval,
    /// Intervals of silence before takeover, 1 to 100 (3).
    pub down_timer_adverts: u8,
    /// Preempt_Mode.
    pub preempt: bool,
    /// `preempt_delay`.
    pub preempt_delay: Interval,
    /// VRRPv2 `auth_type PASS`: the password, cut or zero padded to eight bytes.
    pub password: Option<[u8; 8]>,
    /// `virtual_ipaddress`, in the file's order: these are advertised. None only with `no_virtual_ipaddress`.
    pub addresses: Vec<VirtualAddress>,
    /// `virtual_ipaddress_excluded`: these move with the others and are not advertised; of either family.
    pub excluded: Vec<VirtualAddress>,
    /// Accept_Mode.
    pub accept: Accept,
    /// `use_vmac`: the addresses are on a macvlan; on the interface itself if absent.
    pub virtual_mac: Option<VirtualMac>,
    /// `virtual_routes` and `virtual_rules`: they stand while it is Active.
    pub routing: Vec<Routing>,
    /// `unicast_src_ip` or `mcast_src_ip`; the interface's primary address if absent.
    pub source: Option<IpAddr>,
    /// Multicast group; the RFC's unless `vrrp_mcast_group4` or `_group6` says otherwise.
    pub group: IpAddr,
    /// `unicast_peer`; empty means multicast.
    pub peers: Vec<UnicastPeer>,
    /// `unicast_ttl`: the TTL or hop limit of unicast advertisements, 1 to 255 (255).
    pub ttl: u8,
    /// `track_src_ip`: it gives up while `source` is not an address of the host.
    pub tracks_source: bool,
    /// Whether it gives up while its interface is down; not with `dont_track_primary`.
    pub tracks_link: bool,
    /// `strict_mode` or `vrrp_strict`; what it comes to is in the other fields.
    pub strict: bool,
    /// `accept_from`: the networks that advertisements may come from; `None` for everybody.
    pub accept_from: Option<Vec<Network>>,
    /// `datapath` and `tc_hook`.
    pub receive: Receive,
    /// `checksum`, which matters to VRRPv3 over IPv4 alone.
    pub checksum: Checksum,
    /// Gratuitous ARP and unsolicited NA settings.
    pub announce: Announce,
    /// What it tracks, its group's trackers included.
    pub tracks: Vec<Track>,
    /// Who is told of its transitions.
    pub notify: Notify,
}

impl Instance {
    /// The most addresses that one advertisement carries: its count is a byte (RFC 9568 §5.2.5), and it must
    /// fit a frame of 1500 bytes, which leaves room for 90 IPv6 addresses.
    pub fn capacity(family: Family) -> usize {
        match family {
            Family::V4 => 255,
            Family::V6 => 90,
        }
    }

    /// Every address that is to be on the host while it is Active: first the advertised ones.
    pub fn held_addresses(&self) -> impl Iterator<Item = &VirtualAddress> {
        self.addresses.iter().chain(&self.excluded)
    }

    /// Where its addresses are that name no device.
    pub fn home(&self) -> &str {
        self.virtual_mac.as_ref().map_or(&self.interface, |own| &own.interface)
    }

    /// The addresses that are advertised: the first ones of the list, as far as one advertisement carries
    /// them. The others move with them all the same, as in keepalived.
    pub fn advertised(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().map(|entry| entry.address).take(Self::capacity(self.family))
    }
}

/// One virtual address and how it is put on the host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VirtualAddress {
    /// The address.
    pub address: IpAddr,
    /// Prefix length; 32 or 128 unless the file says otherwise.
    pub prefix: u8,
    /// Broadcast address (IPv4), already computed from `brd +`.
    pub broadcast: Option<std::net::Ipv4Addr>,
    /// Interface; the instance's if absent.
    pub device: Option<String>,
    /// `rtm_scope` number (global 0, site 200, link 253, host 254).
    pub scope: u8,
    /// Label (IPv4).
    pub label: Option<String>,
    /// Whether duplicate address detection runs (IPv6; off unless `-nodad` is given, as in keepalived).
    pub detect_duplicates: bool,
}

/// A unicast peer and the TTL that its advertisements may arrive with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnicastPeer {
    /// Its address.
    pub address: IpAddr,
    /// Lowest TTL accepted (0).
    pub min_ttl: u8,
    /// Highest TTL accepted (255).
    pub max_ttl: u8,
}

/// What the checksum of the VRRPv3 advertisements over IPv4 that we send covers (RFC 9568 §5.2.8). Both forms are
/// always heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// Pseudo-header and message, until a peer was heard that does otherwise: then as the peer heard last.
    #[default]
    Auto,
    /// The message alone, as the RFC has it.
    Message,
    /// Pseudo-header and message, as keepalived and FRR have it.
    Pseudo,
}

/// How advertisements are to be heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receive {
    /// By what.
    pub path: ReceivePath,
    /// Where in tc; tcx if the kernel has it, else clsact, if absent.
    pub hook: Option<TcHook>,
}

/// By what advertisements are heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceivePath {
    /// The best that works on the interface.
    #[default]
    Auto,
    /// A program in the driver.
    Xdp,
    /// An XDP program behind the driver, which works with any and is slower.
    XdpGeneric,
    /// A program in traffic control.
    Tc,
    /// A socket.
    Socket,
}

/// Where a program is attached in traffic control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcHook {
    /// In the ordered list of Linux 6.6, as the first.
    Tcx,
    /// As a filter of the queueing discipline.
    Clsact,
}

/// When and how often the neighbours are told where the addresses are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announce {
    /// Time from the first burst to the second (5 s); zero for no second burst.
    pub delay: Interval,
    /// Announcements per address and burst (5).
    pub repeat: u32,
    /// Period of refreshes while Active; zero for none.
    pub refresh: Interval,
    /// Announcements per address and refresh (1).
    pub refresh_repeat: u32,
    /// Like `delay`, after a losing Active was heard.
    pub lower_priority_delay: Interval,
    /// Like `repeat`, after a losing Active was heard.
    pub lower_priority_repeat: u32,
    /// Least time between two announcements of IPv4 addresses on one interface; zero for none.
    pub arp_gap: Interval,
    /// The same of IPv6 addresses.
    pub na_gap: Interval,
}

/// A user and a group, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}
