//! Why a packet does not count: one reason for each check, shared by kernel, sockets, metrics and logs.

use core::fmt;

/// Why a packet of IP protocol 112 was refused. The number is the index of its counter.
///
/// The first check that fails is counted, in the order of [`crate::judge`]. A packet whose VRID is not
/// configured is counted as [`Self::Vrid`] if its IP header can be read, whatever else is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum DropReason {
    /// The IP header is cut, of another version or shorter than its own length says, or the frame ends
    /// before the packet does (RFC 791 §3.1, RFC 8200 §3).
    IpHeader,
    /// A fragment: VRRP fits into one packet (RFC 791 §3.2).
    Fragment,
    /// No such virtual router on this interface (RFC 9568 §7.1).
    Vrid,
    /// Multicast for a unicast router, or sent to another destination than the router listens to
    /// (RFC 9568 §5.1.1.2, §5.1.2.2).
    Mode,
    /// A unicast source that is not a configured peer.
    UnknownPeer,
    /// TTL or Hop Limit is not 255, or outside the unicast peer's range (RFC 9568 §5.1.1.3, §5.1.2.3).
    Ttl,
    /// The source is outside `accept_from`.
    NotAdmitted,
    /// The IP payload is not exactly as long as the message says (RFC 9568 §7.1).
    Length,
    /// Neither version 2 nor 3, version 2 over IPv6, or not the router's version (RFC 9568 §7.1).
    Version,
    /// Not an ADVERTISEMENT (RFC 9568 §5.2.2).
    Type,
    /// A list of no addresses (RFC 9568 §5.2.5, erratum 8299), to a router that has some.
    CountZero,
    /// The checksum is wrong in every form (RFC 9568 §5.2.8, RFC 3768 §5.3.8).
    Checksum,
    /// VRRPv2: another authentication type than the router's (RFC 2338 §5.3.6).
    AuthType,
    /// VRRPv2: another password than the router's (RFC 2338 §5.3.10).
    AuthPassword,
    /// An Advertisement_Interval of zero (RFC 9568 §5.2.7, erratum 8301).
    IntervalZero,
    /// VRRPv2: another Advertisement_Interval than the router's (RFC 3768 §7.1).
    IntervalDiffers,
    /// Strict: the first IPv6 address is not link-local (RFC 9568 §5.2.9, erratum 8300).
    LinkLocalFirst,
    /// Strict: the address list is not the router's (RFC 3768 §7.1).
    AddressList,
    /// Sent from our own address: looped, or somebody uses it too.
    OwnSource,
}

impl DropReason {
    /// How many reasons there are.
    pub const COUNT: usize = 19;

    /// Every reason, in the order of the counters.
    pub const ALL: [Self; Self::COUNT] = [
        Self::IpHeader,
        Self::Fragment,
        Self::Vrid,
        Self::Mode,
        Self::UnknownPeer,
        Self::Ttl,
        Self::NotAdmitted,
        Self::Length,
        Self::Version,
        Self::Type,
        Self::CountZero,
        Self::Checksum,
        Self::AuthType,
        Self::AuthPassword,
        Self::IntervalZero,
        Self::IntervalDiffers,
        Self::LinkLocalFirst,
        Self::AddressList,
        Self::OwnSource,
    ];

    /// The stable name in metrics, status and logs. RFC 8347 has coarser counters of similar names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IpHeader => "ip-header",
            Self::Fragment => "fragment",
            Self::Vrid => "vrid",
            Self::Mode => "mode",
            Self::UnknownPeer => "unknown-peer",
            Self::Ttl => "ttl",
            Self::NotAdmitted => "not-admitted",
            Self::Length => "length",
            Self::Version => "version",
            Self::Type => "type",
            Self::CountZero => "count-zero",
            Self::Checksum => "checksum",
            Self::AuthType => "auth-type",
            Self::AuthPassword => "auth-password",
            Self::IntervalZero => "interval-zero",
            Self::IntervalDiffers => "interval-differs",
            Self::LinkLocalFirst => "link-local-first",
            Self::AddressList => "address-list",
            Self::OwnSource => "self",
        }
    }

    /// Whether such a packet was sent to one of our routers, and so is nobody else's: a receive path that can
    /// drop it does.
    pub const fn is_ours(self) -> bool {
        !matches!(
            self,
            Self::IpHeader
                | Self::Fragment
                | Self::Vrid
                | Self::Mode
                | Self::UnknownPeer
                | Self::NotAdmitted
                | Self::OwnSource
        )
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::IpHeader => "the IP header is cut or malformed",
            Self::Fragment => "it is a fragment; give the sender fewer addresses or the link a larger MTU",
            Self::Vrid => "no virtual router with this VRID is configured on the interface",
            Self::Mode => {
                "it was sent to another destination; use multicast or unicast on every router alike"
            }
            Self::UnknownPeer => "the sender is not a unicast peer; add it to unicast_peer if it should be",
            Self::Ttl => "the TTL or hop limit is not allowed; 255 means that no router forwarded it",
            Self::NotAdmitted => "the sender is outside accept_from",
            Self::Length => "the length is not what the address count says",
            Self::Version => "the VRRP version is not the configured one; set the same on every router",
            Self::Type => "the type is not ADVERTISEMENT",
            Self::CountZero => {
                "the address list is empty; use `no_virtual_ipaddress` on every router or on none"
            }
            Self::Checksum => "the checksum is wrong",
            Self::AuthType => {
                "the authentication type is not the configured one; set the same on every router"
            }
            Self::AuthPassword => "the password is not the configured one; set the same on every router",
            Self::IntervalZero => "the advertisement interval is zero",
            Self::IntervalDiffers => {
                "the advertisement interval is not the configured one; VRRPv2 needs the same on every router"
            }
            Self::LinkLocalFirst => "the first IPv6 address is not link-local; put the link-local one first",
            Self::AddressList => "the address list is not the configured one; set the same on every router",
            Self::OwnSource => {
                "it came from our own address; look for a loop or for another host that uses the address"
            }
        }
    }
}

/// Completes "advertisement refused: ..." for people.
impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl core::error::Error for DropReason {}
