//! The node's state as a `Status` and as `Events`: gathered in one turn, so that its parts fit each other.

use std::{collections::BTreeMap, net::IpAddr};

use hdrhistogram::Histogram;
use vrrp_common::{
    election::State,
    time::{Instant, Interval},
    wire::{ChecksumForm, Family},
};

use super::{Node, history::state_word, peers::peers, router::Router};
use crate::{config::model::Checksum, datapath::Counters, status, supervise::Summary, sys::clock};

/// The checksum forms as the JSON form names them.
const MESSAGE: &str = "message";
const PSEUDO: &str = "pseudo";

impl Node {
    /// What `status` shows.
    pub(super) fn snapshot(&self) -> status::Status {
        let now = clock::now();
        let announced = self.announcer.counts();
        status::Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            router_id: self.router_id.clone(),
            pid: std::process::id(),
            uptime_seconds: millis(now.since(self.started)) / 1000.0,
            routers: (0..self.routers.len()).map(|index| self.router_status(index, now)).collect(),
            announcements: status::Announcements { sent: announced.sent, failed: announced.failed },
            fenced: self.fenced(),
            strangers: self.strangers(),
        }
    }

    /// What a supervisor is told.
    pub(super) fn summary(&self) -> Summary {
        let mut summary = Summary { stopping: self.stop_by.is_some(), ..Summary::default() };
        for router in &self.routers {
            *match router.machine.state() {
                State::Active => &mut summary.active,
                State::Backup => &mut summary.backup,
                State::Fault => &mut summary.fault,
                State::Initialize => &mut summary.initialize,
            } += 1;
        }
        summary
    }

    /// What `events` shows.
    pub(super) fn events(&self) -> status::Events {
        let now = clock::now();
        let of = |router: &Router| {
            let name = router.instance.name.clone();
            let records = router.history.records().into_iter();
            records.map(move |transition| status::RouterTransition { router: name.clone(), transition })
        };
        let mut transitions: Vec<_> = self.routers.iter().flat_map(of).collect();
        transitions.sort_by(|one, other| one.transition.at.total_cmp(&other.transition.at));
        let refusals = self.routers.iter().flat_map(|router| self.refusals(router, now)).collect();
        status::Events { transitions, refusals }
    }

    fn strangers(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let interfaces: BTreeMap<u32, &str> = self
            .routers
            .iter()
            .filter_map(|router| Some((router.attached?, router.instance.interface.as_str())))
            .collect();
        interfaces
            .into_iter()
            .map(|(ifindex, name)| (name.to_owned(), named(&self.datapath.strangers(ifindex))))
            .collect()
    }

    fn router_status(&self, index: usize, now: Instant) -> status::RouterStatus {
        let router = &self.routers[index];
        let rung = self.datapath.rung(router.slot);
        status::RouterStatus {
            name: router.instance.name.clone(),
            interface: router.instance.interface.clone(),
            virtual_mac: router.instance.virtual_mac.as_ref().map(|own| status::VirtualMac {
                interface: own.interface.clone(),
                mac: own.mac.map(|byte| format!("{byte:02x}")).join(":"),
            }),
            vrid: router.instance.vrid,
            version: router.instance.version as u8,
            family: family_word(router.instance.family).to_owned(),
            state: state_word(router.machine.state()).to_owned(),
            fault: router.machine.fault().map(|fault| self.fault_words(index, fault)),
            group: self.group_of(index).map(|group| self.groups[group].name.clone()),
            priority: self.priority(router, now),
            datapath: status::Rung { name: rung.name.to_owned(), reason: rung.reason },
            guard: self.guard_status(router, now),
            checksum: checksum(router),
            active: active(router, now),
            peers: peers(router, &*self.datapath, now),
            timers: timers(router, now),
            addresses: self.addresses(router),
            routing: routing(router),
            transitions: router.history.records(),
            counters: self.counters(router),
            lateness: lateness(&router.lateness),
        }
    }

    fn priority(&self, router: &Router, now: Instant) -> status::Priority {
        let checks = router
            .instance
            .tracks
            .iter()
            .map(|track| status::CheckStatus {
                name: self.checks.name(track.check).to_owned(),
                kind: self.checks.kind(track.check).to_owned(),
                health: self.checks.health(track.check, now).word().to_owned(),
                weight: track.weight,
                reverse: track.reverse,
                detail: self.checks.detail(track.check, now),
                runs: self.checks.runs(track.check),
            })
            .collect();
        status::Priority {
            base: router.instance.priority,
            effective: router.machine.priority(),
            checks,
            ordered: router.order.as_ref().map(|order| order.words(now)),
        }
    }

    fn addresses(&self, router: &Router) -> Vec<status::AddressStatus> {
        let entries = router.addresses.iter().zip(&router.places);
        entries
            .map(|(entry, place)| status::AddressStatus {
                address: format!("{}/{}", entry.address, entry.prefix),
                device: entry.device.clone().unwrap_or_else(|| router.instance.home().to_owned()),
                held: router.held && place.ifindex.is_some(),
                refused: place.refused.clone(),
                restored: place.restored,
            })
            .collect()
    }

    fn counters(&self, router: &Router) -> status::Counters {
        let heard = self.datapath.heard(router.slot);
        let counters = self.datapath.counters(router.slot);
        status::Counters {
            received: counters.received,
            accepted: heard.accepted.count,
            better: heard.better.count,
            losing: heard.losing.count,
            resigned: heard.resigned.count,
            differing_list: heard.differing_list,
            second_owner: heard.second_owner,
            checksum_message: heard.checksum_message,
            checksum_pseudo: heard.checksum_pseudo,
            sent: router.sent,
            resignations_sent: router.resignations_sent,
            send_errors: router.send_errors,
            last_send_error: router.last_send_error.clone(),
            lost: counters.lost,
            dropped: named(&counters),
            became_active: router.history.became_active(),
            released_active: router.history.released_active(),
        }
    }
}

