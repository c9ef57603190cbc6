//! Links whose changes count late (`interface_up_down_delays`): what is believed of them. Pure.

use std::{collections::BTreeMap, sync::Arc};

use vrrp_common::time::Instant;

use crate::{config::model::LinkDelay, netlink::LinkTable};

/// The host's interfaces as they are, and as they are believed to be.
#[derive(Debug, Default)]
pub(super) struct Damping {
    delays: Vec<LinkDelay>,
    /// As the kernel told them last.
    told: Option<Arc<LinkTable>>,
    links: BTreeMap<String, Belief>,
}

#[derive(Clone, Copy, Debug)]
struct Belief {
    up: bool,
    /// When the opposite is believed, if it lasts.
    until: Option<Instant>,
}

impl Damping {
    pub(super) fn new(delays: Vec<LinkDelay>) -> Self {
        Self { delays, ..Self::default() }
    }

    /// Other delays from now on, and the interfaces as they are to be believed by them. A change that waits goes on
    /// waiting for as long as it was to.
    pub(super) fn set(&mut self, delays: Vec<LinkDelay>, now: Instant) -> Option<Arc<LinkTable>> {
        self.links.retain(|name, _| delays.iter().any(|delay| delay.interface == *name));
        self.delays = delays;
        let table = self.told.clone()?;
        Some(self.believe(&table, now))
    }

    /// The interfaces as they are to be believed at `now`, after the kernel told this.
    pub(super) fn tell(&mut self, table: Arc<LinkTable>, now: Instant) -> Arc<LinkTable> {
        self.told = Some(Arc::clone(&table));
        if self.delays.is_empty() { table } else { self.believe(&table, now) }
    }

    /// The same when a delay is over; `None` if none is.
    pub(super) fn settle(&mut self, now: Instant) -> Option<Arc<LinkTable>> {
        self.deadline().filter(|due| *due <= now)?;
        let table = self.told.clone()?;
        Some(self.believe(&table, now))
    }

    /// When the next delay is over.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.links.values().filter_map(|belief| belief.until).min()
    }

    fn believe(&mut self, table: &LinkTable, now: Instant) -> Arc<LinkTable> {
        let mut believed = table.clone();
        for delay in &self.delays {
            let Some(link) = table.by_name(&delay.interface) else {
                // It is gone, which is no change of the link's; a new one begins anew.
                self.links.remove(&delay.interface);
                continue;
            };
            let first = Belief { up: link.up, until: None };
            let belief = self.links.entry(delay.interface.clone()).or_insert(first);
            belief.look(link.up, if link.up { now.after(delay.up) } else { now.after(delay.down) }, now);
            believed.set_up(link.ifindex, belief.up);
        }
        Arc::new(believed)
    }
}

impl Belief {
    /// It is seen `up` or not; if that is news, it counts from `due` on.
    fn look(&mut self, up: bool, due: Instant, now: Instant) {
        if up == self.up {
            self.until = None;
        } else if *self.until.get_or_insert(due) <= now {
            *self = Self { up, until: None };
        }
    }
}

#[cfg(test)]
mod tests {
    use vrrp_common::time::Interval;

    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::default().after(Interval::from_millis(millis))
    }

    fn damping() -> Damping {
        let delay = |millis| Interval::from_millis(millis);
        Damping::new(vec![LinkDelay { interface: "eth0".to_owned(), down: delay(200), up: delay(500) }])
    }

    fn table(up: bool) -> Arc<LinkTable> {
        Arc::new(LinkTable::of(&[("eth0", up), ("eth1", up)]))
    }

    fn is_up(table: &LinkTable, name: &str) -> bool {
        table.by_name(name).unwrap().up
    }

    #[test]
    fn a_change_that_is_taken_back_in_time_never_happened() {
        let mut damping = damping();
        assert!(is_up(&damping.tell(table(true), at(0)), "eth0"));
        let believed = damping.tell(table(false), at(1000));
        assert!(is_up(&believed, "eth0") && !is_up(&believed, "eth1"), "eth1 has no delay");
        assert_eq!(damping.deadline(), Some(at(1200)));
        assert!(is_up(&damping.tell(table(true), at(1199)), "eth0"));
        assert_eq!(damping.deadline(), None);
        assert!(damping.settle(at(2000)).is_none());
    }

    #[test]
    fn a_change_that_lasts_counts_after_its_delay() {
        let mut damping = damping();
        damping.tell(table(true), at(0));
        damping.tell(table(false), at(1000));
        // Other news of the same link do not begin the delay anew.
        damping.tell(table(false), at(1100));
        assert!(damping.settle(at(1199)).is_none());
        assert!(!is_up(&damping.settle(at(1200)).unwrap(), "eth0"));
        damping.tell(table(true), at(2000));
        assert_eq!(damping.deadline(), Some(at(2500)));
        assert!(is_up(&damping.settle(at(2500)).unwrap(), "eth0"));
    }

    #[test]
    fn what_is_seen_first_is_believed_at_once() {
        assert!(!is_up(&damping().tell(table(false), at(0)), "eth0"));
    }

    #[test]
    fn a_link_that_is_down_when_its_delay_goes_is_down() {
        let mut damping = damping();
        damping.tell(table(true), at(0));
        damping.tell(table(false), at(1000));
        assert!(!is_up(&damping.set(Vec::new(), at(1001)).unwrap(), "eth0"));
        assert_eq!(damping.deadline(), None);
    }
}
