//! What a node tells about itself: one snapshot, for `status` and `events` in JSON and in text. Nothing is gathered here.

mod events;
mod peers;
mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use events::{Events, RefusalRecord, RouterTransition, render as render_events};
pub use peers::{PeerStatus, difference as list_difference};
pub(crate) use text::people_state;
pub use text::render;

/// The whole node at one instant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// xvrrp's version.
    pub version: String,
    /// `router_id`, or the host name.
    pub router_id: String,
    /// The daemon's process.
    pub pid: u32,
    /// Seconds since the daemon started.
    pub uptime_seconds: f64,
    /// Virtual routers in the file's order.
    pub routers: Vec<RouterStatus>,
    /// Gratuitous ARPs and unsolicited NAs that the kernel took, and that it did not.
    pub announcements: Announcements,
    /// How each Ethernet interface is guarded: "tcx", "clsact" or why not.
    pub fenced: BTreeMap<String, String>,
    /// Packets that no virtual router owns, by interface and reason.
    pub strangers: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Gratuitous ARPs and unsolicited NAs since the start.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Announcements {
    /// Taken by the kernel.
    pub sent: u64,
    /// Refused by it.
    pub failed: u64,
}

/// One virtual router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RouterStatus {
    /// The instance's name.
    pub name: String,
    /// Interface.
    pub interface: String,
    /// Its own MAC address, if it has one.
    pub virtual_mac: Option<VirtualMac>,
    /// 1 to 255.
    pub vrid: u8,
    /// VRRP version, 2 or 3.
    pub version: u8,
    /// "ipv4" or "ipv6".
    pub family: String,
    /// "initialize", "fault", "backup" or "active".
    pub state: String,
    /// Why the router is in Fault.
    pub fault: Option<String>,
    /// The group that it moves with.
    #[serde(default)]
    pub group: Option<String>,
    /// The priorities and where they come from.
    pub priority: Priority,
    /// How advertisements are received.
    pub datapath: Rung,
    /// How the addresses are guarded.
    pub guard: GuardStatus,
    /// The checksums that we send; absent where the protocol knows one form (all but VRRPv3 over IPv4).
    pub checksum: Option<Checksum>,
    /// Who is Active, as far as this node knows.
    pub active: Option<ActiveRouter>,
    /// The other routers, the one heard last first.
    #[serde(default)]
    pub peers: Vec<PeerStatus>,
    /// Timers.
    pub timers: Timers,
    /// Virtual addresses.
    pub addresses: Vec<AddressStatus>,
    /// Routes and rules that stand while it is Active.
    pub routing: Vec<RoutingStatus>,
    /// The last transitions, oldest first.
    pub transitions: Vec<TransitionRecord>,
    /// Counters.
    pub counters: Counters,
    /// How late our own advertisements left, in microseconds.
    pub lateness: Lateness,
}

/// The MAC address of a virtual router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VirtualMac {
    /// The macvlan that carries it.
    pub interface: String,
    /// The address.
    pub mac: String,
}

/// Where the priority comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Priority {
    /// As configured.
    pub base: u8,
    /// As advertised: base and weights, 1 to 254, or an owner's 255.
    pub effective: u8,
    /// The checks that bear on it.
    pub checks: Vec<CheckStatus>,
    /// What the operator ordered: "stepped down", "taken", and until when. The base does not count meanwhile.
    #[serde(default)]
    pub ordered: Option<String>,
}

/// One check as one router sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckStatus {
    /// The check's name.
    pub name: String,
    /// "script", "file", "process" or "interface".
    #[serde(default)]
    pub kind: String,
    /// "pending", "healthy", "failing", or "value" for a number in a file.
    pub health: String,
    /// -254 to 254, for files any number; 0 means that failure is a fault.
    pub weight: i32,
    /// Success and failure change places.
    pub reverse: bool,
    /// The last result in words.
    pub detail: String,
    /// How often it ran.
    pub runs: u64,
}

/// The receive path in use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rung {
    /// "socket".
    pub name: String,
    /// Why this one.
    pub reason: String,
}

