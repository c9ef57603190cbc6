//! Planned switch-overs: the operator gives addresses away or takes them, for a while or until told otherwise.

use vrrp_common::{
    election::{Input, Reason, State},
    time::{Instant, Interval},
};

use super::{Node, router::Router};
use crate::sys::clock;

/// The lowest priority: a router that was told to step down takes over only where nobody else is.
const LAST: u8 = 1;
/// The highest one that does not claim ownership.
const FIRST: u8 = 254;

/// What an operator can order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// Resign, and stand behind every other router, for this long.
    StepDown(Option<Interval>),
    /// Become Active, and stand before every other router but an owner, for this long.
    Take(Option<Interval>),
}

/// An order in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    priority: u8,
    /// When it ends by itself.
    pub(super) until: Option<Instant>,
}

impl Order {
    pub(super) fn words(&self, now: Instant) -> String {
        let what = if self.priority == LAST { "stepped down" } else { "taken" };
        match self.until {
            Some(until) => format!("{what} by order, for {} more", begun_seconds(until.since(now))),
            None => format!("{what} by order, until told otherwise"),
        }
    }
}

/// The last second is one until it is over: an order in force never has no time left.
fn begun_seconds(span: Interval) -> Interval {
    Interval::from_secs(span.as_nanos().div_ceil(Interval::from_secs(1).as_nanos()))
}

impl Router {
    /// The priority that the operator ordered; an owner's never moves.
    pub(super) fn ordered_priority(&self) -> Option<u8> {
        self.order.filter(|_| self.instance.priority != 255).map(|order| order.priority)
    }
}

impl Node {
    /// Carries out an order for a router and all that move with it, or for a group. What came of it, or why
    /// nothing did, in words.
    pub(super) fn order(&mut self, name: &str, ordered: Ordered) -> Result<String, String> {
        let routers = self.named(name)?;
        self.refuse(&routers, ordered)?;
        let now = clock::now();
        let (priority, span, input) = match ordered {
            Ordered::StepDown(span) => (LAST, span, Input::StepDown(Reason::Asked)),
            Ordered::Take(span) => (FIRST, span, Input::TakeOver(Reason::Asked)),
        };
        let order = Order { priority, until: span.map(|span| now.after(span)) };
        for &index in &routers {
            self.routers[index].order = Some(order);
            self.survey(index);
        }
        for &index in &routers {
            self.input(index, input, now);
        }
        let names: Vec<&str> = routers.iter().map(|&index| &*self.routers[index].instance.name).collect();
        Ok(format!("{}: {}", names.join(", "), order.words(now)))
    }

    fn named(&self, name: &str) -> Result<Vec<usize>, String> {
        if let Some(group) = self.groups.iter().find(|group| group.name == name) {
            return Ok(group.members.clone());
        }
        let router = self.routers.iter().position(|router| router.instance.name == name);
        let router = router.ok_or_else(|| {
            let known: Vec<&str> = self.routers.iter().map(|router| &*router.instance.name).collect();
            format!("there is no virtual router or group {name}; there is {}", known.join(", "))
        })?;
        Ok(self.group_of(router).map_or_else(|| vec![router], |group| self.groups[group].members.clone()))
    }

    /// Why the order cannot be carried out.
    fn refuse(&self, routers: &[usize], ordered: Ordered) -> Result<(), String> {
        for &index in routers {
            let router = &self.routers[index];
            let name = &router.instance.name;
            if router.instance.priority == 255 {
                return Err(format!(
                    "{name} owns its addresses (priority 255), which are this host's at any time; give it \
                     254 or less if it should hand them over"
                ));
            }
            if let (Ordered::Take(_), Some(fault)) = (ordered, router.machine.fault()) {
                let fault = self.fault_words(index, fault);
                return Err(format!("{name} cannot become Active: it is in Fault, {fault}"));
            }
            if router.machine.state() == State::Initialize {
                return Err(format!("{name} has not started"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_an_order_is_told_in_seconds_that_have_begun() {
        let now = Instant::from_nanos(7_000_000_000);
        for (left, words) in [
            (1_000_000_000, "1 s"),
            (999_990_000, "1 s"),
            (1, "1 s"),
            (2_999_000_000, "3 s"),
            (3_000_000_001, "4 s"),
            (600_000_000_000, "600 s"),
        ] {
            let until = Some(now.after(Interval::from_nanos(left)));
            let said = Order { priority: LAST, until }.words(now);
            assert_eq!(said, format!("stepped down by order, for {words} more"));
        }
    }
}
