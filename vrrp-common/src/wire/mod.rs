//! VRRP on the wire: reading and writing bytes. What a message means for a router is not decided here.

mod bytes;

pub use bytes::Bytes;

/// The IP protocol number of VRRP (RFC 9568 §5.1.1.4).
pub const PROTOCOL: u8 = 112;

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
