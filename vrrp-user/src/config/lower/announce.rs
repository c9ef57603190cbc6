//! When and how often the neighbours are told.

use vrrp_common::time::Interval;

use super::count;
use crate::config::{
    draft::{GlobalDraft, InstanceDraft},
    model::Announce,
};

/// An instance's own settings, else the node's. What follows a losing advertisement is, where nothing is said of
/// it, as the node's settings for a takeover, not as the instance's (seen with 2.2.7).
pub(super) fn announce(draft: &InstanceDraft, globals: &GlobalDraft, strict: bool) -> Announce {
    let (own, node) = (&draft.garp, &globals.garp);
    let (delay, repeat) = if node.minimal { (Interval::ZERO, 1) } else { (Interval::from_secs(5), 5) };
    let delay = node.delay.unwrap_or(delay);
    let repeat: u32 = count(node.repeat, repeat);
    let announce = Announce {
        delay: own.delay.unwrap_or(delay),
        repeat: count(own.repeat, repeat),
        refresh: own.refresh.or(node.refresh).unwrap_or(Interval::ZERO),
        refresh_repeat: count(own.refresh_repeat.or(node.refresh_repeat), 1),
        lower_priority_delay: own.lower_delay.or(node.lower_delay).unwrap_or(delay),
        lower_priority_repeat: count(own.lower_repeat.or(node.lower_repeat), repeat),
        arp_gap: node.arp_gap,
        na_gap: node.na_gap,
    };
    if strict {
        return Announce { lower_priority_delay: Interval::ZERO, lower_priority_repeat: 0, ..announce };
    }
    announce
}
