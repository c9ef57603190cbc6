//! Settings as they were given, before defaults. What they mean together is not decided here.

mod mail;
mod notify;
mod tracking;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
};

use vrrp_common::{time::Interval, wire::Family};

use super::{
    model::{
        Checksum, Dumps, GuardMode, LinkDelay, Network, Nftables, ReceivePath, Routing, Running, TcHook,
        UnicastPeer, VirtualAddress,
    },
    source::Span,
};

pub(super) use mail::MailDraft;
pub(super) use notify::{FifoDraft, NotifyDraft, ProgramDraft};
pub(super) use tracking::{FileDraft, GroupDraft, ProcessDraft, TrackDraft, TrackKind};

/// A value and where it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Given<V> {
    pub(super) value: V,
    pub(super) span: Span,
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) globals: GlobalDraft,
    pub(super) instances: Vec<InstanceDraft>,
    pub(super) scripts: Vec<ScriptDraft>,
    pub(super) net_namespace: Option<String>,
    /// `instance`.
    pub(super) instance_name: Option<String>,
    pub(super) statics: StaticsDraft,
    pub(super) rule_numbers: RuleNumbers,
    pub(super) files: Vec<FileDraft>,
    pub(super) processes: Vec<ProcessDraft>,
    pub(super) groups: Vec<GroupDraft>,
    pub(super) link_delays: Vec<Given<LinkDelay>>,
}

/// `static_ipaddress`, `static_routes` and `static_rules`.
#[derive(Debug, Default)]
pub(super) struct StaticsDraft {
    pub(super) addresses: Vec<VirtualAddress>,
    pub(super) routing: Vec<RoutingDraft>,
}

/// A route or rule.
#[derive(Debug)]
pub(super) struct RoutingDraft {
    pub(super) routing: Routing,
    /// Where a rule stands that was given no priority.
    pub(super) unnumbered: Option<Span>,
}

/// The priorities that rules get that were given none, in the order of the file.
#[derive(Debug)]
pub(super) struct RuleNumbers {
    v4: u32,
    v6: u32,
}

impl Default for RuleNumbers {
    fn default() -> Self {
        const FIRST: u32 = 16384;
        Self { v4: FIRST, v6: FIRST }
    }
}

impl RuleNumbers {
    pub(super) fn next(&mut self, family: Family) -> u32 {
        let number = match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        };
        std::mem::replace(number, number.saturating_sub(1))
    }
}

/// `global_defs`.
#[derive(Debug, Default)]
pub(super) struct GlobalDraft {
    pub(super) router_id: Option<String>,
    pub(super) script_user: Option<UserName>,
    pub(super) script_security: bool,
    pub(super) version: Option<i64>,
    pub(super) group4: Option<IpAddr>,
    pub(super) vmac_prefix: Option<String>,
    pub(super) group6: Option<IpAddr>,
    pub(super) default_interface: Option<Given<String>>,
    pub(super) down_timer_adverts: Option<i64>,
    pub(super) strict: Option<Given<bool>>,
    pub(super) garp: GarpDraft,
    pub(super) receive: ReceiveDraft,
    pub(super) checksum: ChecksumDraft,
    pub(super) guard: GuardMode,
    pub(super) running: Running,
    pub(super) nftables: Nftables,
    pub(super) dumps: Dumps,
    pub(super) data_use_instance: bool,
    pub(super) mail: MailDraft,
    /// `notify_fifo` and `vrrp_notify_fifo`.
    pub(super) fifos: [FifoDraft; 2],
    pub(super) fifo_states_on_reload: bool,
    pub(super) priority_changes: bool,
}

/// `checksum` and `v3_checksum_as_v2` of the node or of one instance.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChecksumDraft {
    pub(super) choice: Option<Given<Checksum>>,
    pub(super) as_v2: Option<Checksum>,
}

impl ChecksumDraft {
    /// What was asked for; our own keyword is the more precise one.
    pub(super) fn wish(&self) -> Option<Checksum> {
        self.choice.map(|given| given.value).or(self.as_v2)
    }
}

/// `datapath` and `tc_hook` of the node or of one instance.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReceiveDraft {
    pub(super) path: Option<ReceivePath>,
    pub(super) hook: Option<TcHook>,
}

/// The announcement settings of the node or of one instance.
#[derive(Debug, Default)]
pub(super) struct GarpDraft {
    pub(super) delay: Option<Interval>,
    pub(super) repeat: Option<i64>,
    pub(super) refresh: Option<Interval>,
    pub(super) refresh_repeat: Option<i64>,
    pub(super) lower_delay: Option<Interval>,
    pub(super) lower_repeat: Option<i64>,
    /// `vrrp_min_garp`.
    pub(super) minimal: bool,
    /// `vrrp_garp_interval`.
    pub(super) arp_gap: Interval,
    /// `vrrp_gna_interval`.
    pub(super) na_gap: Interval,
}

/// The `state` of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Master,
    Backup,
}

