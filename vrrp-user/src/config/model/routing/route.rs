//! A route and what it may say.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use super::{MAIN_TABLE, Realms, named, option};
use crate::config::model::Network;

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
    /// Only for packets with this type of service (IPv4); 0 for all.
    #[serde(default)]
    pub tos: u8,
    /// What the host's own connections along the route begin with.
    #[serde(default)]
    pub metrics: BTreeMap<Metric, Amount>,
    /// For whom the packets are counted (IPv4).
    #[serde(default)]
    pub realms: Option<Realms>,
    /// How a route of the same metric compares (IPv6).
    #[serde(default)]
    pub preference: Preference,
    /// Where it goes among others to the same network.
    #[serde(default)]
    pub placement: Placement,
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
    /// As [`Route::realms`].
    #[serde(default)]
    pub realms: Option<Realms>,
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
    /// The next rule is asked.
    Throw,
}

impl RouteKind {
    /// All but the usual one, by their names.
    pub(in crate::config) const NAMED: [(&str, Self); 4] = [
        ("blackhole", Self::Blackhole),
        ("unreachable", Self::Unreachable),
        ("prohibit", Self::Prohibit),
        ("throw", Self::Throw),
    ];
}

/// One thing that a connection along the route begins with, in the order of the kernel (linux/rtnetlink.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "tcp(7) and ip-route(8) tell what each of them does")]
pub enum Metric {
    Mtu = 2,
    Window,
    Rtt,
    RttVar,
    SsThresh,
    Cwnd,
    AdvMss,
    Reordering,
    HopLimit,
    InitCwnd,
    Features,
    RtoMin,
    InitRwnd,
    QuickAck,
    FastopenNoCookie = 17,
}

/// What a [`Metric`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Amount {
    /// In the kernel's unit; never 0, which is none.
    pub value: u32,
    /// What is learned later does not change it.
    pub locked: bool,
}

impl Metric {
    /// By the names of `ip route`.
    pub(in crate::config) const NAMED: [(&str, Self); 15] = [
        ("mtu", Self::Mtu),
        ("window", Self::Window),
        ("rtt", Self::Rtt),
        ("rttvar", Self::RttVar),
        ("ssthresh", Self::SsThresh),
        ("cwnd", Self::Cwnd),
        ("advmss", Self::AdvMss),
        ("reordering", Self::Reordering),
        ("hoplimit", Self::HopLimit),
        ("initcwnd", Self::InitCwnd),
        ("features", Self::Features),
        ("rto_min", Self::RtoMin),
        ("initrwnd", Self::InitRwnd),
        ("quickack", Self::QuickAck),
        ("fastopen_no_cookie", Self::FastopenNoCookie),
    ];

    /// What `ip route` calls it.
    pub fn name(self) -> &'static str {
        named(&Self::NAMED, &self)
    }

    /// The kernel cuts what is more.
    pub(in crate::config) fn limit(self) -> u32 {
        match self {
            Self::Mtu => 65_520,
            Self::AdvMss => 65_495,
            Self::HopLimit => 255,
            Self::QuickAck | Self::FastopenNoCookie => 1,
            _ => u32::MAX,
        }
    }
}

/// How a route of the same metric compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Preference {
    /// It gives way.
    Low,
    /// Neither.
    #[default]
    Medium,
    /// It goes first.
    High,
}

impl Preference {
    /// By the names of `ip route`.
    pub(in crate::config) const NAMED: [(&str, Self); 3] =
        [("low", Self::Low), ("medium", Self::Medium), ("high", Self::High)];
}

/// Where a route goes among others to the same network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Placement {
    /// Before them.
    #[default]
    First,
    /// Behind them.
    Last,
    /// Nowhere: it is not set beside one that was there.
    Alone,
}

/// As `ip route` would take it.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != RouteKind::Unicast {
            write!(f, "{} ", named(&RouteKind::NAMED, &self.kind))?;
        }
        match self.destination {
            Network { length: 0, .. } => f.write_str("default")?,
            network => network.fmt(f)?,
        }
        if self.tos != 0 {
            write!(f, " tos {:#04x}", self.tos)?;
        }
        option(f, "via", self.gateway.as_ref())?;
        option(f, "dev", self.device.as_ref())?;
        option(f, "src", self.source.as_ref())?;
        option(f, "metric", self.metric.as_ref())?;
        option(f, "table", Some(&self.table).filter(|table| **table != MAIN_TABLE))?;
        option(f, "scope", Some(&self.scope).filter(|scope| **scope != 0))?;
        f.write_str(if self.onlink { " onlink" } else { "" })?;
        self.fmt_metrics(f)?;
        option(f, "realms", self.realms.as_ref())?;
        if self.preference != Preference::default() {
            write!(f, " pref {}", named(&Preference::NAMED, &self.preference))?;
        }
        f.write_str(match self.placement {
            Placement::First => "",
            Placement::Last => " append",
            Placement::Alone => " add",
        })?;
        self.hops.iter().try_for_each(|hop| hop.fmt(f))
    }
}

impl Route {
    fn fmt_metrics(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (metric, Amount { value, locked }) in &self.metrics {
            let lock = if *locked { "lock " } else { "" };
            match metric {
                Metric::Features => f.write_str(" features ecn")?,
                _ => write!(f, " {} {lock}{value}", metric.name())?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(" nexthop")?;
        option(f, "via", self.gateway.as_ref())?;
        option(f, "dev", self.device.as_ref())?;
        option(f, "weight", Some(&self.weight).filter(|weight| **weight != 1))?;
        option(f, "realms", self.realms.as_ref())?;
        f.write_str(if self.onlink { " onlink" } else { "" })
    }
}
