//! Keywords of `vrrp_instance`.

mod admit;
mod setters;
mod vmac;
mod without;

use super::{
    Grammar::{Block, Flag, Interface, Line, Number, Seconds, Secret, Switch, Values, Word},
    Keyword, Table, address, checksum, notify, receive, routing, tracking,
};
use crate::config::draft::{Given, InstanceDraft};

/// All of `vrrp_instance`.
pub(in crate::config) static INSTANCE: Table<InstanceDraft> = Table {
    block: "vrrp_instance",
    sections: &[
        ROUTER,
        ADDRESSES,
        TRANSPORT,
        VIRTUAL_MAC,
        GARP,
        tracking::Rows::<InstanceDraft>::TRACKERS,
        notify::Rows::<InstanceDraft>::TRANSITIONS,
        notify::INSTANCE_ONLY,
        without::NOT_YET,
        without::NO_EFFECT,
    ],
};

/// All of `authentication`.
pub(in crate::config) static AUTHENTICATION: Table<InstanceDraft> =
    Table { block: "authentication", sections: &[PASSWORD] };

type Row = Keyword<InstanceDraft>;

const ROUTER: &[Row] = &[
    Row::works(
        "state",
        "BACKUP, or MASTER with priority 255",
        Word("MASTER|BACKUP", setters::set_state),
        "MASTER or BACKUP; the priority decides who becomes Active",
    ),
    Row::works(
        "interface",
        "default_interface",
        Interface(|instance, name| instance.interface = Some(name)),
        "the interface that advertisements are sent and heard on",
    ),
    Row::works(
        "virtual_router_id",
        "",
        Number(1..=255, |instance, vrid| instance.vrid = Some(vrid)),
        "a number from 1 to 255 that the routers of one virtual router share",
    ),
    Row::works(
        "priority",
        "100",
        Number(1..=255, |instance, priority| instance.priority = Some(priority)),
        "1 to 254, the highest wins; 255 means that this host owns the addresses",
    ),
    Row::works(
        "advert_int",
        "1",
        Seconds(10..=255_000, |instance, interval| instance.advertisement_interval = Some(interval)),
        "seconds between advertisements: whole ones up to 255 in version 2, 0.01 to 40.95 in version 3",
    ),
    Row::works(
        "version",
        "vrrp_version",
        Number(2..=3, |instance, version| instance.version = Some(version)),
        "the protocol version, 2 or 3; all routers of a virtual router must use the same",
    ),
    Row::works(
        "preempt",
        "on",
        Flag(|instance, on| instance.preempt = Some(on)),
        "take over from an Active router of lower priority",
    ),
    Row::works(
        "nopreempt",
        "off",
        Flag(|instance, off| instance.preempt = Some(Given { value: false, ..off })),
        "leave an Active router of lower priority alone",
    ),
    Row::works(
        "preempt_delay",
        "0",
        Seconds(0..=1_000_000, |instance, delay| instance.preempt_delay = Some(delay)),
        "seconds to tolerate an Active router of lower priority, 0 to 1000",
    ),
    Row::works(
        "down_timer_adverts",
        "vrrp_down_timer_adverts",
        Number(1..=100, |instance, count| instance.down_timer_adverts = Some(count.value)),
        "how many missed advertisements make a takeover, 1 to 100; the same on all routers",
    ),
    Row::works(
        "strict_mode",
        "vrrp_strict",
        Switch(|instance, on| instance.strict = Some(on)),
        "keep to the letter of the protocol",
    ),
    Row::works(
        "authentication",
        "",
        Block(&AUTHENTICATION, setters::authentication),
        "the password of version 2",
    ),
];

const PASSWORD: &[Row] = &[
    Row::works("auth_type", "", Word("PASS", setters::set_auth_type), "PASS: a password in clear text"),
    Row::works(
        "auth_pass",
        "",
        Secret(setters::set_password),
        "the password, at most 8 bytes; the same on all routers",
    ),
];

const ADDRESSES: &[Row] = &[
    Row::works(
        "virtual_ipaddress",
        "",
        Values(address::ENTRY, address::add_address),
        "the addresses that the virtual router holds",
    ),
    Row::works(
        "virtual_ipaddress_excluded",
        "",
        Values(address::ENTRY, address::add_excluded),
        "addresses of either family that move with the others and are not advertised",
    ),
    Row::works(
        "no_virtual_ipaddress",
        "off",
        Flag(|instance, on| instance.no_addresses = Some(on.span)),
        "there need be no virtual_ipaddress; only routers that all have this hear advertisements without addresses",
    ),
    Row::works(
        "native_ipv6",
        "off",
        Flag(|instance, on| instance.native_ipv6 = Some(on.span)),
        "IPv6 without virtual_ipaddress, which otherwise says what family is used",
    ),
    Row::works(
        "virtual_routes",
        "",
        Values(routing::ROUTE, |instance, entry, context| {
            instance.routing.extend(routing::read_route(entry, context));
        }),
        "routes that stand while the virtual router is Active",
    ),
    Row::works(
        "virtual_rules",
        "",
        Values(routing::RULE, |instance, entry, context| {
            instance.routing.extend(routing::read_rule(entry, context));
        }),
        "rules that stand while the virtual router is Active",
    ),
];

