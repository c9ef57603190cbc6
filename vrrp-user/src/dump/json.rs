//! Settings, states and counters as JSON, with keepalived's fields.

use serde::Serialize;
use serde_json::Number;

use super::{Source, statistics::Statistics, words};
use crate::{
    config::model::{Accept, Check, CheckKind, Configuration, Instance, TrackedProcess},
    status::{RouterStatus, Status},
};

#[derive(Serialize)]
struct Router<'s> {
    data: Data<'s>,
    stats: Statistics,
}

/// keepalived writes some switches as numbers.
#[derive(Serialize)]
struct Data<'s> {
    iname: &'s str,
    dont_track_primary: u8,
    /// These and `promote_secondaries` say what happens here, whatever the file says: see [`Fixed`].
    #[serde(flatten)]
    fixed: Fixed,
    strict_mode: u8,
    vmac_ifname: &'s str,
    ifp_ifname: String,
    /// The Active's priority, as far as another router is.
    master_priority: u8,
    last_transition: f64,
    garp_delay: Number,
    garp_refresh: Number,
    garp_rep: u32,
    garp_refresh_rep: u32,
    garp_lower_prio_delay: Number,
    garp_lower_prio_rep: u32,
    vrid: u8,
    base_priority: u8,
    effective_priority: u8,
    vipset: bool,
    adver_int: Number,
    master_adver_int: Number,
    accept: u8,
    nopreempt: bool,
    preempt_delay: Number,
    state: u8,
    wantstate: u8,
    version: u8,
    smtp_alert: bool,
    notify_deleted: bool,
    #[serde(flatten)]
    scripts: Scripts,
    #[serde(flatten)]
    lists: Lists<'s>,
    auth_type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_data: Option<&'static str>,
}

/// What is a choice with keepalived and always the same here, by what happens: an address list that differs is counted
/// and accepted, a losing advertisement is answered, nothing is sent before yielding, and the other addresses of a
/// network stay when a virtual one goes.
#[derive(Serialize)]
struct Fixed {
    skip_check_adv_addr: u8,
    lower_prio_no_advert: u8,
    higher_prio_send_advert: u8,
    promote_secondaries: bool,
}

const FIXED: Fixed = Fixed {
    skip_check_adv_addr: 1,
    lower_prio_no_advert: 0,
    higher_prio_send_advert: 0,
    promote_secondaries: true,
};

/// Those that have an entry.
#[derive(Serialize)]
struct Lists<'s> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vips: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evips: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vroutes: Vec<&'s str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vrules: Vec<&'s str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    track_ifp: Vec<&'s str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    track_script: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    track_process: Vec<&'s str>,
}

/// Those that are given.
#[derive(Serialize)]
struct Scripts {
    #[serde(skip_serializing_if = "Option::is_none")]
    script_backup: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_master: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_stop: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_deleted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_master_rx_lower_pri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<String>,
}

/// The second layout.
#[derive(Serialize)]
struct Everything<'s> {
    vrrp: Vec<Router<'s>>,
    track_process: Vec<Process<'s>>,
}

#[derive(Serialize)]
struct Process<'s> {
    process: &'s str,
    parameters: String,
    min_processes: u32,
    max_processes: u32,
    have_quorum: bool,
    terminate_delay: Number,
    fork_delay: Number,
    full_command: bool,
}

/// The file.
pub(super) fn text(source: Source<'_>, statistics: &[(&str, Statistics)]) -> String {
    let routers = source.routers().zip(statistics);
    let configuration = source.configuration;
    let routers: Vec<Router<'_>> = routers
        .map(|((instance, router), (_, stats))| Router {
            data: data(configuration, instance, router),
            stats: *stats,
        })
        .collect();
    let text = match configuration.dumps.json_version {
        1 => serde_json::to_string(&routers),
        _ => {
            let track_process = processes(configuration, source.status);
            serde_json::to_string(&Everything { vrrp: routers, track_process })
        }
    };
    // Names, numbers and lists of them: nothing that JSON has no form for.
    text.unwrap_or_default() + "\n"
}

