//! The eight bytes that every VRRP message begins with. What follows them is in [`super::Advertisement`].
//!
//! VRRPv3 (RFC 9568 §5.2):
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Version| Type  | Virtual Rtr ID|   Priority    | IPvX addr count|
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |reserve|Max Advertise Interval |           Checksum            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                       IPvX addresses ...                      |
//! ```
//!
//! VRRPv2 (RFC 3768 §5.1) has the authentication type in the fifth byte and whole seconds in the sixth:
//!
//! ```text
//! |   Auth Type   |   Adver Int   |           Checksum            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      IPv4 addresses ...       | 8 bytes of authentication data |
//! ```

use super::{DropReason, Family, Version};
use crate::time::Interval;

/// The length of a [`Header`] in bytes.
pub const HEADER_LEN: usize = 8;
/// The length of VRRPv2's authentication data in bytes, present whatever the type (RFC 3768 §5.3.10).
pub const AUTH_LEN: usize = 8;

/// The only message type there is (RFC 9568 §5.2.2).
const ADVERTISEMENT: u8 = 1;
/// The 12 bits of Max Advertise Interval; the four above are reserved (RFC 9568 §5.2.6).
const MAX_ADVERTISE_INTERVAL: u16 = 0x0fff;

/// The fixed part of a message, as read: nothing is checked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    version_and_type: u8,
    /// The virtual router, 1 to 255 in a valid message.
    pub vrid: u8,
    /// 0 (resigns) to 255 (owns the addresses).
    pub priority: u8,
    /// How many addresses follow; at least 1 unless the routers have none (`no_virtual_ipaddress`).
    pub count: u8,
    fifth: u8,
    sixth: u8,
    /// The checksum, in network order.
    pub checksum: [u8; 2],
}

impl Header {
    /// A header of an advertisement whose checksum is still zero. `None` if `interval` cannot be said in
    /// `version`'s unit: 1 to 255 seconds or 1 to 4095 centiseconds (a rest below one unit is cut).
    pub fn new(
        version: Version,
        vrid: u8,
        priority: u8,
        count: u8,
        interval: Interval,
        auth_type: u8,
    ) -> Option<Self> {
        let [fifth, sixth] = match version {
            Version::V2 => [auth_type, u8::try_from(interval.as_secs()).ok()?],
            Version::V3 => u16::try_from(interval.as_centiseconds())
                .ok()
                .filter(|centiseconds| *centiseconds <= MAX_ADVERTISE_INTERVAL)?
                .to_be_bytes(),
        };
        let version_and_type = (version as u8) << 4 | ADVERTISEMENT;
        let header = Self { version_and_type, vrid, priority, count, fifth, sixth, checksum: [0; 2] };
        (header.interval(version) != Interval::ZERO).then_some(header)
    }

    /// Reads any eight bytes.
    pub const fn from_bytes(bytes: [u8; HEADER_LEN]) -> Self {
        let [version_and_type, vrid, priority, count, fifth, sixth, high, low] = bytes;
        Self { version_and_type, vrid, priority, count, fifth, sixth, checksum: [high, low] }
    }

    /// Writes the eight bytes that [`Self::from_bytes`] reads.
    pub const fn to_bytes(self) -> [u8; HEADER_LEN] {
        let [high, low] = self.checksum;
        [self.version_and_type, self.vrid, self.priority, self.count, self.fifth, self.sixth, high, low]
    }

    /// The version and that this is an advertisement.
    ///
    /// # Errors
    ///
    /// [`DropReason::Version`] if it is neither 2 nor 3, or 2 over IPv6 (RFC 9568 §7.1); [`DropReason::Type`]
    /// if the type is not ADVERTISEMENT (RFC 9568 §5.2.2).
    pub const fn version(self, family: Family) -> Result<Version, DropReason> {
        let version = match (self.version_and_type >> 4, family) {
            (2, Family::V4) => Version::V2,
            (3, _) => Version::V3,
            _ => return Err(DropReason::Version),
        };
        if self.version_and_type & 0x0f == ADVERTISEMENT { Ok(version) } else { Err(DropReason::Type) }
    }

    /// That the message is exactly as long as its addresses make it.
    ///
    /// # Errors
    ///
    /// [`DropReason::Length`] if `length`, the IP payload's, is another than the count says. CARP and trailers of
    /// other protocols end here.
    pub fn check_length(self, version: Version, family: Family, length: usize) -> Result<(), DropReason> {
        if message_len(version, family, self.count) == length { Ok(()) } else { Err(DropReason::Length) }
    }

    /// The sender's Advertisement_Interval; zero is not valid (erratum 8301). VRRPv3's reserved bits are
    /// ignored.
    pub const fn interval(self, version: Version) -> Interval {
        match version {
            Version::V2 => Interval::from_secs(self.sixth as u64),
            Version::V3 => Interval::from_centiseconds(
                u16::from_be_bytes([self.fifth, self.sixth]) & MAX_ADVERTISE_INTERVAL,
            ),
        }
    }

    /// VRRPv2's authentication type: 0 none (RFC 3768 §5.3.6), 1 simple text password (RFC 2338 §5.3.6).
    /// Meaningless in VRRPv3.
    pub const fn auth_type(self) -> u8 {
        self.fifth
    }
}

/// The length in bytes of a message with `count` addresses.
pub fn message_len(version: Version, family: Family, count: u8) -> usize {
    let addresses = usize::from(count).wrapping_mul(family.address_len());
    let auth = match version {
        Version::V2 => AUTH_LEN,
        Version::V3 => 0,
    };
    HEADER_LEN.wrapping_add(addresses).wrapping_add(auth)
}
