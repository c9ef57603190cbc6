//! Virtual routers: defaults, and what their settings mean together.

use std::collections::HashMap;

use vrrp_common::{
    time::Interval,
    wire::{ChecksumForm, Family, Version},
};

use super::{
    announce::announce, checks::Checks, count, family, group, notify::notify, routing, standing::Standing,
    tracks::tracks, transport, vmac,
};
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{Draft, GlobalDraft, GroupDraft, InstanceDraft, OWNER},
    model::{Accept, Checksum, Instance, Receive},
    values::{family_name, quote},
};

/// All virtual routers that can be told from their drafts; what is missing is reported.
pub(super) fn finish_all(draft: &Draft, checks: &Checks<'_>, context: &mut Context<'_>) -> Vec<Instance> {
    let groups = group::memberships(draft, context);
    let mut used = HashMap::new();
    let mut finished = Vec::new();
    for instance in &draft.instances {
        let before = context.errors();
        let group = groups.get(&*instance.name).copied();
        let ready = finish(instance, group, &draft.globals, checks, context);
        context.blame(instance.span, before);
        let Some(ready) = ready else { continue };
        let key = (ready.interface.clone(), ready.family, ready.vrid);
        let place = instance.vrid.map_or(instance.span, |vrid| vrid.span);
        if let Some(other) = used.insert(key, place) {
            let family = family_name(ready.family);
            let (vrid, interface) = (ready.vrid, quote(&ready.interface));
            let message = format!("virtual_router_id {vrid} is used twice for {family} on {interface}");
            let before = context.errors();
            context
                .push(error(place, message).related(other, "the other one").help("give each its own number"));
            context.blame(instance.span, before);
        }
        if !context.is_refused(instance.span) {
            finished.push(ready);
        }
    }
    vmac::tell_apart(&draft.instances, &mut finished, context);
    finished
}

fn finish(
    draft: &InstanceDraft,
    group: Option<&GroupDraft>,
    globals: &GlobalDraft,
    checks: &Checks<'_>,
    context: &mut Context<'_>,
) -> Option<Instance> {
    let interface = interface(draft, globals, context);
    let vrid = vrid(draft, context);
    let family = family::family(draft, context);
    let tracks = tracks(draft, group, interface.as_deref(), checks, context);
    let standing = Standing::of(draft, globals, context);
    let (interface, vrid, family) = (interface?, vrid?, family?);
    let version = version(draft, globals, family, context);
    Some(Instance {
        name: draft.name.clone(),
        interface,
        vrid,
        version,
        family,
        priority: standing.priority,
        advertisement_interval: advertisement_interval(draft, version, context),
        down_timer_adverts: count(draft.down_timer_adverts.or(globals.down_timer_adverts), 3),
        preempt: standing.preempt,
        preempt_delay: standing.preempt_delay,
        password: password(draft, version, standing.strict, context),
        addresses: draft.addresses.iter().map(|(address, _)| address.clone()).collect(),
        excluded: draft.excluded.clone(),
        routing: routing(&draft.routing),
        accept: accept(draft, &standing),
        virtual_mac: vmac::virtual_mac(draft, globals, family, vrid, context),
        source: transport::source(draft, family, context),
        group: transport::group(draft, globals, family, context),
        peers: transport::peers(draft, family, context),
        ttl: transport::ttl(draft, context),
        tracks_source: transport::tracks_source(draft, context),
        tracks_link: !draft.ignores_link,
        strict: standing.strict,
        accept_from: transport::accept_from(draft, family, context),
        receive: Receive {
            path: draft.receive.path.or(globals.receive.path).unwrap_or_default(),
            hook: draft.receive.hook.or(globals.receive.hook),
        },
        checksum: checksum(draft, globals, version, family, context),
        announce: announce(draft, globals, standing.strict),
        tracks,
        notify: notify(&draft.notify, globals, context),
    })
}

/// As in keepalived: they are accepted, unless the mode is strict (where the RFC's default holds).
fn accept(draft: &InstanceDraft, standing: &Standing) -> Accept {
    match draft.accept {
        _ if standing.priority == OWNER => Accept::Yes,
        Some(false) => Accept::No,
        None if standing.strict => Accept::NotIfStrict,
        _ => Accept::Yes,
    }
}

