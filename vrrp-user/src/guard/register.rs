//! Which addresses are guarded by whose lease: what changes when a router's do. Pure; the map is written elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use vrrp_common::abi::GuardKey;

use crate::datapath::Slot;

/// What to do to the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Enter(GuardKey, Slot),
    Remove(GuardKey),
}

/// What every router keeps. An address that two keep is guarded by the lease of whichever took it last.
#[derive(Debug, Default)]
pub(super) struct Register(BTreeMap<Slot, BTreeSet<GuardKey>>);

impl Register {
    pub(super) fn has(&self, slot: Slot) -> bool {
        self.0.get(&slot).is_some_and(|keys| !keys.is_empty())
    }

    /// A router keeps these from now on, and no others: additions first.
    pub(super) fn keep(&mut self, slot: Slot, keys: BTreeSet<GuardKey>) -> Vec<Step> {
        let before = self.0.remove(&slot).unwrap_or_default();
        let mut steps: Vec<Step> = keys.difference(&before).map(|key| Step::Enter(*key, slot)).collect();
        steps.extend(before.difference(&keys).map(|key| match self.other(key) {
            Some(other) => Step::Enter(*key, other),
            None => Step::Remove(*key),
        }));
        self.0.insert(slot, keys);
        steps
    }

    /// All that is kept by anybody.
    pub(super) fn keys(&self) -> BTreeSet<GuardKey> {
        self.0.values().flatten().copied().collect()
    }

    fn other(&self, key: &GuardKey) -> Option<Slot> {
        self.0.iter().find(|(_, keys)| keys.contains(key)).map(|(slot, _)| *slot)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn keys(addresses: &[&str]) -> BTreeSet<GuardKey> {
        let key = |address: &&str| GuardKey::new(address.parse::<IpAddr>().unwrap().into(), 7);
        addresses.iter().map(key).collect()
    }

    fn key(address: &str) -> GuardKey {
        *keys(&[address]).first().unwrap()
    }

    #[test]
    fn only_what_differs_is_written() {
        let mut register = Register::default();
        let (one, two) = (key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(register.keep(Slot(1), keys(&["192.0.2.1"])), [Step::Enter(one, Slot(1))]);
        assert_eq!(register.keep(Slot(1), keys(&["192.0.2.1"])), []);
        let steps = register.keep(Slot(1), keys(&["192.0.2.2"]));
        assert_eq!(steps, [Step::Enter(two, Slot(1)), Step::Remove(one)]);
        assert!(register.has(Slot(1)));
        register.keep(Slot(1), BTreeSet::new());
        assert!(!register.has(Slot(1)));
    }

    #[test]
    fn an_address_that_another_router_keeps_stays_guarded() {
        let mut register = Register::default();
        let shared = key("192.0.2.1");
        register.keep(Slot(1), keys(&["192.0.2.1"]));
        assert_eq!(register.keep(Slot(2), keys(&["192.0.2.1"])), [Step::Enter(shared, Slot(2))]);
        assert_eq!(register.keep(Slot(2), BTreeSet::new()), [Step::Enter(shared, Slot(1))]);
        assert_eq!(register.keep(Slot(1), BTreeSet::new()), [Step::Remove(shared)]);
    }
}
