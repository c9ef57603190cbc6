//! Settings and states as text: the lines of keepalived's that programs look for, in its form.

use std::fmt::{Result, Write as _};

use super::{Source, words};
use crate::{
    config::model::{CheckKind, Instance, Script},
    status::RouterStatus,
};

/// The file.
pub(super) fn text(source: Source<'_>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, source);
    text
}

fn write(text: &mut String, source: Source<'_>) -> Result {
    writeln!(text, "------< Global definitions >------")?;
    writeln!(text, " Router ID = {}", source.status.router_id)?;
    writeln!(text, "------< VRRP Topology >------")?;
    for (instance, router) in source.routers() {
        identity(text, instance, router)?;
        pace(text, instance, router)?;
        addresses(text, instance, router)?;
        tracked(text, source, instance)?;
    }
    groups(text, source)?;
    scripts(text, source)
}

fn identity(text: &mut String, instance: &Instance, router: &RouterStatus) -> Result {
    let (_, state) = words::state(router);
    writeln!(text, " VRRP Instance = {}", instance.name)?;
    writeln!(text, "   VRRP Version = {}", router.version)?;
    if let Some(group) = &router.group {
        writeln!(text, "   Sync group = {group}")?;
    }
    writeln!(text, "   State = {state}")?;
    writeln!(text, "   Wantstate = {state}")?;
    writeln!(text, "   Last transition = {:.6}", words::last_transition(router))?;
    let below = instance.virtual_mac.as_ref();
    let below = below.map_or_else(String::new, |_| format!(", vmac on {}", instance.interface));
    writeln!(text, "   Interface = {}{below}", words::interface(instance))?;
    if instance.peers.is_empty() {
        writeln!(text, "   Multicast address {}", instance.group)?;
    }
    writeln!(text, "   Virtual Router ID = {}", instance.vrid)?;
    writeln!(text, "   Priority = {}", router.priority.base)?;
    writeln!(text, "   Effective priority = {}", router.priority.effective)
}

fn pace(text: &mut String, instance: &Instance, router: &RouterStatus) -> Result {
    let announce = &instance.announce;
    writeln!(text, "   Master down timer = {:.0} usecs", router.timers.active_down_interval_ms * 1000.0)?;
    writeln!(text, "   Gratuitous ARP delay = {}", words::seconds(announce.delay))?;
    writeln!(text, "   Gratuitous ARP repeat = {}", announce.repeat)?;
    writeln!(text, "   Gratuitous ARP refresh = {}", words::seconds(announce.refresh))?;
    writeln!(text, "   Gratuitous ARP refresh repeat = {}", announce.refresh_repeat)?;
    let lower = words::seconds(announce.lower_priority_delay);
    writeln!(text, "   Gratuitous ARP lower priority delay = {lower}")?;
    writeln!(text, "   Gratuitous ARP lower priority repeat = {}", announce.lower_priority_repeat)?;
    writeln!(text, "   Down timer adverts = {}", instance.down_timer_adverts)?;
    writeln!(text, "   Advert interval = {} sec", words::seconds(instance.advertisement_interval))?;
    writeln!(text, "   Preempt = {}", if instance.preempt { "enabled" } else { "disabled" })?;
    let authentication = if instance.password.is_some() { "SIMPLE_PASSWORD" } else { "none" };
    writeln!(text, "   Authentication type = {authentication}")
}

fn addresses(text: &mut String, instance: &Instance, router: &RouterStatus) -> Result {
    let [advertised, excluded] = words::addresses(instance, router);
    writeln!(text, "   Virtual IP ({}):", advertised.len())?;
    list(text, &advertised)?;
    if !excluded.is_empty() {
        writeln!(text, "   Virtual IP Excluded :")?;
        list(text, &excluded)?;
    }
    if !instance.peers.is_empty() {
        writeln!(text, "   Unicast Peer :")?;
    }
    instance.peers.iter().try_for_each(|peer| {
        writeln!(text, "     {} min_ttl {} max_ttl {}", peer.address, peer.min_ttl, peer.max_ttl)
    })
}

fn list(text: &mut String, lines: &[String]) -> Result {
    lines.iter().try_for_each(|line| writeln!(text, "     {line}"))
}

fn tracked(text: &mut String, source: Source<'_>, instance: &Instance) -> Result {
    for (title, kind) in [
        ("Tracked interfaces", CheckKind::Interface),
        ("Tracked scripts", CheckKind::Script),
        ("Tracked files", CheckKind::File),
        ("Tracked processes", CheckKind::Process),
    ] {
        let mut tracked = words::tracked(source.configuration, instance, kind).peekable();
        if tracked.peek().is_some() {
            writeln!(text, "   {title} :")?;
        }
        for (check, track) in tracked {
            let reverse = if track.reverse { " reverse" } else { "" };
            writeln!(text, "     {} weight {}{reverse}", check.name(), track.weight)?;
        }
    }
    Ok(())
}

fn groups(text: &mut String, source: Source<'_>) -> Result {
    let groups = &source.configuration.groups;
    if !groups.is_empty() {
        writeln!(text, "------< VRRP Sync groups >------")?;
    }
    for group in groups {
        let is_member = |(_, router): &(_, &RouterStatus)| router.group.as_ref() == Some(&group.name);
        let members: Vec<_> = source.routers().filter(is_member).collect();
        let mut states = members.iter().map(|(_, router)| words::state(router).1);
        let state = states.next().unwrap_or("INIT");
        // On their way from one state to another they have none together.
        let state = if states.all(|other| other == state) { state } else { "INIT" };
        writeln!(text, " VRRP Sync Group = {}, {state}", group.name)?;
        writeln!(text, "   VRRP member instances :")?;
        for (instance, _) in members {
            writeln!(text, "     {}", instance.name)?;
        }
    }
    Ok(())
}

fn scripts(text: &mut String, source: Source<'_>) -> Result {
    if source.configuration.scripts().next().is_some() {
        writeln!(text, "------< VRRP Scripts >------")?;
    }
    source.configuration.scripts().try_for_each(|one| script(text, source, one))
}

fn script(text: &mut String, source: Source<'_>, script: &Script) -> Result {
    let checks = source.status.routers.iter().flat_map(|router| &router.priority.checks);
    let health = checks.filter(|check| (&*check.kind, &check.name) == ("script", &script.name));
    let status = match health.map(|check| check.health.as_str()).next() {
        Some("healthy") => "GOOD",
        // A check without a result is no good one.
        _ => "BAD",
    };
    writeln!(text, " VRRP Script = {}", script.name)?;
    writeln!(text, "   Command = {}", words::command(&script.command))?;
    writeln!(text, "   Interval = {} sec", words::seconds(script.interval))?;
    writeln!(text, "   Timeout = {} sec", words::seconds(script.timeout))?;
    writeln!(text, "   Rise = {}", script.rise)?;
    writeln!(text, "   Fall = {}", script.fall)?;
    writeln!(text, "   Status = {status}")?;
    writeln!(text, "   Script uid:gid = {}:{}", script.user.uid, script.user.gid)?;
    writeln!(text, "   State = {}", if source.running.contains(&script.name) { "running" } else { "idle" })
}
