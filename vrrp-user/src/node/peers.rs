//! The other routers as the records have them, for `status` and for the log. No election looks here.

use std::{cmp::Reverse, net::IpAddr};

use vrrp_common::{
    abi::Stamp,
    time::{Instant, Interval},
};

use super::{router::Router, snapshot::millis};
use crate::{
    datapath::Datapath,
    status::{PeerStatus, list_difference},
};

/// Every router that is remembered, the one heard last first: as the datapath has it at this moment, which may be
/// later than what the election has seen.
pub(super) fn peers(router: &Router, datapath: &dyn Datapath, now: Instant) -> Vec<PeerStatus> {
    let mut heard = datapath.heard(router.slot).peers;
    heard.sort_unstable_by_key(|peer| Reverse(peer.at));
    heard.iter().filter(|peer| peer.at != 0).map(|peer| status(router, datapath, peer, now)).collect()
}

fn status(router: &Router, datapath: &dyn Datapath, peer: &Stamp, now: Instant) -> PeerStatus {
    let ours = router.view(now).map(|view| view.digest);
    let list = datapath.list(router.slot, peer);
    let theirs = list.as_deref().unwrap_or(&router.advertised);
    PeerStatus {
        address: IpAddr::from(peer.source).to_string(),
        // The wire's priority is one byte.
        priority: peer.priority as u8,
        advertisement_interval_ms: millis(Interval::from_nanos(peer.interval)),
        heard_seconds_ago: millis(now.since(Instant::from_nanos(peer.at))) / 1000.0,
        advertisements: peer.count,
        differing_list: ours.is_some_and(|digest| digest != peer.digest),
        lists_besides: without(theirs, &router.advertised),
        lists_not: without(&router.advertised, theirs),
    }
}

/// Those of `some` that are not in `others`.
fn without(some: &[IpAddr], others: &[IpAddr]) -> Vec<String> {
    some.iter().filter(|address| !others.contains(address)).map(ToString::to_string).collect()
}

/// Logs whose address list is not ours, once a minute for each.
pub(super) fn tell_differing_lists(router: &mut Router, datapath: &dyn Datapath, now: Instant) {
    if !router.refusals.differing_lists(router.seen.differing_list) {
        return;
    }
    for (peer, source) in
        peers(router, datapath, now).iter().filter_map(|peer| Some((peer, peer.address.parse().ok()?)))
    {
        if peer.differing_list && router.refusals.allow("differing-list", source, now) {
            tracing::warn!("{}: {source} {}", router.instance.name, list_difference(peer));
        }
    }
}