/// Whether the kernel closes the addresses when the lease ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GuardStatus {
    /// The lease guards the addresses.
    pub guarded: bool,
    /// Why not, or which interfaces it does not guard.
    pub reason: Option<String>,
    /// Milliseconds left of the lease as the kernel has it; absent while it is closed.
    pub open_for_ms: Option<f64>,
    /// Packets to and from the addresses: "open" passed, "closed", "superseded" and "expired" did not.
    pub packets: BTreeMap<String, u64>,
}

/// What the checksums of our VRRPv3 advertisements over IPv4 cover: "message", or "pseudo" for pseudo-header and
/// message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checksum {
    /// "auto", "message" or "pseudo".
    pub configured: String,
    /// "message" or "pseudo".
    pub sent: String,
}

/// The Active router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ActiveRouter {
    /// Its primary address; our own if we are Active.
    pub address: String,
    /// Its priority.
    pub priority: u8,
    /// Whether it is this node.
    pub this_node: bool,
    /// Seconds since it was last heard; absent for this node.
    pub heard_seconds_ago: Option<f64>,
}

/// Timers in milliseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timers {
    /// Our own Advertisement_Interval.
    pub advertisement_interval_ms: f64,
    /// Active_Adver_Interval.
    pub active_adver_interval_ms: f64,
    /// Skew_Time.
    pub skew_time_ms: f64,
    /// Active_Down_Interval.
    pub active_down_interval_ms: f64,
    /// Until the next deadline: the next advertisement, or takeover.
    pub deadline_in_ms: Option<f64>,
    /// Until the lease ends; absent when none is held.
    pub lease_in_ms: Option<f64>,
}

/// One virtual address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddressStatus {
    /// Address and prefix length.
    pub address: String,
    /// The interface that it belongs on.
    pub device: String,
    /// Whether this host holds it now.
    pub held: bool,
    /// Why the host refused it, if it did.
    pub refused: Option<String>,
    /// How often it was put back after somebody removed it.
    pub restored: u64,
}

/// A route or rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoutingStatus {
    /// As `ip` would take it.
    pub entry: String,
    /// Whether it stands now.
    pub held: bool,
    /// Why the host refused it, if it did.
    pub refused: Option<String>,
    /// How often it was put back after somebody removed it.
    pub restored: u64,
}

/// One change of state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TransitionRecord {
    /// Unix time in seconds.
    pub at: f64,
    /// State left.
    pub from: String,
    /// State entered.
    pub to: String,
    /// Why, with the numbers.
    pub reason: String,
}

/// What was counted since the start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Counters {
    /// Advertisements judged valid.
    pub received: u64,
    /// Of these: accepted by a Backup's rule.
    pub accepted: u64,
    /// Of these: better than ours.
    pub better: u64,
    /// Of these: worse than ours.
    pub losing: u64,
    /// Of these: priority 0.
    pub resigned: u64,
    /// Valid, but with another address list than ours.
    pub differing_list: u64,
    /// Valid, from another router while this one owns the addresses (priority 255): two owners.
    pub second_owner: u64,
    /// Valid, with the checksum over the message only (VRRPv3 over IPv4).
    pub checksum_message: u64,
    /// Valid, with the checksum over pseudo-header and message (VRRPv3 over IPv4).
    pub checksum_pseudo: u64,
    /// Advertisements that the kernel took from us.
    pub sent: u64,
    /// Of these: with priority 0.
    #[serde(default)]
    pub resignations_sent: u64,
    /// Advertisements that it did not take.
    pub send_errors: u64,
    /// The last such error.
    pub last_send_error: Option<String>,
    /// Packets that the kernel had to drop before they were read: its queue was full.
    pub lost: u64,
    /// Refused packets by reason; every reason is listed.
    pub dropped: BTreeMap<String, u64>,
    /// Times that this node became Active.
    pub became_active: u64,
    /// Times that it was Active no longer.
    #[serde(default)]
    pub released_active: u64,
}

/// A distribution of lateness in microseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lateness {
    /// Advertisements measured.
    pub count: u64,
    /// Median.
    pub p50_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
    /// Largest.
    pub max_us: u64,
    /// Upper bound in microseconds and count, for each power of two that occurred.
    pub histogram: Vec<(u64, u64)>,
}
