//! The effective configuration as text, value by value. What it must be is in the tables.

use std::collections::BTreeMap;

use vrrp_user::config::model::{
    Check, Configuration, Instance, Mail, Nftables, Notify, Program, Routing, Script, TrackedFile,
    TrackedProcess, VirtualAddress,
};

/// Every effective value by its name.
pub(super) fn describe(configuration: &Configuration) -> BTreeMap<String, String> {
    let running = &configuration.running;
    let cpus: Vec<String> = running.cpus.iter().map(ToString::to_string).collect();
    let mut values = BTreeMap::from([
        ("router_id".to_owned(), configuration.router_id.clone()),
        ("start_delay".to_owned(), running.start_delay.to_string()),
        ("boot_delay".to_owned(), running.boot_delay.to_string()),
        ("realtime".to_owned(), or_none(running.realtime)),
        ("nice".to_owned(), or_none(running.nice)),
        ("cpus".to_owned(), cpus.join(" ")),
    ]);
    values.insert("net_namespace".to_owned(), or_none(configuration.net_namespace.as_ref()));
    let guard = configuration.guard;
    values.insert("guard".to_owned(), format!("{:?} {:?}", guard.mode, guard.hook));
    let mail = configuration.mail.as_ref().map(|mail| {
        let Mail { server, port, helo, timeout, from, to, faults } = mail;
        format!("{server}:{port} {helo} {from} {} {timeout} {faults}", to.join(","))
    });
    values.insert("mail".to_owned(), or_none(mail));
    let Nftables { table, priority, counters, by_index } = &configuration.nftables;
    let table = or_none(table.as_ref());
    values.insert("nftables".to_owned(), format!("{table} {priority} {counters} {by_index}"));
    let dumps = &configuration.dumps;
    let files = [&dumps.data, &dumps.statistics, &dumps.json].map(|path| path.display().to_string());
    values.insert("dumps".to_owned(), format!("{} {}", files.join(" "), dumps.json_version));
    let delays = configuration.link_delays.iter();
    let delays = delays.map(|delay| format!("{} {} {}", delay.interface, delay.down, delay.up));
    values.insert("link_delays".to_owned(), delays.collect::<Vec<_>>().join(", "));
    values.insert("static.interface".to_owned(), configuration.statics.interface.clone());
    values.insert("static.addresses".to_owned(), describe_addresses(&configuration.statics.addresses));
    values.insert("static.routing".to_owned(), describe_routing(&configuration.statics.routing));
    for instance in &configuration.instances {
        for (name, value) in describe_instance(instance, configuration) {
            values.insert(format!("{}.{name}", instance.name), value);
        }
    }
    for check in &configuration.checks {
        let described = match check {
            Check::Script(script) => describe_script(script),
            Check::File(file) => describe_file(file),
            Check::Process(process) => describe_process(process),
            Check::Interface(_) => vec![],
        };
        values.extend(described.into_iter().map(|(name, value)| (format!("{}.{name}", check.name()), value)));
    }
    for group in &configuration.groups {
        let members: Vec<&str> =
            group.members.iter().map(|index| &*configuration.instances[*index].name).collect();
        values.insert(format!("{}.members", group.name), members.join(" "));
        values.insert(format!("{}.notify", group.name), describe_notify(&group.notify));
    }
    let fifos = configuration.fifos.iter().map(|fifo| {
        let owner = fifo.owner.map(|owner| format!(" {}:{}", owner.uid, owner.gid)).unwrap_or_default();
        let reader = fifo.reader.as_ref().map(|reader| format!(" by {}", program(reader)));
        format!("{}{owner}{}", fifo.path.display(), reader.unwrap_or_default())
    });
    values.insert("fifos".into(), fifos.collect::<Vec<_>>().join(", "));
    values
}

fn program(program: &Program) -> String {
    format!("{} as {}:{}", program.command.join("|"), program.user.uid, program.user.gid)
}

fn describe_notify(notify: &Notify) -> String {
    let programs = [
        ("master", &notify.active),
        ("backup", &notify.backup),
        ("fault", &notify.fault),
        ("stop", &notify.stop),
        ("deleted", &notify.deleted),
        ("every", &notify.every),
        ("lower", &notify.losing),
    ];
    let mut said: Vec<String> =
        programs.iter().filter_map(|(name, it)| Some(format!("{name} {}", program(it.as_ref()?)))).collect();
    said.extend(notify.priority_changes.then(|| "priorities".to_owned()));
    said.extend((notify.tells_deleted && notify.deleted.is_none()).then(|| "deleted".to_owned()));
    said.join("; ")
}

fn describe_file(file: &TrackedFile) -> Vec<(&'static str, String)> {
    let init =
        file.init.map(|init| format!("{}{}", init.value, if init.overwrite { " overwrite" } else { "" }));
    vec![("path", file.path.clone()), ("init", or_none(init))]
}