const TRANSPORT: &[Row] = &[
    Row::works(
        "unicast_src_ip",
        "the interface's first address",
        Word("an address", setters::set_unicast_source),
        "the address to send unicast advertisements from",
    ),
    Row::works(
        "mcast_src_ip",
        "the interface's first address",
        Word("an address", setters::set_source),
        "the address to send advertisements from",
    ),
    Row::works(
        "mcast_dst_ip",
        "vrrp_mcast_group4 or vrrp_mcast_group6",
        Word("a group", setters::set_group),
        "the group that advertisements are sent to",
    ),
    Row::works(
        "unicast_peer",
        "",
        Values("ADDRESS [min_ttl N] [max_ttl N]", setters::add_peer),
        "the other routers, each by its address; without them advertisements are multicast",
    ),
    Row::works(
        "unicast_fault_no_peer",
        "off",
        Flag(|instance, on| instance.peers_required = Some(on.span)),
        "do not fall back to multicast when there are no peers",
    ),
    Row::works(
        "accept_from",
        "everybody",
        Values("NETWORK ...", admit::add_networks),
        "the networks that advertisements may come from, multicast ones too",
    ),
    Row::works(
        "datapath",
        "global_defs' datapath",
        Word(receive::PATHS, |instance, word, context| {
            receive::set_path(&mut instance.receive, word, context);
        }),
        receive::PATH_DOC,
    ),
    Row::works(
        "tc_hook",
        "global_defs' tc_hook",
        Word(receive::HOOKS, |instance, word, context| {
            receive::set_hook(&mut instance.receive, word, context);
        }),
        receive::HOOK_DOC,
    ),
    Row::works(
        "checksum",
        "global_defs' checksum",
        Word(checksum::CHOICES, |instance, word, context| {
            checksum::set(&mut instance.checksum, word, context);
        }),
        checksum::DOC,
    ),
    Row::works(
        "v3_checksum_as_v2",
        "global_defs' v3_checksum_as_v2",
        Switch(|instance, on| checksum::set_as_v2(&mut instance.checksum, on)),
        checksum::AS_V2_DOC,
    ),
    Row::works(
        "unicast_ttl",
        "255",
        Number(1..=255, |instance, ttl| instance.ttl = Some(ttl)),
        "the TTL of unicast advertisements, 1 to 255: how many routers they may pass",
    ),
    Row::works(
        "track_src_ip",
        "off",
        Flag(|instance, on| instance.tracks_source = Some(on.span)),
        "give up while the configured source address is not on this host",
    ),
    Row::works(
        "dont_track_primary",
        "off",
        Flag(|instance, _| instance.ignores_link = true),
        "go on while the link of the interface is down",
    ),
];

const VIRTUAL_MAC: &[Row] = &[
    Row::works(
        "accept",
        "on, but not in strict mode",
        Flag(|instance, _| instance.accept = Some(true)),
        "packets to the addresses are accepted",
    ),
    Row::works(
        "no_accept",
        "off, but not in strict mode",
        Flag(|instance, _| instance.accept = Some(false)),
        "packets to the addresses are dropped by rules of nft, all but neighbour discovery",
    ),
    Row::works(
        "use_vmac",
        "the interface's own MAC address",
        Line("[NAME] [MAC]", vmac::set_virtual_mac),
        "a MAC address for the virtual router, on a macvlan of this name (vrrp.VRID, vrrp6.VRID)",
    ),
    Row::works(
        "vmac_xmit_base",
        "off",
        Flag(|instance, _| instance.advertise_from_base = true),
        "with use_vmac: advertisements leave with the interface's own MAC address",
    ),
];

const GARP: &[Row] = &[
    Row::works(
        "garp_master_delay",
        "vrrp_garp_master_delay",
        Seconds(0..=4_294_000, |instance, delay| instance.garp.delay = Some(delay.value)),
        "seconds from the first burst of announcements to the second, 0 for no second one",
    ),
    Row::works(
        "garp_master_repeat",
        "vrrp_garp_master_repeat",
        Number(1..=1000, |instance, count| instance.garp.repeat = Some(count.value)),
        "announcements for each address in a burst",
    ),
    Row::works(
        "garp_master_refresh",
        "vrrp_garp_master_refresh",
        Seconds(0..=4_294_000, |instance, period| instance.garp.refresh = Some(period.value)),
        "seconds between announcements while Active, 0 for none",
    ),
    Row::works(
        "garp_master_refresh_repeat",
        "vrrp_garp_master_refresh_repeat",
        Number(1..=1000, |instance, count| instance.garp.refresh_repeat = Some(count.value)),
        "announcements for each address in a refresh",
    ),
    Row::works(
        "garp_lower_prio_delay",
        "vrrp_garp_lower_prio_delay",
        Seconds(0..=4_294_000, |instance, delay| instance.garp.lower_delay = Some(delay.value)),
        "like garp_master_delay, after a losing advertisement was heard",
    ),
    Row::works(
        "garp_lower_prio_repeat",
        "vrrp_garp_lower_prio_repeat",
        Number(0..=1000, |instance, count| instance.garp.lower_repeat = Some(count.value)),
        "like garp_master_repeat, after a losing advertisement was heard",
    ),
];
