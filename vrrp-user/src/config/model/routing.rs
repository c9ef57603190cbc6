//! Routes and rules that stand while a virtual router is Active, or while the node runs. What the kernel calls
//! them is not here.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};
use vrrp_common::wire::Family;

use super::Network;

/// An entry of `virtual_routes`, `virtual_rules`, `static_routes` or `static_rules`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Routing {
    /// A route.
    Route(Route),
    /// A rule that says which table decides.
    Rule(Rule),
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Route {
    /// Where to; prefix length 0 is the default route.
    pub destination: Network,
    /// What becomes of the packets.
    pub kind: RouteKind,
    /// The next hop.
    pub gateway: Option<IpAddr>,
    /// The interface; the kernel finds it by the next hop if absent.
    pub device: Option<String>,
    /// The address that the host itself sends from.
    pub source: Option<IpAddr>,
    /// The lower, the more preferred; the kernel's default if absent.
    pub metric: Option<u32>,
    /// Routing table; main is 254.
    pub table: u32,
    /// `rtm_scope` number: global 0, site 200, link 253, host 254.
    pub scope: u8,
    /// Take the next hop for a neighbour although no network of the interface has it.
    pub onlink: bool,
    /// Several ways, at least two, that share the packets; then the route itself has neither next hop nor interface.
    #[serde(default)]
    pub hops: Vec<Hop>,
}

/// One of several ways.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hop {
    /// The next hop.
    pub gateway: Option<IpAddr>,
    /// The interface; the kernel finds it by the next hop if absent.
    pub device: Option<String>,
    /// Its share, 1 to 256: as much of the packets as its part of the sum of all weights.
    pub weight: u16,
    /// As [`Route::onlink`].
    pub onlink: bool,
}

/// What becomes of the packets of a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RouteKind {
    /// They are sent.
    #[default]
    Unicast,
    /// They are dropped without a word.
    Blackhole,
    /// They are dropped and the sender is told that the destination is unreachable.
    Unreachable,
    /// They are dropped and the sender is told that this is forbidden.
    Prohibit,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    /// Whose packets.
    #[serde(with = "family")]
    pub family: Family,
    /// The lower, the earlier it is asked.
    pub priority: u32,
    /// Packets from there; all if absent.
    pub from: Option<Network>,
    /// Packets to there; all if absent.
    pub to: Option<Network>,
    /// Packets that came in there.
    pub input: Option<String>,
    /// Packets of sockets that are bound there.
    pub output: Option<String>,
    /// Packets with this mark, as (value, mask).
    pub mark: Option<(u32, u32)>,
    /// The table that decides.
    pub table: u32,
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

/// As `ip route` would take it.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            RouteKind::Unicast => "",
            RouteKind::Blackhole => "blackhole ",
            RouteKind::Unreachable => "unreachable ",
            RouteKind::Prohibit => "prohibit ",
        };
        match self.destination {
            Network { length: 0, .. } => write!(f, "{kind}default")?,
            network => write!(f, "{kind}{network}")?,
        }
        option(f, "via", self.gateway.as_ref())?;
        option(f, "dev", self.device.as_ref())?;
        option(f, "src", self.source.as_ref())?;
        option(f, "metric", self.metric.as_ref())?;
        option(f, "table", Some(&self.table).filter(|table| **table != MAIN_TABLE))?;
        option(f, "scope", Some(&self.scope).filter(|scope| **scope != 0))?;
        f.write_str(if self.onlink { " onlink" } else { "" })?;
        self.hops.iter().try_for_each(|hop| hop.fmt(f))
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(" nexthop")?;
        option(f, "via", self.gateway.as_ref())?;
        option(f, "dev", self.device.as_ref())?;
        option(f, "weight", Some(&self.weight).filter(|weight| **weight != 1))?;
        f.write_str(if self.onlink { " onlink" } else { "" })
    }
}

/// As `ip rule` would take it.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {}:", self.priority)?;
        option(f, "from", self.from.as_ref())?;
        option(f, "to", self.to.as_ref())?;
        if let Some((value, mask)) = self.mark {
            write!(f, " fwmark {value:#x}/{mask:#x}")?;
        }
        option(f, "iif", self.input.as_ref())?;
        option(f, "oif", self.output.as_ref())?;
        write!(f, " lookup {}", self.table)
    }
}

fn option(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " {name} {value}"))
}

/// As its number, 4 or 6.
mod family {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};
    use vrrp_common::wire::Family;

    pub(super) fn serialize<S: Serializer>(family: &Family, serializer: S) -> Result<S::Ok, S::Error> {
        (*family as u8).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Family, D::Error> {
        match u8::deserialize(deserializer)? {
            4 => Ok(Family::V4),
            6 => Ok(Family::V6),
            other => Err(D::Error::custom(format!("there is no IPv{other}"))),
        }
    }
}