fn describe_process(process: &TrackedProcess) -> Vec<(&'static str, String)> {
    let words = [std::slice::from_ref(&process.program), process.parameters.as_slice()].concat();
    let most = if process.quorum_max == u32::MAX { "any".into() } else { process.quorum_max.to_string() };
    vec![
        ("process", words.join("|")),
        ("matching", process.matching.map_or_else(|| "none".into(), |how| format!("{how:?}"))),
        ("full_command", process.full_command.to_string()),
        ("quorum", format!("{} to {most}", process.quorum)),
        ("delays", format!("{}, {}", process.fork_delay, process.terminate_delay)),
    ]
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".into(), |value| value.to_string())
}

fn describe_instance(instance: &Instance, configuration: &Configuration) -> Vec<(&'static str, String)> {
    let announce = &instance.announce;
    let peers =
        instance.peers.iter().map(|peer| format!("{} {}-{}", peer.address, peer.min_ttl, peer.max_ttl));
    let admitted = instance
        .accept_from
        .as_ref()
        .map(|networks| networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let tracks = instance.tracks.iter().map(|track| {
        let reverse = if track.reverse { " reverse" } else { "" };
        format!("{} weight {}{reverse}", configuration.checks[track.check].name(), track.weight)
    });
    vec![
        ("interface", instance.interface.clone()),
        ("vrid", instance.vrid.to_string()),
        ("version", format!("{:?}", instance.version)),
        ("family", format!("{:?}", instance.family)),
        ("priority", instance.priority.to_string()),
        ("advert_int", instance.advertisement_interval.to_string()),
        ("down_timer_adverts", instance.down_timer_adverts.to_string()),
        ("preempt", instance.preempt.to_string()),
        ("preempt_delay", instance.preempt_delay.to_string()),
        ("password", or_none(instance.password.map(|password| password.escape_ascii().to_string()))),
        ("addresses", describe_addresses(&instance.addresses)),
        ("excluded", describe_addresses(&instance.excluded)),
        ("routing", describe_routing(&instance.routing)),
        ("virtual_mac", describe_virtual_mac(instance)),
        ("accept", format!("{:?}", instance.accept)),
        ("ttl", instance.ttl.to_string()),
        ("tracks_source", instance.tracks_source.to_string()),
        ("tracks_link", instance.tracks_link.to_string()),
        ("source", or_none(instance.source)),
        ("group", instance.group.to_string()),
        ("datapath", format!("{:?} {:?}", instance.receive.path, instance.receive.hook)),
        ("accept_from", or_none(admitted)),
        ("checksum", format!("{:?}", instance.checksum)),
        ("peers", peers.collect::<Vec<_>>().join(", ")),
        ("delay", announce.delay.to_string()),
        ("repeat", announce.repeat.to_string()),
        ("refresh", announce.refresh.to_string()),
        ("refresh_repeat", announce.refresh_repeat.to_string()),
        ("lower_delay", announce.lower_priority_delay.to_string()),
        ("lower_repeat", announce.lower_priority_repeat.to_string()),
        ("arp_gap", announce.arp_gap.to_string()),
        ("na_gap", announce.na_gap.to_string()),
        ("tracks", tracks.collect::<Vec<_>>().join(", ")),
        ("notify", describe_notify(&instance.notify)),
        ("mail", instance.notify.mail.to_string()),
    ]
}

fn describe_addresses(addresses: &[VirtualAddress]) -> String {
    addresses.iter().map(describe_address).collect::<Vec<_>>().join(", ")
}

fn describe_address(address: &VirtualAddress) -> String {
    let mut text = format!("{}/{}", address.address, address.prefix);
    for (name, value) in [
        ("brd", address.broadcast.map(|broadcast| broadcast.to_string())),
        ("dev", address.device.clone()),
        ("scope", (address.scope != 0).then(|| address.scope.to_string())),
        ("label", address.label.clone()),
        ("dad", address.detect_duplicates.then(|| "on".into())),
    ] {
        text += &value.map_or_else(String::new, |value| format!(" {name} {value}"));
    }
    text
}

fn describe_virtual_mac(instance: &Instance) -> String {
    let Some(own) = &instance.virtual_mac else { return "none".into() };
    let mac = own.mac.map(|byte| format!("{byte:02x}")).join(":");
    let base = if own.advertise_from_base { ", advertised from the base" } else { "" };
    format!("{mac} on {}{base}", own.interface)
}

fn describe_routing(entries: &[Routing]) -> String {
    entries.iter().map(Routing::to_string).collect::<Vec<_>>().join(", ")
}

fn describe_script(script: &Script) -> Vec<(&'static str, String)> {
    vec![
        ("command", script.command.join("|")),
        ("interval", script.interval.to_string()),
        ("timeout", script.timeout.to_string()),
        ("rise", script.rise.to_string()),
        ("fall", script.fall.to_string()),
        ("init_fail", script.init_fail.to_string()),
        ("user", format!("{}:{}", script.user.uid, script.user.gid)),
    ]
}
