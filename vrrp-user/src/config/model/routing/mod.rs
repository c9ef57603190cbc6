//! Routes and rules that stand while a virtual router is Active, or while the node runs. What the kernel calls
//! them is not here.

mod route;
mod rule;

use std::fmt;

use serde::{Deserialize, Serialize};
use vrrp_common::wire::Family;

pub use route::{Amount, Hop, Metric, Placement, Preference, Route, RouteKind};
pub use rule::{Action, Range, Rule};

/// An entry of `virtual_routes`, `virtual_rules`, `static_routes` or `static_rules`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Routing {
    /// A route.
    Route(Route),
    /// A rule that says which table decides.
    Rule(Rule),
}

impl Routing {
    /// IPv4 or IPv6.
    pub fn family(&self) -> Family {
        match self {
            Self::Route(route) => route.destination.family(),
            Self::Rule(rule) => rule.family,
        }
    }
}

/// The number of the main routing table.
pub const MAIN_TABLE: u32 = 254;

impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(route) => route.fmt(f),
            Self::Rule(rule) => rule.fmt(f),
        }
    }
}

/// For whom packets are counted, by where they come from and where they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Realms {
    /// Of where they come from; 0 for none.
    pub source: u16,
    /// Of where they go.
    pub destination: u16,
}

impl fmt::Display for Realms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source {
            0 => self.destination.fmt(f),
            source => write!(f, "{source}/{}", self.destination),
        }
    }
}

/// How `value` is called in a table that has all that may be asked for.
fn named<T: PartialEq>(names: &[(&'static str, T)], value: &T) -> &'static str {
    names.iter().find(|(_, other)| other == value).map_or("", |(name, _)| name)
}

fn option(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " {name} {value}"))
}