fn interface(draft: &InstanceDraft, globals: &GlobalDraft, context: &mut Context<'_>) -> Option<String> {
    let given = draft.interface.as_ref().or(globals.default_interface.as_ref());
    let Some(given) = given else {
        missing(draft, "interface", "interface eth0", context);
        return None;
    };
    context.expect_interface(&given.value, given.span);
    Some(given.value.clone())
}

fn vrid(draft: &InstanceDraft, context: &mut Context<'_>) -> Option<u8> {
    if draft.vrid.is_none() {
        missing(draft, "virtual_router_id", "a number from 1 to 255, the same on all routers", context);
    }
    draft.vrid.map(|vrid| count(Some(vrid.value), 0))
}

/// Reports what is missing; not if it was given and refused, which was reported already.
fn missing(draft: &InstanceDraft, keyword: &str, help: &str, context: &mut Context<'_>) {
    if draft.given.contains(&keyword) {
        return;
    }
    let missing = error(draft.span, format!("{} has no `{keyword}`", quote(&draft.name)));
    context.missing(missing.help(help));
}

fn version(
    draft: &InstanceDraft,
    globals: &GlobalDraft,
    family: Family,
    context: &mut Context<'_>,
) -> Version {
    if family == Family::V6 {
        if let Some(version) = draft.version.filter(|version| version.value == 2) {
            let wrong = warning(version.span, "version 2 has no IPv6; version 3 is used");
            context.push(wrong.help("write `version 3`, or remove the line"));
        }
        return Version::V3;
    }
    match draft.version.map(|version| version.value).or(globals.version) {
        Some(3) => Version::V3,
        _ => Version::V2,
    }
}

fn advertisement_interval(draft: &InstanceDraft, version: Version, context: &mut Context<'_>) -> Interval {
    let Some(given) = draft.advertisement_interval else { return Interval::from_secs(1) };
    let (unit, most) = match version {
        Version::V2 => (Interval::from_secs(1), Interval::from_secs(255)),
        Version::V3 => (Interval::from_centiseconds(1), Interval::from_centiseconds(4095)),
    };
    // Half a unit and more counts as one, and nothing counts as none (2.2.7 does the same).
    let units = given.value.plus(unit.divided(2)).as_nanos() / unit.as_nanos();
    let used = unit.times(units.max(1)).min(most);
    if used != given.value {
        let number = version as u8;
        let message = format!("version {number} cannot advertise every {}; {used} is used", given.value);
        let help = match version {
            Version::V2 => "version 2 counts whole seconds, up to 255; `version 3` counts hundredths",
            Version::V3 => "version 3 counts hundredths of a second, up to 40.95",
        };
        context.push(warning(given.span, message).help(help));
    }
    used
}

fn checksum(
    draft: &InstanceDraft,
    globals: &GlobalDraft,
    version: Version,
    family: Family,
    context: &mut Context<'_>,
) -> Checksum {
    if let (Some(given), Some(form)) = (draft.checksum.choice, ChecksumForm::only(version, family)) {
        let covered = match form {
            ChecksumForm::Message => "the message alone",
            ChecksumForm::Pseudo => "pseudo-header and message",
        };
        let (version, family) = (version as u8, family_name(family));
        let message = format!("the checksum of version {version} over {family} always covers {covered}");
        context.push(warning(given.span, message).help("`checksum` is for version 3 over IPv4"));
    }
    draft.checksum.wish().or_else(|| globals.checksum.wish()).unwrap_or_default()
}

const USELESS: &str = "remove the block; `accept_from` limits who is listened to";

fn password(
    draft: &InstanceDraft,
    version: Version,
    strict: bool,
    context: &mut Context<'_>,
) -> Option<[u8; 8]> {
    let unused = |span, why: &str| warning(span, format!("{why}; this is ignored, as in keepalived"));
    let place = draft.auth_type.or_else(|| draft.password.map(|(_, span)| span))?;
    let ignored = match (draft.auth_type, draft.password) {
        _ if version == Version::V3 => unused(place, "version 3 has no authentication").help(USELESS),
        _ if strict => unused(place, "strict mode has no authentication").help(USELESS),
        (Some(_), Some((password, _))) => return Some(password),
        (Some(_), None) => {
            unused(place, "there is no `auth_pass`").help("write the password, or remove the block")
        }
        (None, _) => unused(place, "there is no `auth_type`").help("write `auth_type PASS` if it is meant"),
    };
    context.push(ignored);
    None
}
