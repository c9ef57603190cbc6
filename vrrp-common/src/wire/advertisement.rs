//! Whole VRRP messages: [`Message`] writes them, [`Advertisement`] reads them. The layout is drawn in
//! [`super::header`]; whether a message counts for a router is decided in [`crate::judge`].

use core::net::IpAddr;

use super::{
    Bytes, ChecksumForm, DropReason, Family, PROTOCOL, Version,
    checksum::Sum,
    header::{AUTH_LEN, HEADER_LEN, Header, message_len},
};
use crate::time::Interval;

/// A message to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Protocol version.
    pub version: Version,
    /// Address family.
    pub family: Family,
    /// Virtual router, 1 to 255.
    pub vrid: u8,
    /// 0 resigns, 255 owns the addresses.
    pub priority: u8,
    /// Advertisement_Interval, sent in whole seconds (VRRPv2, 1 to 255) or centiseconds (VRRPv3, 1 to 4095).
    pub interval: Interval,
    /// VRRPv2: the zero-padded password (RFC 2338 §5.3.10), none for authentication type 0. VRRPv3 has no
    /// authentication and does not send it.
    pub password: Option<[u8; AUTH_LEN]>,
    /// The virtual addresses in the order of the configuration, up to 255 of the family. None is for routers that all
    /// have none (`no_virtual_ipaddress`): every other one has to ignore the message (RFC 9568 §5.2.5).
    pub addresses: &'a [IpAddr],
}

impl Message<'_> {
    /// The length in bytes, at most 4088.
    #[allow(clippy::len_without_is_empty, reason = "a message is never empty")]
    pub fn len(&self) -> usize {
        // More than 255 addresses cannot be counted in the header and are refused by `emit`.
        message_len(self.version, self.family, u8::try_from(self.addresses.len()).unwrap_or(u8::MAX))
    }

    /// Writes the message to the start of `buffer` and returns its length.
    ///
    /// `form` matters to VRRPv3 over IPv4 only, see [`ChecksumForm`]. `None` if the buffer is shorter than
    /// [`Self::len`], the list is longer than 255 or not all of the family, `source` or `destination`
    /// is not of the family, the VRID is 0, the interval is out of range, or it would be VRRPv2 over IPv6.
    pub fn emit(
        &self,
        source: IpAddr,
        destination: IpAddr,
        form: ChecksumForm,
        buffer: &mut [u8],
    ) -> Option<usize> {
        let mut header = self.header()?;
        if Family::of(source) != self.family || Family::of(destination) != self.family {
            return None;
        }
        let length = message_len(self.version, self.family, header.count);
        let message = buffer.get_mut(..length)?;
        self.write(header, message)?;
        let sum = match ChecksumForm::only(self.version, self.family).unwrap_or(form) {
            ChecksumForm::Message => Sum::ZERO,
            ChecksumForm::Pseudo => Sum::ZERO.pseudo_header(
                source.into(),
                destination.into(),
                PROTOCOL,
                u16::try_from(length).ok()?,
            ),
        };
        header.checksum = sum.bytes(message).checksum();
        *message.first_chunk_mut()? = header.to_bytes();
        Some(length)
    }

    fn header(&self) -> Option<Header> {
        let count = u8::try_from(self.addresses.len()).ok()?;
        let suits = self.vrid != 0
            && (self.version, self.family) != (Version::V2, Family::V6)
            && self.addresses.iter().all(|address| Family::of(*address) == self.family);
        let auth_type = u8::from(self.password.is_some());
        let header = Header::new(self.version, self.vrid, self.priority, count, self.interval, auth_type)?;
        suits.then_some(header)
    }

    /// Everything but the checksum, into exactly as many bytes as it takes.
    fn write(&self, header: Header, message: &mut [u8]) -> Option<()> {
        let rest = put(message, &header.to_bytes())?;
        let rest = self.addresses.iter().try_fold(rest, |rest, address| match address {
            IpAddr::V4(v4) => put(rest, &v4.octets()),
            IpAddr::V6(v6) => put(rest, &v6.octets()),
        })?;
        match self.version {
            Version::V2 => put(rest, &self.password.unwrap_or_default()).map(|_| ()),
            Version::V3 => Some(()),
        }
    }
}

/// A received message of sound structure: every field has a valid value and the lengths agree. The checksum
/// is not part of that, see [`Self::verify`], nor whether the receiver may hear of no addresses, see [`crate::judge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertisement<'a> {
    /// Protocol version.
    pub version: Version,
    /// Address family.
    pub family: Family,
    /// Virtual router, 1 to 255.
    pub vrid: u8,
    /// 0 resigns, 255 owns the addresses.
    pub priority: u8,
    /// The sender's Advertisement_Interval, never zero.
    pub interval: Interval,
    /// VRRPv2: authentication type and data, which is meaningless for type 0 (RFC 3768 §5.3.10).
    pub auth: Option<(u8, [u8; AUTH_LEN])>,
    message: &'a [u8],
}

impl<'a> Advertisement<'a> {
    /// Reads `message`, the whole payload of an IP packet of `family`.
    ///
    /// # Errors
    ///
    /// The first check that fails, in this order: [`DropReason::Length`] (shorter than a header),
    /// [`DropReason::Version`], [`DropReason::Type`], [`DropReason::Vrid`] (0), [`DropReason::Length`]
    /// (not what the count says), [`DropReason::IntervalZero`].
    pub fn parse(message: &'a [u8], family: Family) -> Result<Self, DropReason> {
        let header = Header::from_bytes(message.at(0).ok_or(DropReason::Length)?);
        let version = header.version(family)?;
        if header.vrid == 0 {
            return Err(DropReason::Vrid);
        }
        header.check_length(version, family, message.len())?;
        let interval = header.interval(version);
        if interval == Interval::ZERO {
            return Err(DropReason::IntervalZero);
        }
        let auth = match version {
            Version::V2 => Some((header.auth_type(), *message.last_chunk().ok_or(DropReason::Length)?)),
            Version::V3 => None,
        };
        let Header { vrid, priority, .. } = header;
        Ok(Self { version, family, vrid, priority, interval, auth, message })
    }

    /// The virtual addresses, in the sender's order.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<'a> {
        let (family, message) = (self.family, self.message);
        let end = message.len().saturating_sub(match self.version {
            Version::V2 => AUTH_LEN,
            Version::V3 => 0,
        });
        (HEADER_LEN..end).step_by(family.address_len()).filter_map(move |offset| match family {
            Family::V4 => message.at::<4>(offset).map(IpAddr::from),
            Family::V6 => message.at::<16>(offset).map(IpAddr::from),
        })
    }

    /// Checks the checksum and says which form it has; for VRRPv3 over IPv4 both are valid.
    ///
    /// # Errors
    ///
    /// [`DropReason::Checksum`] if no form that the version and family allow is intact.
    pub fn verify(&self, source: IpAddr, destination: IpAddr) -> Result<ChecksumForm, DropReason> {
        let length = u16::try_from(self.message.len()).map_err(|_| DropReason::Length)?;
        let message = Sum::ZERO.bytes(self.message);
        let pseudo = message.pseudo_header(source.into(), destination.into(), PROTOCOL, length);
        ChecksumForm::heard(self.version, self.family, message, pseudo).ok_or(DropReason::Checksum)
    }
}

/// Copies `bytes` to the start of `to` and returns what is left of it.
fn put<'a>(to: &'a mut [u8], bytes: &[u8]) -> Option<&'a mut [u8]> {
    let (head, rest) = to.split_at_mut_checked(bytes.len())?;
    head.copy_from_slice(bytes);
    Some(rest)
}
