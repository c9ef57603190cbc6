//! Sync groups: who is a member of which.

use std::collections::{HashMap, HashSet};

use super::notify;
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{Draft, GroupDraft},
    model::{Group, Instance},
    values::quote,
};

/// Which group an instance is in, by the names of instances.
pub(super) fn memberships<'d>(
    draft: &'d Draft,
    context: &mut Context<'_>,
) -> HashMap<&'d str, &'d GroupDraft> {
    let mut groups: HashMap<&str, &GroupDraft> = HashMap::new();
    for group in &draft.groups {
        for member in &group.members {
            if let Some(other) = groups.insert(&member.value, group) {
                let message = format!("{} is in two groups", quote(&member.value));
                let twice = error(member.span, message).related(other.span, "the other one");
                context.push(twice.help("an instance moves with one group; make one group of both"));
            }
        }
    }
    groups
}

/// The groups that have members.
pub(super) fn finish(draft: &Draft, instances: &[Instance], context: &mut Context<'_>) -> Vec<Group> {
    let names: HashSet<&str> = draft.instances.iter().map(|instance| &*instance.name).collect();
    let places = instances.iter().enumerate().map(|(place, instance)| (&*instance.name, place));
    // The first of a name counts; that there are two was reported.
    let places: HashMap<&str, usize> = places.rev().collect();
    let mut finished = Vec::new();
    for group in &draft.groups {
        let members = members(group, &names, &places, context);
        if group.members.len() < 2 {
            let message = format!("sync group {} has {} member(s)", quote(&group.name), group.members.len());
            context.push(warning(group.span, message).help("group { INSTANCE ... }, at least two"));
        }
        if !members.is_empty() {
            let notify = notify::notify(&group.notify, &draft.globals, context);
            finished.push(Group { name: group.name.clone(), members, notify });
        }
    }
    finished
}

fn members(
    group: &GroupDraft,
    names: &HashSet<&str>,
    places: &HashMap<&str, usize>,
    context: &mut Context<'_>,
) -> Vec<usize> {
    let mut members = Vec::new();
    for member in &group.members {
        if !names.contains(&*member.value) {
            let unknown = error(member.span, format!("there is no vrrp_instance {}", quote(&member.value)));
            context.missing(unknown.help("the others would move without it"));
        }
        // Not there if it was refused, which was reported.
        members.extend(places.get(&*member.value));
    }
    members
}
