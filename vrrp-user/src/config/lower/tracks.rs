//! What each instance tracks, its group's trackers included.

use std::collections::HashMap;

use super::checks::{Checks, keyword};
use crate::config::{
    context::Context,
    diagnostics::{error, notice, warning},
    draft::{GroupDraft, InstanceDraft, OWNER, TrackDraft, TrackKind},
    model::Track,
    source::Span,
    values::quote,
};

/// The trackers of one instance.
pub(super) fn tracks(
    draft: &InstanceDraft,
    group: Option<&GroupDraft>,
    interface: Option<&str>,
    checks: &Checks<'_>,
    context: &mut Context<'_>,
) -> Vec<Track> {
    let mut tracks = Vec::new();
    let mut seen: HashMap<(TrackKind, &str), Option<Span>> = HashMap::new();
    let own = draft.tracks.iter().map(|entry| (entry, Some(entry.span)));
    let common = group.into_iter().flat_map(|group| &group.tracks).map(|entry| (entry, None));
    for (entry, place) in own.chain(common) {
        let key = (entry.kind, &*entry.name);
        if let Some(first) = seen.get(&key) {
            // What the group tracks too, the instance's own entry speaks for.
            if let (Some(first), Some(place)) = (first, place) {
                let name = quote(&entry.name);
                let twice = warning(place, format!("{name} is tracked twice; the first entry counts"));
                context.push(twice.related(*first, "tracked here first").help("remove one of the two"));
            }
            continue;
        }
        seen.insert(key, place);
        if is_own_interface(entry, interface, context) {
            continue;
        }
        tracks.extend(track(entry, draft, group, checks, context));
    }
    tracks
}

/// An instance's own interface is always tracked: an entry for it adds nothing, not even a weight (2.2.7:
/// "Ignoring `track_interface` ... since own interface").
fn is_own_interface(entry: &TrackDraft, interface: Option<&str>, context: &mut Context<'_>) -> bool {
    let own = entry.kind == TrackKind::Interface && Some(&*entry.name) == interface;
    if own {
        let message =
            format!("{} is the instance's own interface, which is always tracked", quote(&entry.name));
        context.push(notice(entry.span, message).help("this entry does nothing, as in keepalived"));
    }
    own
}

fn track(
    entry: &TrackDraft,
    draft: &InstanceDraft,
    group: Option<&GroupDraft>,
    checks: &Checks<'_>,
    context: &mut Context<'_>,
) -> Option<Track> {
    let name = quote(&entry.name);
    let Some(known) = checks.find(entry.kind, &entry.name) else {
        let block = match entry.kind {
            TrackKind::Script => "vrrp_script",
            TrackKind::Process => "vrrp_track_process",
            TrackKind::File | TrackKind::Interface => "track_file",
        };
        let unknown = error(entry.span, format!("there is no {block} {name}"));
        context.missing(unknown.help("the router would run without this check"));
        return None;
    };
    let weight = entry.weight.unwrap_or(known.weight);
    let reverse = entry.reverse.unwrap_or(known.reverse);
    if weight != 0 && draft.base_priority() == OWNER {
        let message = format!("the weight of {name} does nothing with priority 255");
        let help = "an owner's priority never changes; use 254 or less";
        context.push(warning(entry.span, message).help(help));
    }
    let weight = match group {
        Some(group) if weight != 0 && !group.weights => weight_in_group(entry, group, context)?,
        _ => weight,
    };
    Some(Track { check: known.index, weight, reverse })
}

/// Members with priorities that move apart would not be Active together. So, without
/// `sync_group_tracking_weight`, keepalived drops trackers with a weight, but for interfaces, which lose theirs.
fn weight_in_group(entry: &TrackDraft, group: &GroupDraft, context: &mut Context<'_>) -> Option<i32> {
    let (name, block) = (quote(&entry.name), keyword(entry.kind));
    let interface = entry.kind == TrackKind::Interface;
    let what = if interface { "the weight of" } else { "the tracker" };
    let message = format!("{what} {name} does nothing in a sync group, as in keepalived");
    let help = if interface {
        "the whole group is in Fault while the interface is down".to_owned()
    } else {
        format!("`{block} {{ {} weight 0 }}` makes its failure the fault of the whole group", entry.name)
    };
    context.push(warning(entry.span, message).related(group.span, "this group").help(help));
    interface.then_some(0)
}
