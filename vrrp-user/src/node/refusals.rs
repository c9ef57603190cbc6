//! Who was refused, and why: the last packet of every reason for `events`, and a log line that a flood cannot
//! repeat. What is refused is decided in `judge`.

use std::net::IpAddr;

use vrrp_common::{
    judge::DropReason,
    time::{Instant, Interval},
};

use super::{Node, history::unix_time_of, peers::tell_differing_lists, router::Router};
use crate::{
    datapath::{Datapath, LastRefused},
    status::RefusalRecord,
};

/// How often the counters are looked at, and only on turns that happen anyway: junk must not cost wakes.
const LOOK_EVERY: Interval = Interval::from_secs(1);
/// The same reason and source are logged once in this time.
const REPEAT_AFTER: Interval = Interval::from_secs(60);
/// Log lines of one router in [`REPEAT_AFTER`]; whoever sends from ever new addresses fills no log.
const LINES: usize = 16;

/// What was told of one router's refused packets.
#[derive(Default)]
pub(super) struct Refusals {
    looked: Option<Instant>,
    seen: [u64; DropReason::COUNT],
    second_owners: u64,
    differing_lists: u64,
    told: Limit,
}

impl Refusals {
    /// The router is attached anew, and its counters may begin anew.
    pub(super) fn look_again(&mut self) {
        self.looked = None;
    }

    /// Whether advertisements with another list were counted since the last look.
    pub(super) fn differing_lists(&mut self, count: u64) -> bool {
        let seen = std::mem::replace(&mut self.differing_lists, count);
        count != seen && count > 0
    }

    /// Whether this may be logged of a sender now.
    pub(super) fn allow(&mut self, word: &'static str, source: IpAddr, now: Instant) -> bool {
        self.told.allows(word, Some(source), now)
    }
}

/// Lets the same word about the same sender through once in [`REPEAT_AFTER`], and [`LINES`] words in all.
#[derive(Default)]
struct Limit([Option<(&'static str, Option<IpAddr>, Instant)>; LINES]);

impl Limit {
    fn allows(&mut self, word: &'static str, source: Option<IpAddr>, now: Instant) -> bool {
        for place in &mut self.0 {
            place.take_if(|(_, _, told)| now >= told.after(REPEAT_AFTER));
        }
        if self.0.iter().flatten().any(|(old, from, _)| (*old, *from) == (word, source)) {
            return false;
        }
        let Some(free) = self.0.iter_mut().find(|place| place.is_none()) else { return false };
        *free = Some((word, source, now));
        true
    }
}

impl Node {
    /// Logs what was refused since the last look.
    pub(super) fn tell_refusals(&mut self, now: Instant) {
        for router in &mut self.routers {
            let looked = router.refusals.looked;
            if looked.is_some_and(|looked| now < looked.after(LOOK_EVERY)) {
                continue;
            }
            router.refusals.looked = Some(now);
            if self.datapath.refused_anew(router.slot) || looked.is_none() {
                tell(router, &*self.datapath, now);
            }
            tell_second_owner(router, now);
            tell_differing_lists(router, &*self.datapath, now);
        }
    }

    /// Every reason for which packets of a router were refused, with the last of them.
    pub(super) fn refusals(&self, router: &Router, now: Instant) -> Vec<RefusalRecord> {
        let counters = self.datapath.counters(router.slot);
        let occurred = counters.iter().filter(|(_, count)| *count > 0);
        let record = |(reason, count): (DropReason, u64)| {
            let last = self.datapath.last_refused(router.slot, reason);
            RefusalRecord {
                router: router.instance.name.clone(),
                reason: reason.name().to_owned(),
                sentence: reason.to_string(),
                count,
                source: last.map(|last| last.source),
                at: last.map(|last| unix_time_of(last.at, now)),
            }
        };
        occurred.map(record).collect()
    }
}

fn tell(router: &mut Router, datapath: &dyn Datapath, now: Instant) {
    let Router { refusals, instance, slot, .. } = router;
    let name = &instance.name;
    for (reason, count) in datapath.counters(*slot).iter() {
        let Some(seen) = refusals.seen.get_mut(reason as usize) else { continue };
        // Fewer than before: the router was attached anew.
        let news = *seen != count && count > 0;
        *seen = count;
        if !news {
            continue;
        }
        let last = datapath.last_refused(*slot, reason);
        if refusals.told.allows(reason.name(), last.map(|last| last.source), now) {
            tracing::warn!("{name}: refused a packet{} ({count} of its kind): {reason}", from(last));
        }
    }
}

/// Erratum 8298 of RFC 9568: an owner that hears another router says so.
fn tell_second_owner(router: &mut Router, now: Instant) {
    let heard = &router.seen;
    if std::mem::replace(&mut router.refusals.second_owners, heard.second_owner) == heard.second_owner
        || heard.second_owner == 0
    {
        return;
    }
    let latest = [heard.accepted, heard.better, heard.losing].into_iter().max_by_key(|stamp| stamp.at);
    let source = latest.map(|stamp| IpAddr::from(stamp.source));
    if let Some(source) = source.filter(|_| router.refusals.told.allows("second-owner", source, now)) {
        let name = &router.instance.name;
        tracing::warn!(
            "{name}: {source} advertises this router's addresses, and this host is their owner (priority 255); only \
             one can be"
        );
    }
}

fn from(last: Option<LastRefused>) -> String {
    last.map_or_else(String::new, |last| format!(" from {}", last.source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &[(u64, &'static str, u8, bool)]) {
        let mut limit = Limit::default();
        for (seconds, word, last, expected) in rows {
            let source = Some(IpAddr::from([192, 0, 2, *last]));
            let now = Instant::from_nanos(seconds * 1_000_000_000);
            assert_eq!(limit.allows(word, source, now), *expected, "{word} of .{last} at {seconds} s");
        }
    }

    #[test]
    fn a_reason_and_a_source_are_told_once_a_minute() {
        check(&[
            (1, "ttl", 1, true),
            (2, "ttl", 1, false),
            (2, "ttl", 2, true),
            (2, "checksum", 1, true),
            (60, "ttl", 1, false),
            (61, "ttl", 1, true),
            (61, "ttl", 2, false),
        ]);
    }

    #[test]
    fn ever_new_sources_fill_no_log() {
        let mut limit = Limit::default();
        let told = |limit: &mut Limit, seconds: u64| {
            let now = Instant::from_nanos(seconds * 1_000_000_000);
            let sources = (0..=255).map(|last| Some(IpAddr::from([198, 51, 100, last])));
            sources.filter(|source| limit.allows("ttl", *source, now)).count()
        };
        assert_eq!([told(&mut limit, 1), told(&mut limit, 60), told(&mut limit, 61)], [16, 0, 16]);
    }
}
