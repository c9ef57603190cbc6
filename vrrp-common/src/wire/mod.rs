//! VRRP on the wire: reading and writing bytes. What a message means for a router is not decided here.

use core::net::IpAddr;

mod advertisement;
mod bytes;
mod checksum;
mod drop_reason;
pub mod frame;
mod header;

pub use advertisement::{Advertisement, Message};
pub use bytes::Bytes;
pub use checksum::{ChecksumForm, Sum};
pub use drop_reason::DropReason;
pub use header::{AUTH_LEN, HEADER_LEN, Header, message_len};

/// The IP protocol number of VRRP (RFC 9568 §5.1.1.4).
pub const PROTOCOL: u8 = 112;

/// The Ethernet protocol number of IPv4, in network order.
pub(crate) const ETHERTYPE_IPV4: [u8; 2] = [0x08, 0x00];
/// The Ethernet protocol number of IPv6, in network order.
pub(crate) const ETHERTYPE_IPV6: [u8; 2] = [0x86, 0xdd];

/// The version of the protocol that a virtual router speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Version {
    /// VRRPv2 (RFC 3768): IPv4 only, whole seconds.
    V2 = 2,
    /// VRRPv3 (RFC 9568): IPv4 and IPv6, centiseconds.
    V3 = 3,
}

/// The address family of a virtual router. The same VRID may be used once in each (RFC 9568 §5.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Family {
    /// IPv4.
    V4 = 4,
    /// IPv6.
    V6 = 6,
}

impl Family {
    /// The family of `address`.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The length of an address in bytes.
    pub const fn address_len(self) -> usize {
        match self {
            Self::V4 => 4,
            Self::V6 => 16,
        }
    }
}
