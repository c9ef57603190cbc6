//! Advice: what works as it is written and could be better. Nothing here keeps a node from running.

mod shell;

use std::path::Path;

use vrrp_common::{
    election::{OWNER, active_down_interval},
    time::Interval,
    wire::Version,
};

use super::{
    Loaded,
    diagnostics::{Diagnostic, hint},
    host::Host,
    model::{Configuration, Instance, ReceivePath, Script},
    source::{Sources, Span},
    statement::Statement,
    values::{decimal, quote},
};

/// All advice for a configuration that can be used, in the file's order.
pub(super) fn hints(loaded: &Loaded, host: &dyn Host) -> Vec<Diagnostic> {
    let Some(configuration) = &loaded.configuration else { return Vec::new() };
    let mut hints = Vec::new();
    for statement in &loaded.statements {
        let name = statement.arguments.first().map(|word| word.text().into_owned()).unwrap_or_default();
        match statement.keyword.bytes.as_slice() {
            b"vrrp_instance" => {
                let instance = configuration.instances.iter().find(|instance| instance.name == name);
                let all = |instance| of_instance(instance, statement, &loaded.sources);
                hints.extend(instance.into_iter().flat_map(all));
            }
            b"vrrp_script" => {
                let script = configuration.scripts().find(|script| script.name == name);
                hints.extend(script.into_iter().flat_map(|script| of_script(script, statement, host)));
            }
            _ => {}
        }
    }
    hints.extend(firewall(configuration, host));
    hints
}

fn of_instance(instance: &Instance, statement: &Statement, sources: &Sources) -> Vec<Diagnostic> {
    [
        slow(instance, statement),
        common_number(instance, statement),
        owner(instance, statement),
        no_address(instance, statement),
        cut_password(instance, statement, sources),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Version 2 counts whole seconds, so three missed advertisements are more than three seconds.
fn slow(instance: &Instance, statement: &Statement) -> Option<Diagnostic> {
    if instance.version != Version::V2 {
        return None;
    }
    const FASTER: Interval = Interval::from_millis(100);
    let takes = |version, interval| {
        rounded(active_down_interval(version, instance.priority, interval, instance.down_timer_adverts))
    };
    let now = takes(Version::V2, instance.advertisement_interval);
    let then = takes(Version::V3, FASTER);
    let interval = decimal(instance.advertisement_interval);
    let message = format!("`advert_int {interval}` with version 2: failover takes {now} s");
    let without = if instance.password.is_some() { "; it has no password" } else { "" };
    let help = format!("version 3 with `advert_int 0.1` on all routers takes {then} s{without}");
    Some(hint(place(statement, "advert_int"), message).help(help))
}

/// Two digits that matter.
fn rounded(span: Interval) -> String {
    let seconds = span.as_nanos() as f64 / 1e9;
    if seconds < 1.0 { format!("{seconds:.2}") } else { format!("{seconds:.1}") }
}

fn common_number(instance: &Instance, statement: &Statement) -> Option<Diagnostic> {
    const EVERYONES: u8 = 51;
    let common = hint(place(statement, "virtual_router_id"), "VRID 51 is everyone's: most examples have it")
        .help("a second cluster on this network may have it too; choose a number of your own on all routers");
    (instance.vrid == EVERYONES).then_some(common)
}

fn owner(instance: &Instance, statement: &Statement) -> Option<Diagnostic> {
    let owner = hint(place(statement, "priority"), "priority 255 means that this host owns the address")
        .help("no check lowers it, and two such hosts are two owners; 254 is the highest for everybody else");
    (instance.priority == OWNER).then_some(owner)
}

/// What this router says is for its like alone, and the address is left to somebody else.
fn no_address(instance: &Instance, statement: &Statement) -> Option<Diagnostic> {
    let message = "advertisements without an address count only for routers that have none either";
    let help = "others have to ignore them (RFC 9568 §5.2.5), and become Active too; use xvrrp, keepalived 2.2.8 or \
                later, or version 2 on all routers, and let a `notify` program move the address";
    let place = place(statement, "no_virtual_ipaddress");
    instance.addresses.is_empty().then(|| hint(place, message).help(help))
}

/// A comment begins within the word that is the password, as in keepalived, and may be meant as a part of it.
fn cut_password(instance: &Instance, statement: &Statement, sources: &Sources) -> Option<Diagnostic> {
    instance.password?;
    let word = last(last(statement, "authentication")?, "auth_pass")?.arguments.first()?.span;
    let sign = Span { start: word.end, end: word.end + 1, ..word };
    let quoted = sources.slice(word).starts_with(b"\"");
    let cut = !quoted && matches!(sources.slice(sign), b"#" | b"!");
    let help = "if it is part of the password, write that in double quotes, on all routers at once: the others use \
                what is before it";
    cut.then(|| hint(sign, "a comment begins within the password, as for keepalived").help(help))
}

fn of_script(script: &Script, statement: &Statement, host: &dyn Host) -> Vec<Diagnostic> {
    let place = place(statement, "script");
    [process(script, place), stops_the_daemon(script, place, host)].into_iter().flatten().collect()
}

/// Commands that only look whether a process runs.
fn process(script: &Script, place: Span) -> Option<Diagnostic> {
    let line = line(script);
    let name = shell::watched(&line)?;
    let can = hint(place, format!("{} can be track_process", quote(&line)));
    let help = format!("vrrp_track_process {name} {{ process {name} }} starts no program to look");
    Some(can.help(help))
}

/// What a script runs, as one would type it.
fn line(script: &Script) -> String {
    match script.command.as_slice() {
        [shell, option, line] if shell == "/bin/sh" && option == "-c" => line.clone(),
        words => words.join(" "),
    }
}

/// Who stops the daemon because a check failed also loses everything else that it does.
fn stops_the_daemon(script: &Script, place: Span, host: &dyn Host) -> Option<Diagnostic> {
    let files = script.command.iter().filter(|word| word.starts_with('/'));
    let stops = shell::stop(&line(script))
        .or_else(|| {
            script.command.iter().filter(|word| word.contains(' ')).find_map(|word| shell::stop(word))
        })
        .or_else(|| {
            files.filter_map(|file| host.text(Path::new(file))).find_map(|text| shell::stop(&text))
        })?;
    let stops = hint(place, format!("this check script stops keepalived: {}", quote(&stops)));
    Some(stops.help("use `xvrrp step-down`, or let it exit with 1: the router then gives up by itself"))
}

/// The programs of the kernel see a packet before any firewall does.
fn firewall(configuration: &Configuration, host: &dyn Host) -> Option<Diagnostic> {
    let only_sockets =
        configuration.instances.iter().all(|instance| instance.receive.path == ReceivePath::Socket);
    let rule = (!only_sockets).then(|| host.firewall_rule())??;
    let message = format!("an nft rule on protocol 112 does not bind the kernel path: {}", quote(&rule));
    Some(
        hint(None, message)
            .help("advertisements are judged before the firewall; `accept_from` names who may send"),
    )
}

/// Where a keyword's value stands in a block; the block's name if it is not given.
fn place(block: &Statement, keyword: &str) -> Span {
    let statement = last(block, keyword).unwrap_or(block);
    statement.arguments.first().map_or(statement.keyword.span, |word| word.span)
}

/// The statement that counts of those with this keyword.
fn last<'b>(block: &'b Statement, keyword: &str) -> Option<&'b Statement> {
    block.body.iter().rfind(|statement| statement.keyword.text() == keyword)
}
