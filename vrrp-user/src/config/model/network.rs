//! A network: an address and how much of it counts.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};
use vrrp_common::wire::Family;

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Network {
    /// Its address.
    pub address: IpAddr,
    /// How many bits of it count, at most 32 or 128.
    pub length: u8,
}

impl Network {
    /// IPv4 or IPv6.
    pub fn family(&self) -> Family {
        Family::of(self.address)
    }

    /// The same network without host bits.
    pub fn masked(self) -> Self {
        let length = u32::from(self.length);
        let address = match self.address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(length)).unwrap_or(0);
                IpAddr::V4((u32::from(v4) & mask).into())
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length)).unwrap_or(0);
                IpAddr::V6((u128::from(v6) & mask).into())
            }
        };
        Self { address, ..self }
    }

    /// Whether the address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let prefix = |bits: u128, size: u32| bits.checked_shr(size - u32::from(self.length)).unwrap_or(0);
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                prefix(u128::from(u32::from(own) ^ u32::from(other)), 32) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => prefix(u128::from(own) ^ u128::from(other), 128) == 0,
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}
