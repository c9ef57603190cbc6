//! Keywords of `global_defs` that touch VRRP. The others are in `process`.

use std::net::IpAddr;

use vrrp_common::wire::Family;

use super::{
    Grammar::{Interface, Line, Name, Number, Seconds, Switch, Word as OneWord},
    Keyword, Table, checksum, dumps, guard, mail, nftables, notify, process, receive, running,
    script::user_name,
};
use crate::config::{
    context::Context,
    diagnostics::error,
    draft::GlobalDraft,
    lexer::Word,
    statement::Statement,
    values::{self, family_of},
};

/// All of `global_defs`.
pub(in crate::config) static GLOBAL: Table<GlobalDraft> = Table {
    block: "global_defs",
    sections: &[
        WORKS,
        running::RUNNING,
        GARP,
        VRRP,
        nftables::NFTABLES,
        notify::FIFOS,
        dumps::DUMPS,
        mail::MAIL,
        process::PROCESS,
        process::REPORTING,
        process::OTHERS,
    ],
};

type Row = Keyword<GlobalDraft>;

const WORKS: &[Row] = &[
    Row::works(
        "router_id",
        "the host name",
        Name(|globals, name| globals.router_id = Some(name.value)),
        "how this node calls itself in logs and status",
    ),
    Row::works(
        "script_user",
        "keepalived_script if there is such a user, else root",
        Line("USER [GROUP]", set_script_user),
        "the user, and the group, that scripts run as",
    ),
    Row::works(
        "enable_script_security",
        "off",
        Switch(|globals, on| globals.script_security = on.value),
        "refuse scripts that run as root and that others can change",
    ),
    Row::works(
        "vrrp_version",
        "2, or 3 where the addresses are IPv6",
        Number(2..=3, |globals, version| globals.version = Some(version.value)),
        "the protocol version, 2 or 3; all routers of a virtual router must use the same",
    ),
    Row::works(
        "vrrp_mcast_group4",
        "224.0.0.18",
        OneWord("an IPv4 group", set_group4),
        "the group that IPv4 advertisements are sent to",
    ),
    Row::works(
        "vrrp_mcast_group6",
        "ff02::12",
        OneWord("an IPv6 group", set_group6),
        "the group that IPv6 advertisements are sent to",
    ),
    Row::works(
        "default_interface",
        "",
        Interface(|globals, name| globals.default_interface = Some(name)),
        "the interface of instances that name none",
    ),
    Row::works(
        "vrrp_down_timer_adverts",
        "3",
        Number(1..=100, |globals, count| globals.down_timer_adverts = Some(count.value)),
        "how many missed advertisements make a takeover, 1 to 100; the same on all routers",
    ),
    Row::works(
        "datapath",
        "auto",
        OneWord(receive::PATHS, |globals, word, context| {
            receive::set_path(&mut globals.receive, word, context);
        }),
        receive::PATH_DOC,
    ),
    Row::works(
        "tc_hook",
        receive::HOOK_DEFAULT,
        OneWord(receive::HOOKS, |globals, word, context| {
            receive::set_hook(&mut globals.receive, word, context);
        }),
        receive::HOOK_DOC,
    ),
    Row::works(
        "guard",
        "auto",
        OneWord(guard::MODES, |globals, word, context| guard::set(&mut globals.guard, word, context)),
        guard::DOC,
    ),
    Row::works(
        "checksum",
        "auto",
        OneWord(checksum::CHOICES, |globals, word, context| {
            checksum::set(&mut globals.checksum, word, context);
        }),
        checksum::DOC,
    ),
    Row::works(
        "v3_checksum_as_v2",
        "off",
        Switch(|globals, on| checksum::set_as_v2(&mut globals.checksum, on)),
        checksum::AS_V2_DOC,
    ),
    Row::works(
        "vrrp_strict",
        "off",
        Switch(|globals, on| globals.strict = Some(on)),
        "keep to the letter of the protocol",
    ),
];

