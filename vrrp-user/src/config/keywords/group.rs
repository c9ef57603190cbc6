//! Keywords of `vrrp_sync_group`.

use super::{
    Grammar::{Flag, Values},
    Keyword, Table, notify, tracking,
};
use crate::config::{
    context::Context,
    diagnostics::warning,
    draft::{Given, GroupDraft},
    statement::Statement,
};

/// All of `vrrp_sync_group`.
pub(in crate::config) static GROUP: Table<GroupDraft> = Table {
    block: "vrrp_sync_group",
    sections: &[
        ROWS,
        tracking::Rows::<GroupDraft>::TRACKERS,
        notify::Rows::<GroupDraft>::TRANSITIONS,
        WITHOUT,
    ],
};

type Row = Keyword<GroupDraft>;

const ROWS: &[Row] = &[
    Row::works("group", "", Values("INSTANCE ...", add_members), "the instances that move together"),
    Row::works(
        "sync_group_tracking_weight",
        "off",
        Flag(|group, on| group.weights = on.value),
        "let weights of trackers move the priorities of members, which may differ then",
    ),
];

const WITHOUT: &[Row] = &[
    Row::refused(
        "track_bfd",
        "the group would ignore these sessions",
        "remove it if the group may stay Active when this fails",
    ),
    Row::accepted(
        "global_tracking",
        "trackers of one member count for all",
        "a member's fault is the group's, always; put weighted trackers into the group",
    ),
];

fn add_members(group: &mut GroupDraft, entry: &Statement, context: &mut Context<'_>) {
    for word in std::iter::once(&entry.keyword).chain(&entry.arguments) {
        let name = word.text().into_owned();
        if let Some(first) = group.members.iter().find(|member| member.value == name) {
            let twice = warning(word.span, format!("`{name}` is in this group twice"));
            context.push(twice.related(first.span, "here first").help("remove one of the two"));
            continue;
        }
        group.members.push(Given { value: name, span: word.span });
    }
}
