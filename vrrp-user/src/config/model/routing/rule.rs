//! A rule and what it may say.

use std::fmt;

use serde::{Deserialize, Serialize};
use vrrp_common::wire::Family;

use super::{Realms, option};
use crate::config::model::Network;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    /// Whose packets.
    #[serde(with = "family")]
    pub family: Family,
    /// The lower, the earlier it is asked.
    pub priority: u32,
    /// It is about all packets but these.
    pub inverted: bool,
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
    /// Packets with this type of service; 0 for all.
    pub tos: u8,
    /// Packets of this protocol.
    pub protocol: Option<u8>,
    /// Packets from these ports.
    pub source_ports: Option<Range<u16>>,
    /// Packets to these ports.
    pub destination_ports: Option<Range<u16>>,
    /// Packets of sockets of these users.
    pub users: Option<Range<u32>>,
    /// What is done.
    pub action: Action,
    /// For whom the packets are counted (IPv4).
    pub realms: Option<Realms>,
    /// Routes to networks whose prefix is no longer than this do not count.
    pub suppressed_length: Option<u32>,
    /// Routes to interfaces of this group do not count.
    pub suppressed_group: Option<u32>,
}

/// From the first to the last, with both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Range<T> {
    /// The first.
    pub first: T,
    /// The last.
    pub last: T,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Action {
    /// The table decides.
    Table(u32),
    /// The table of the interface's VRF decides.
    VrfTable,
    /// The rule of this priority is asked next.
    Goto(u32),
    /// Nothing.
    Nop,
    /// The packets are dropped without a word.
    Blackhole,
    /// They are dropped and the sender is told that the destination is unreachable.
    Unreachable,
    /// They are dropped and the sender is told that this is forbidden.
    Prohibit,
}

/// As `ip rule` would take it.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {}:", self.priority)?;
        f.write_str(if self.inverted { " not" } else { "" })?;
        option(f, "from", self.from.as_ref())?;
        option(f, "to", self.to.as_ref())?;
        if let Some((value, mask)) = self.mark {
            write!(f, " fwmark {value:#x}/{mask:#x}")?;
        }
        option(f, "iif", self.input.as_ref())?;
        option(f, "oif", self.output.as_ref())?;
        if self.tos != 0 {
            write!(f, " tos {:#04x}", self.tos)?;
        }
        option(f, "ipproto", self.protocol.as_ref())?;
        option(f, "sport", self.source_ports.as_ref())?;
        option(f, "dport", self.destination_ports.as_ref())?;
        option(f, "uidrange", self.users.as_ref())?;
        self.action.fmt(f)?;
        option(f, "realms", self.realms.as_ref())?;
        option(f, "suppress_prefixlength", self.suppressed_length.as_ref())?;
        option(f, "suppress_ifgroup", self.suppressed_group.as_ref())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => write!(f, " lookup {table}"),
            Self::VrfTable => f.write_str(" l3mdev"),
            Self::Goto(priority) => write!(f, " goto {priority}"),
            Self::Nop => f.write_str(" nop"),
            Self::Blackhole => f.write_str(" blackhole"),
            Self::Unreachable => f.write_str(" unreachable"),
            Self::Prohibit => f.write_str(" prohibit"),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Range<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
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