fn data<'s>(configuration: &'s Configuration, instance: &'s Instance, router: &'s RouterStatus) -> Data<'s> {
    let announce = &instance.announce;
    let (state, _) = words::state(router);
    Data {
        iname: &instance.name,
        dont_track_primary: (!instance.tracks_link).into(),
        fixed: FIXED,
        strict_mode: instance.strict.into(),
        vmac_ifname: instance.virtual_mac.as_ref().map_or("", |own| &own.interface),
        ifp_ifname: words::interface(instance),
        master_priority: router
            .active
            .as_ref()
            .map_or(0, |peer| if peer.this_node { 0 } else { peer.priority }),
        last_transition: words::last_transition(router),
        garp_delay: words::seconds(announce.delay),
        garp_refresh: words::seconds(announce.refresh),
        garp_rep: announce.repeat,
        garp_refresh_rep: announce.refresh_repeat,
        garp_lower_prio_delay: words::seconds(announce.lower_priority_delay),
        garp_lower_prio_rep: announce.lower_priority_repeat,
        vrid: instance.vrid,
        base_priority: router.priority.base,
        effective_priority: router.priority.effective,
        vipset: router.addresses.iter().any(|address| address.held),
        adver_int: words::seconds(instance.advertisement_interval),
        master_adver_int: words::seconds_of(router.timers.active_adver_interval_ms),
        accept: (instance.accept == Accept::Yes).into(),
        nopreempt: !instance.preempt,
        preempt_delay: words::seconds(instance.preempt_delay),
        state,
        wantstate: state,
        version: router.version,
        smtp_alert: instance.notify.mail,
        notify_deleted: instance.notify.tells_deleted,
        scripts: scripts(instance),
        lists: lists(configuration, instance, router),
        auth_type: instance.password.is_some().into(),
        auth_data: instance.password.map(|_| "********"),
    }
}

fn lists<'s>(
    configuration: &'s Configuration,
    instance: &'s Instance,
    router: &'s RouterStatus,
) -> Lists<'s> {
    let [vips, evips] = words::addresses(instance, router);
    let (vrules, vroutes) =
        router.routing.iter().map(|entry| entry.entry.as_str()).partition(|entry| entry.starts_with("rule "));
    let names = |kind| words::tracked(configuration, instance, kind).map(|(check, _)| check.name()).collect();
    Lists {
        vips,
        evips,
        vroutes,
        vrules,
        track_ifp: names(CheckKind::Interface),
        track_script: commands(configuration, instance),
        track_process: names(CheckKind::Process),
    }
}

fn scripts(instance: &Instance) -> Scripts {
    let notify = &instance.notify;
    Scripts {
        script_backup: words::program(notify.backup.as_ref()),
        script_master: words::program(notify.active.as_ref()),
        script_fault: words::program(notify.fault.as_ref()),
        script_stop: words::program(notify.stop.as_ref()),
        script_deleted: words::program(notify.deleted.as_ref()),
        script_master_rx_lower_pri: words::program(notify.losing.as_ref()),
        script: words::program(notify.every.as_ref()),
    }
}

fn commands(configuration: &Configuration, instance: &Instance) -> Vec<String> {
    let tracked = words::tracked(configuration, instance, CheckKind::Script);
    let command = |check: &Check| match check {
        Check::Script(script) => Some(words::command(&script.command)),
        _ => None,
    };
    tracked.filter_map(|(check, _)| command(check)).collect()
}

fn processes<'s>(configuration: &'s Configuration, status: &Status) -> Vec<Process<'s>> {
    let tracked = |check: &'s Check| match check {
        Check::Process(tracked) => Some(process(tracked, status)),
        _ => None,
    };
    configuration.checks.iter().filter_map(tracked).collect()
}

fn process<'s>(tracked: &'s TrackedProcess, status: &Status) -> Process<'s> {
    let looks = status.routers.iter().flat_map(|router| &router.priority.checks);
    let healthy =
        |name: &str, kind: &str, health: &str| (name, kind, health) == (&tracked.name, "process", "healthy");
    Process {
        process: &tracked.program,
        parameters: tracked.parameters.join(" "),
        min_processes: tracked.quorum,
        max_processes: tracked.quorum_max,
        have_quorum: looks.into_iter().any(|check| healthy(&check.name, &check.kind, &check.health)),
        terminate_delay: words::seconds(tracked.terminate_delay),
        fork_delay: words::seconds(tracked.fork_delay),
        full_command: tracked.full_command,
    }
}
