//! Statements to the effective configuration: defaults, and checks that need more than one statement.

mod announce;
mod checks;
mod command;
mod family;
mod group;
mod instance;
mod links;
mod mail;
mod notify;
mod standing;
mod tracks;
mod transport;
mod user;
mod vmac;

use std::collections::HashMap;

use super::{
    context::Context,
    diagnostics::{Report, error},
    draft::{Draft, RoutingDraft},
    host::Host,
    keywords::{ROOT, apply},
    model::{Configuration, Dumps, Guard, Routing, Statics},
    remaining::{Refused, Remaining},
    source::{Sources, Span},
    statement::Statement,
    values::quote,
};

use checks::Checks;

/// The configuration that the statements of all files make, without the routers that have errors, and which those
/// are; what is wrong goes to `report`. `None` if not only single routers have errors, or all of them.
pub(super) fn lower(
    statements: &[Statement],
    report: &mut Report,
    sources: &Sources,
    host: &dyn Host,
) -> Option<Remaining> {
    let whole = !report.has_errors();
    let mut context = Context::new(report, sources, host, whole);
    let mut draft = Draft::default();
    apply(&ROOT, &mut draft, statements, &mut context);
    check_names(&draft, &mut context);
    let checks = Checks::finish(&draft, &mut context);
    let instances = instance::finish_all(&draft, &checks, &mut context);
    let configuration = Configuration {
        router_id: draft.globals.router_id.clone().unwrap_or_else(|| host.name()),
        running: draft.globals.running.clone(),
        net_namespace: draft.net_namespace.clone(),
        groups: group::finish(&draft, &instances, &mut context),
        link_delays: links::delays(&draft.link_delays, &instances, &mut context),
        instances,
        checks: checks.tracked,
        statics: statics(&draft, &mut context),
        fifos: notify::fifos(&draft.globals, &mut context),
        fifo_states_on_reload: draft.globals.fifo_states_on_reload,
        mail: mail::finish(&draft, host, &mut context),
        guard: Guard { mode: draft.globals.guard, hook: draft.globals.receive.hook },
        nftables: draft.globals.nftables.clone(),
        dumps: dumps(&draft),
    };
    let usable = !configuration.instances.is_empty() && context.others_can_run();
    usable.then(|| Remaining { configuration, refused: refused(&draft, &context) })
}

/// The routers that have errors, in the file's order.
fn refused(draft: &Draft, context: &Context<'_>) -> Vec<Refused> {
    let drafts = draft.instances.iter().filter(|instance| context.is_refused(instance.span));
    let default_interface = draft.globals.default_interface.as_ref();
    let refused = drafts.map(|instance| Refused {
        name: instance.name.clone(),
        interface: instance.interface.as_ref().or(default_interface).map(|given| given.value.clone()),
        vrid: instance.vrid.and_then(|given| u8::try_from(given.value).ok()),
    });
    refused.collect()
}

/// A name that the file gives counts as it is. keepalived's own names for counters and JSON have no part that changes.
fn dumps(draft: &Draft) -> Dumps {
    let mut dumps = draft.globals.dumps.clone();
    let names: Vec<&str> =
        [&draft.net_namespace, &draft.instance_name].into_iter().flatten().map(String::as_str).collect();
    let given = dumps.data != Dumps::default().data;
    if draft.globals.data_use_instance && !given && !names.is_empty() {
        dumps.data = format!("/tmp/keepalived.{}.data", names.join("_")).into();
    }
    dumps
}

/// What stands while the node runs. An address without an interface goes where keepalived puts it.
fn statics(draft: &Draft, context: &mut Context<'_>) -> Statics {
    const DEFAULT_INTERFACE: &str = "eth0";
    let given = draft.globals.default_interface.as_ref();
    let statics = Statics {
        interface: given.map_or_else(|| DEFAULT_INTERFACE.to_owned(), |name| name.value.clone()),
        addresses: draft.statics.addresses.clone(),
        routing: routing(&draft.statics.routing),
    };
    if let Some(given) = given.filter(|_| statics.addresses.iter().any(|entry| entry.device.is_none())) {
        context.expect_interface(&given.value, given.span);
    }
    statics
}

fn routing(entries: &[RoutingDraft]) -> Vec<Routing> {
    entries.iter().map(|entry| entry.routing.clone()).collect()
}

fn check_names(draft: &Draft, context: &mut Context<'_>) {
    let instances = draft.instances.iter().map(|instance| (&*instance.name, instance.span));
    let scripts = draft.scripts.iter().map(|script| (&*script.name, script.span));
    unique("vrrp_instance", instances, context);
    unique("vrrp_script", scripts, context);
    unique("track_file", draft.files.iter().map(|file| (&*file.name, file.span)), context);
    let processes = draft.processes.iter().map(|process| (&*process.name, process.span));
    unique("vrrp_track_process", processes, context);
    unique("vrrp_sync_group", draft.groups.iter().map(|group| (&*group.name, group.span)), context);
    if draft.instances.is_empty() {
        let nothing = error(None, "there is no `vrrp_instance`: nothing to run");
        context.missing(nothing.help("vrrp_instance NAME { interface ... virtual_router_id ... }"));
    }
}

fn unique<'d>(what: &str, named: impl Iterator<Item = (&'d str, Span)>, context: &mut Context<'_>) {
    let mut seen = HashMap::new();
    for (name, span) in named {
        if let Some(first) = seen.insert(name, span) {
            let twice = error(span, format!("there are two {what} blocks of the name {}", quote(name)));
            context.push(twice.related(first, "the other one").help("give each its own name"));
        }
    }
}

/// A number that its range keeps within the type; `default` if it was not given.
fn count<N: TryFrom<i64>>(given: Option<i64>, default: N) -> N {
    given.and_then(|count| N::try_from(count).ok()).unwrap_or(default)
}