fn routing(router: &Router) -> Vec<status::RoutingStatus> {
    let entries = router.routing.iter().zip(&router.routing_places);
    entries
        .map(|(entry, place)| status::RoutingStatus {
            entry: entry.to_string(),
            held: router.held && place.placed,
            refused: place.refused.clone(),
            restored: place.restored,
        })
        .collect()
}

fn named(counters: &Counters) -> BTreeMap<String, u64> {
    counters.iter().map(|(reason, count)| (reason.name().to_owned(), count)).collect()
}

fn checksum(router: &Router) -> Option<status::Checksum> {
    let instance = &router.instance;
    if ChecksumForm::only(instance.version, instance.family).is_some() {
        return None;
    }
    let configured = match instance.checksum {
        Checksum::Auto => "auto",
        Checksum::Message => MESSAGE,
        Checksum::Pseudo => PSEUDO,
    };
    let sent = match router.form {
        ChecksumForm::Message => MESSAGE,
        ChecksumForm::Pseudo => PSEUDO,
    };
    Some(status::Checksum { configured: configured.to_owned(), sent: sent.to_owned() })
}

fn active(router: &Router, now: Instant) -> Option<status::ActiveRouter> {
    if router.machine.state() == State::Active {
        let address = router.ground.map_or_else(|| "?".to_owned(), |ground| ground.source.to_string());
        let priority = router.machine.priority();
        return Some(status::ActiveRouter { address, priority, this_node: true, heard_seconds_ago: None });
    }
    router.machine.active_peer().map(|peer| status::ActiveRouter {
        address: IpAddr::from(peer.source).to_string(),
        priority: peer.priority,
        this_node: false,
        heard_seconds_ago: Some(millis(now.since(peer.heard)) / 1000.0),
    })
}

fn timers(router: &Router, now: Instant) -> status::Timers {
    let machine = &router.machine;
    let left = |at: Instant| millis(at.since(now));
    status::Timers {
        advertisement_interval_ms: millis(router.instance.advertisement_interval),
        active_adver_interval_ms: millis(machine.active_adver_interval()),
        skew_time_ms: millis(machine.skew_time()),
        active_down_interval_ms: millis(machine.active_down_interval()),
        deadline_in_ms: machine.deadline().map(left),
        lease_in_ms: machine.lease().map(|lease| left(lease.until)),
    }
}

fn lateness(histogram: &Histogram<u64>) -> status::Lateness {
    let buckets = histogram
        .iter_log(1, 2.0)
        .filter(|bucket| bucket.count_since_last_iteration() > 0)
        .map(|bucket| (bucket.value_iterated_to(), bucket.count_since_last_iteration()))
        .collect();
    status::Lateness {
        count: histogram.len(),
        p50_us: histogram.value_at_quantile(0.5),
        p99_us: histogram.value_at_quantile(0.99),
        max_us: histogram.max(),
        histogram: buckets,
    }
}

fn family_word(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
}

pub(super) fn millis(span: Interval) -> f64 {
    // Microseconds are exact in a double; more digits would only be noise for a reader.
    (span.as_nanos() / 1000) as f64 / 1000.0
}