const GARP: &[Row] = &[
    Row::works(
        "vrrp_garp_master_delay",
        "5",
        Seconds(0..=4_294_000, |globals, delay| globals.garp.delay = Some(delay.value)),
        "seconds from the first burst of announcements to the second, 0 for no second one",
    ),
    Row::works(
        "vrrp_garp_master_repeat",
        "5",
        Number(1..=1000, |globals, count| globals.garp.repeat = Some(count.value)),
        "announcements for each address in a burst",
    ),
    Row::works(
        "vrrp_garp_master_refresh",
        "0",
        Seconds(0..=4_294_000, |globals, period| globals.garp.refresh = Some(period.value)),
        "seconds between announcements while Active, 0 for none",
    ),
    Row::works(
        "vrrp_garp_master_refresh_repeat",
        "1",
        Number(1..=1000, |globals, count| globals.garp.refresh_repeat = Some(count.value)),
        "announcements for each address in a refresh",
    ),
    Row::works(
        "vrrp_garp_lower_prio_delay",
        "vrrp_garp_master_delay",
        Seconds(0..=4_294_000, |globals, delay| globals.garp.lower_delay = Some(delay.value)),
        "like vrrp_garp_master_delay, after a losing advertisement was heard",
    ),
    Row::works(
        "vrrp_garp_lower_prio_repeat",
        "vrrp_garp_master_repeat",
        Number(0..=1000, |globals, count| globals.garp.lower_repeat = Some(count.value)),
        "like vrrp_garp_master_repeat, after a losing advertisement was heard",
    ),
    Row::works(
        "vrrp_min_garp",
        "off",
        Switch(|globals, on| globals.garp.minimal = on.value),
        "one burst of one announcement for each address",
    ),
    Row::works(
        "vrrp_garp_interval",
        "0",
        Seconds(0..=4_294_000, |globals, gap| globals.garp.arp_gap = gap.value),
        "seconds between two announcements of IPv4 addresses on one interface, whose routers take turns",
    ),
    Row::works(
        "vrrp_gna_interval",
        "0",
        Seconds(0..=4_294_000, |globals, gap| globals.garp.na_gap = gap.value),
        "seconds between two announcements of IPv6 addresses on one interface",
    ),
    Row::accepted("vrrp_garp_extra_if", "announcements on more interfaces of a virtual MAC", ONE_HOME),
    Row::accepted("vrrp_vmac_garp_intvl", "old name of vrrp_garp_extra_if", ONE_HOME),
];

const ONE_HOME: &str = "announcements leave by the interface that has the address";
const IGMP: &str = "groups are joined on the interface itself, not on that of a virtual MAC address";
const CHECKED: &str = "unicast sources are always checked here";

const VRRP: &[Row] = &[
    Row::accepted(
        "dynamic_interfaces",
        "interfaces may appear later",
        "they always may: a router whose interface is missing waits in Fault until it appears",
    ),
    Row::accepted("vrrp_check_unicast_src", "drop advertisements of strangers", CHECKED),
    Row::accepted(
        "vrrp_skip_check_adv_addr",
        "do not compare address lists",
        "it is always on: an address list that differs is counted, logged and accepted",
    ),
    Row::accepted(
        "vrrp_lower_prio_no_advert",
        "do not answer losing advertisements",
        "a losing advertisement is answered, at most once in half an interval",
    ),
    Row::accepted(
        "vrrp_higher_prio_send_advert",
        "advertise once more before yielding",
        "the winner announces its addresses itself",
    ),
    Row::accepted("log_unknown_vrids", "log advertisements of other virtual routers", "they are counted"),
    Row::accepted("disable_local_igmp", "no IGMP from below virtual MAC interfaces", IGMP),
    Row::works(
        "vmac_prefix",
        "vrrp",
        Interface(|globals, name| globals.vmac_prefix = Some(name.value)),
        "what the names begin with of macvlans that carry virtual MAC addresses",
    ),
    Row::refused(
        "vmac_addr_prefix",
        "virtual MAC addresses would begin in another way",
        "give each virtual router its MAC address: `use_vmac NAME MAC`, the same on all routers",
    ),
    Row::refused(
        "vrrp_owner_ignore_adverts",
        "an owner would hear nobody",
        "remove it: with priority 255 on two hosts it makes two owners",
    ),
];

fn set_script_user(globals: &mut GlobalDraft, statement: &Statement, context: &mut Context<'_>) {
    globals.script_user = user_name(statement, context);
}

fn set_group4(globals: &mut GlobalDraft, word: &Word, context: &mut Context<'_>) {
    globals.group4 = group(word, Family::V4, context).or(globals.group4);
}

fn set_group6(globals: &mut GlobalDraft, word: &Word, context: &mut Context<'_>) {
    globals.group6 = group(word, Family::V6, context).or(globals.group6);
}

fn group(word: &Word, family: Family, context: &mut Context<'_>) -> Option<IpAddr> {
    let group = context.ok(values::group(word), values::GROUPS)?;
    if family_of(group) != family {
        let wrong = error(word.span, format!("{group} is of the wrong address family"));
        context.push(wrong.help("vrrp_mcast_group4 is for IPv4, vrrp_mcast_group6 for IPv6"));
    }
    Some(group)
}