/// A `vrrp_instance`.
#[derive(Debug)]
pub(super) struct InstanceDraft {
    pub(super) name: String,
    /// Where its name stands.
    pub(super) span: Span,
    /// The keywords of its block, whether their values were taken or refused.
    pub(super) given: Vec<&'static str>,
    pub(super) state: Option<(State, Span)>,
    pub(super) interface: Option<Given<String>>,
    pub(super) vrid: Option<Given<i64>>,
    pub(super) priority: Option<Given<i64>>,
    pub(super) advertisement_interval: Option<Given<Interval>>,
    pub(super) version: Option<Given<i64>>,
    pub(super) preempt: Option<Given<bool>>,
    pub(super) preempt_delay: Option<Given<Interval>>,
    pub(super) receive: ReceiveDraft,
    pub(super) checksum: ChecksumDraft,
    pub(super) down_timer_adverts: Option<i64>,
    pub(super) strict: Option<Given<bool>>,
    /// `auth_type PASS`.
    pub(super) auth_type: Option<Span>,
    pub(super) password: Option<([u8; 8], Span)>,
    pub(super) addresses: Vec<(VirtualAddress, Span)>,
    /// Where each of them stands.
    pub(super) places: HashMap<IpAddr, Span>,
    /// `no_virtual_ipaddress`.
    pub(super) no_addresses: Option<Span>,
    /// `native_ipv6`.
    pub(super) native_ipv6: Option<Span>,
    /// `virtual_ipaddress_excluded`.
    pub(super) excluded: Vec<VirtualAddress>,
    pub(super) routing: Vec<RoutingDraft>,
    pub(super) virtual_mac: Option<VirtualMacDraft>,
    /// `accept` and `no_accept`.
    pub(super) accept: Option<bool>,
    /// `vmac_xmit_base`.
    pub(super) advertise_from_base: bool,
    /// An entry of `virtual_ipaddress` was refused, and that was reported.
    pub(super) address_refused: bool,
    pub(super) source: Option<Given<IpAddr>>,
    pub(super) unicast_keyword: Option<Span>,
    pub(super) peers: Vec<(UnicastPeer, Span)>,
    pub(super) peers_required: Option<Span>,
    /// `unicast_ttl`.
    pub(super) ttl: Option<Given<i64>>,
    /// `track_src_ip`.
    pub(super) tracks_source: Option<Span>,
    /// `dont_track_primary`.
    pub(super) ignores_link: bool,
    /// `accept_from`.
    pub(super) admitted: Vec<Network>,
    /// An entry of `accept_from` was refused, and that was reported.
    pub(super) admission_refused: bool,
    pub(super) group: Option<Given<IpAddr>>,
    pub(super) garp: GarpDraft,
    pub(super) tracks: Vec<TrackDraft>,
    pub(super) notify: NotifyDraft,
}

impl InstanceDraft {
    pub(super) fn new(name: String, span: Span) -> Self {
        Self {
            name,
            span,
            given: Vec::new(),
            state: None,
            interface: None,
            vrid: None,
            priority: None,
            advertisement_interval: None,
            version: None,
            preempt: None,
            preempt_delay: None,
            receive: ReceiveDraft::default(),
            checksum: ChecksumDraft::default(),
            down_timer_adverts: None,
            strict: None,
            auth_type: None,
            password: None,
            addresses: Vec::new(),
            places: HashMap::new(),
            no_addresses: None,
            native_ipv6: None,
            excluded: Vec::new(),
            routing: Vec::new(),
            virtual_mac: None,
            accept: None,
            advertise_from_base: false,
            address_refused: false,
            source: None,
            unicast_keyword: None,
            peers: Vec::new(),
            peers_required: None,
            ttl: None,
            tracks_source: None,
            ignores_link: false,
            admitted: Vec::new(),
            admission_refused: false,
            group: None,
            garp: GarpDraft::default(),
            tracks: Vec::new(),
            notify: NotifyDraft::default(),
        }
    }
}

impl InstanceDraft {
    /// The base priority: 100, or 255 for a `state MASTER` that gives none, as in keepalived.
    pub(super) fn base_priority(&self) -> u8 {
        const DEFAULT: u8 = 100;
        match (self.priority, self.state) {
            // The range fits.
            (Some(given), _) => given.value as u8,
            (None, Some((State::Master, _))) => OWNER,
            (None, _) => DEFAULT,
        }
    }
}

/// The priority of the owner of the addresses (RFC 9568 §5.2.4).
pub(super) const OWNER: u8 = 255;

/// `use_vmac [NAME] [MAC]`.
#[derive(Debug)]
pub(super) struct VirtualMacDraft {
    pub(super) span: Span,
    pub(super) interface: Option<String>,
    pub(super) mac: Option<[u8; 6]>,
}

/// The options of a virtual address.
#[derive(Debug, Default)]
pub(super) struct AddressDraft {
    pub(super) device: Option<String>,
    pub(super) broadcast: Option<(Broadcast, Span)>,
    pub(super) scope: Option<(u8, Span)>,
    pub(super) label: Option<(String, Span)>,
    pub(super) detect_duplicates: bool,
}

/// A broadcast address, or how to compute it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Broadcast {
    Address(Ipv4Addr),
    /// All host bits one.
    Ones,
    /// All host bits zero.
    Zeros,
}

/// A `vrrp_script`.
#[derive(Debug)]
pub(super) struct ScriptDraft {
    pub(super) name: String,
    /// Where its name stands.
    pub(super) span: Span,
    /// Where its command stands, from its first word to its last.
    pub(super) command: Option<Span>,
    pub(super) interval: Option<Interval>,
    pub(super) timeout: Option<Interval>,
    pub(super) weight: i32,
    pub(super) reverse: bool,
    pub(super) rise: Option<i64>,
    pub(super) fall: Option<i64>,
    pub(super) init_fail: bool,
    pub(super) user: Option<UserName>,
}

impl ScriptDraft {
    pub(super) fn new(name: String, span: Span) -> Self {
        Self {
            name,
            span,
            command: None,
            interval: None,
            timeout: None,
            weight: 0,
            reverse: false,
            rise: None,
            fall: None,
            init_fail: false,
            user: None,
        }
    }
}

/// `USER [GROUP]`, for `user` and `script_user`.
#[derive(Clone, Debug)]
pub(super) struct UserName {
    pub(super) user: String,
    pub(super) group: Option<String>,
    pub(super) span: Span,
}
