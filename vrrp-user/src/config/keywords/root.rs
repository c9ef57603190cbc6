//! Keywords of the outermost level.

use super::{
    FILE, GROUP,
    Grammar::{Block, Values, Word},
    INSTANCE, Keyword, PROCESS, SCRIPT, Table, address, apply, delays,
    global::GLOBAL,
    routing,
};
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{Draft, FileDraft, GroupDraft, InstanceDraft, ProcessDraft, ScriptDraft},
    lexer,
    source::Span,
    statement::Statement,
    values::quote,
};

/// The outermost level.
pub(in crate::config) static ROOT: Table<Draft> =
    Table { block: "the outermost level", sections: &[BLOCKS, STATICS, ACCEPTED] };

type Row = Keyword<Draft>;

const BLOCKS: &[Row] = &[
    Row::works("global_defs", "", Block(&GLOBAL, global), "settings of the whole node"),
    Row::works(
        "vrrp_instance",
        "",
        Block(&INSTANCE, instance),
        "one virtual router: vrrp_instance NAME { ... }",
    ),
    Row::works("vrrp_script", "", Block(&SCRIPT, script), "one check: vrrp_script NAME { ... }"),
    Row::works(
        "vrrp_sync_group",
        "",
        Block(&GROUP, group),
        "instances that move together: vrrp_sync_group NAME { group { INSTANCE ... } }",
    ),
    Row::works("track_file", "", Block(&FILE, file), "a number in a file: track_file NAME { file PATH }"),
    Row::works("vrrp_track_file", "", Block(&FILE, file), "old name of track_file"),
    Row::works(
        "vrrp_track_process",
        "",
        Block(&PROCESS, process),
        "processes that are counted: vrrp_track_process NAME { process PROGRAM }",
    ),
];

const STATICS: &[Row] = &[
    Row::works(
        "interface_up_down_delays",
        "0",
        Values(delays::ENTRY, delays::add),
        "how many seconds a link must be down, or up, until that counts",
    ),
    Row::works(
        "net_namespace",
        "where the node is started",
        Word("NAME", set_namespace),
        "the network namespace that the node enters before anything else, as `ip netns add NAME` makes it",
    ),
    Row::works(
        "instance",
        "",
        Word("NAME", set_instance),
        "a name for one of several daemons, in the name of a file with data_use_instance; see also `xvrrp run --instance`",
    ),
    Row::works(
        "static_ipaddress",
        "",
        Values(address::ENTRY, |draft, entry, context| {
            draft.statics.addresses.extend(address::read(entry, context));
        }),
        "addresses that stand while the node runs",
    ),
    Row::works(
        "static_routes",
        "",
        Values(routing::ROUTE, |draft, entry, context| {
            draft.statics.routing.extend(routing::read_route(entry, context));
        }),
        "routes that stand while the node runs",
    ),
    Row::works(
        "static_rules",
        "",
        Values(routing::RULE, |draft, entry, context| {
            let mut rules: Vec<_> = routing::read_rule(entry, context).into_iter().collect();
            routing::number(&mut draft.rule_numbers, &mut rules, context);
            draft.statics.routing.extend(rules);
        }),
        "rules that stand while the node runs",
    ),
];

const IPVS: &str = "there is no IPVS here; run keepalived beside for it, without its VRRP";
const NETLINK: &str = "link changes are learned from the kernel";
const UNTRACKED: &str = "a static address, route or rule that somebody else removes is put back";
const UNUSED: &str = "it takes effect only where an instance tracks it, and that is not supported yet";

const ACCEPTED: &[Row] = &[
    Row::accepted("virtual_server", "an IPVS service", IPVS),
    Row::accepted("virtual_server_group", "IPVS services", IPVS),
    Row::accepted("SSL", "keys of IPVS checkers", IPVS),
    Row::accepted("net_namespace_ipvs", "where IPVS runs", IPVS),
    Row::accepted("namespace_with_ipsets", "sets in namespaces", "no sets are needed"),
    Row::accepted("track_group", "instances that give up without a static address", UNTRACKED),
    Row::accepted("bfd_instance", "a BFD session", UNUSED),
    Row::accepted(
        "garp_group",
        "gaps between announcements",
        "the gaps are those of vrrp_garp_interval and vrrp_gna_interval",
    ),
    Row::accepted("linkbeat_interfaces", "links that are polled", NETLINK),
    Row::accepted("linkbeat_use_polling", "poll all links", NETLINK),
    Row::accepted("use_pid_dir", "where process numbers are written", "no process numbers are written"),
    Row::accepted("child_wait_time", "time for child processes at stop", "a stop does not wait for children"),
];

fn set_namespace(draft: &mut Draft, word: &lexer::Word, context: &mut Context<'_>) {
    let name = word.text();
    if name.is_empty() || name == "." || name == ".." || name.contains('/') {
        let message = format!("{} cannot be the name of a network namespace", quote(&name));
        context.push(error(word.span, message).help("a name as `ip netns list` shows it"));
        return;
    }
    draft.net_namespace = Some(name.into_owned());
}

fn set_instance(draft: &mut Draft, word: &lexer::Word, context: &mut Context<'_>) {
    let name = word.text();
    if name.is_empty() || name.contains('/') {
        let message = format!("{} cannot be part of a file's name; it is left out", quote(&name));
        context.push(warning(word.span, message).help("a name without `/`"));
        return;
    }
    draft.instance_name = Some(name.into_owned());
}

fn global(draft: &mut Draft, statement: &Statement, context: &mut Context<'_>) {
    apply(&GLOBAL, &mut draft.globals, &statement.body, context);
}

fn instance(draft: &mut Draft, statement: &Statement, context: &mut Context<'_>) {
    let (name, span) = name(statement, context);
    let mut instance = InstanceDraft::new(name, span);
    let before = context.errors();
    instance.given = apply(&INSTANCE, &mut instance, &statement.body, context);
    routing::number(&mut draft.rule_numbers, &mut instance.routing, context);
    context.blame(instance.span, before);
    draft.instances.push(instance);
}

fn script(draft: &mut Draft, statement: &Statement, context: &mut Context<'_>) {
    let (name, span) = name(statement, context);
    let mut script = ScriptDraft::new(name, span);
    apply(&SCRIPT, &mut script, &statement.body, context);
    draft.scripts.push(script);
}

fn group(draft: &mut Draft, statement: &Statement, context: &mut Context<'_>) {
    let (name, span) = name(statement, context);
    let mut group = GroupDraft::new(name, span);
    apply(&GROUP, &mut group, &statement.body, context);
    draft.groups.push(group);
}

fn file(draft: &mut Draft, statement: &Statement, context: &mut Context<'_>) {
    let (name, span) = name(statement, context);
    let mut file = FileDraft::new(name, span);
    apply(&FILE, &mut file, &statement.body, context);
    draft.files.push(file);
}

fn process(draft: &mut Draft, statement: &Statement, context: &mut Context<'_>) {
    let (name, span) = name(statement, context);
    let mut process = ProcessDraft::new(name, span);
    apply(&PROCESS, &mut process, &statement.body, context);
    draft.processes.push(process);
}

/// The name of a block and its place; a block without one is reported and read all the same.
fn name(statement: &Statement, context: &mut Context<'_>) -> (String, Span) {
    if let Some(word) = statement.arguments.first() {
        return (word.text().into_owned(), word.span);
    }
    let keyword = statement.keyword.text();
    let nameless = error(statement.keyword.span, format!("`{keyword}` needs a name"));
    context.push(nameless.help(format!("{keyword} NAME {{ ... }}")));
    (String::new(), statement.keyword.span)
}
