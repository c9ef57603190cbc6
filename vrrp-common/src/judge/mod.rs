//! Does this packet count? One function for kernel programs, sockets and tests. What follows from a packet
//! that counts is decided in [`crate::election`].
//!
//! [`locate`] finds the message, the caller looks the router up by [`Envelope::key`], [`judge`] checks, and
//! [`record`] moves the times, which [`settled`] reads. No time moves before every check has passed.
//!
//! The checks are made in the order of [`judge`]'s documentation and the first that fails is counted. The
//! router is looked up before all that need one, so a packet for a VRID that is not configured is counted as
//! [`DropReason::Vrid`] by the caller, whatever else may be wrong with it.
//!
//! Nothing in this module can panic: it is compiled for the kernel, too.

mod envelope;
mod passage;
mod record;
mod repeat;
mod verdict;

pub use envelope::{Envelope, locate, may_be_vrrp};
pub use passage::passage;
pub use record::{Notice, record, settled};
pub use repeat::{come_again, print};
pub use verdict::{Verdict, digest};

pub use crate::wire::DropReason;

use crate::{
    abi::{Address, RouterView},
    time::Interval,
    wire::{AUTH_LEN, Bytes, ChecksumForm, HEADER_LEN, Header, PROTOCOL, Sum, Version},
};
use verdict::{AddressList, Rank};

/// TTL and Hop Limit of everything that no router forwarded (RFC 9568 §5.1.1.3, §5.1.2.3).
const HOP_LIMIT: u8 = 255;

/// Whom a router listens to.
pub trait Peers {
    /// The TTLs or hop limits, lowest and highest, that are allowed from `source` if it is a configured
    /// unicast peer.
    fn ttl_range(&self, source: &Address) -> Option<(u8, u8)>;

    /// Whether `accept_from` lists `source`, unicast or multicast. Asked with [`RouterView::ADMITS`] only.
    fn admits(&self, source: &Address) -> bool;
}

/// No unicast peers, and nobody is admitted.
impl Peers for () {
    fn ttl_range(&self, _: &Address) -> Option<(u8, u8)> {
        None
    }

    fn admits(&self, _: &Address) -> bool {
        false
    }
}

/// Decides whether the message that [`locate`] found in `frame` counts for `router`, and as what.
///
/// # Errors
///
/// The first check that fails (rows of RFC 9568 §7.1 in the order of cost and generality):
///
/// | check | refused as |
/// |---|---|
/// | sent to the router's group, or by a configured peer to the router's address | [`DropReason::Mode`], [`DropReason::UnknownPeer`] |
/// | TTL or hop limit 255, or in the unicast peer's range | [`DropReason::Ttl`] |
/// | source within `accept_from`, if there is one | [`DropReason::NotAdmitted`] |
/// | at least a header | [`DropReason::Length`] |
/// | version known, type ADVERTISEMENT, version the router's | [`DropReason::Version`], [`DropReason::Type`] |
/// | at least one address, unless the router has none itself; exact length | [`DropReason::CountZero`], [`DropReason::Length`] |
/// | checksum, for VRRPv3 over IPv4 in either form | [`DropReason::Checksum`] |
/// | VRRPv2: authentication type, then password | [`DropReason::AuthType`], [`DropReason::AuthPassword`] |
/// | interval not zero; VRRPv2: the router's | [`DropReason::IntervalZero`], [`DropReason::IntervalDiffers`] |
/// | strict: first IPv6 address link-local | [`DropReason::LinkLocalFirst`] |
/// | strict: address list the router's (VRRPv2: or from the owner) | [`DropReason::AddressList`] |
/// | source not our own | [`DropReason::OwnSource`] |
///
/// A VRRPv3 interval that differs is none: the receiver adopts it (RFC 9568 §6.4.2). An owner that hears
/// another router says so and goes on (erratum 8298). Priority 0 is valid.
#[inline(always)]
pub fn judge(
    frame: &(impl Bytes + ?Sized),
    envelope: &Envelope,
    router: &RouterView,
    peers: &(impl Peers + ?Sized),
) -> Result<Verdict, DropReason> {
    check_delivery(envelope, router, peers)?;
    let header = header(frame, envelope)?;
    let version = header.version(envelope.family)?;
    if version as u8 != router.version {
        return Err(DropReason::Version);
    }
    if header.count == 0 && router.flags & RouterView::NO_ADDRESSES == 0 {
        return Err(DropReason::CountZero);
    }
    header.check_length(version, envelope.family, envelope.length())?;
    let form = checksum(frame, envelope, version)?;
    if version == Version::V2 {
        check_auth(frame, envelope, header, router)?;
    }
    let interval = interval(header, version, router)?;
    let list = AddressList::read(frame, envelope, header.count, router)?;
    check_list(list, version, header.priority, router)?;
    if envelope.source == router.source {
        return Err(DropReason::OwnSource);
    }
    let rank = Rank::of(router, &envelope.source, header.priority);
    Ok(Verdict {
        source: envelope.source,
        priority: header.priority,
        interval,
        digest: list.digest,
        checksum: ChecksumForm::only(version, envelope.family).is_none().then_some(form),
        differing_list: list.differs,
        first_not_link_local: list.first_not_link_local,
        second_owner: rank.second_owner,
        resigned: rank.resigned,
        accepted: rank.accepted,
        better: rank.better,
        losing: rank.losing,
    })
}

#[inline(always)]
fn check_delivery(
    envelope: &Envelope,
    router: &RouterView,
    peers: &(impl Peers + ?Sized),
) -> Result<(), DropReason> {
    let unicast = router.flags & RouterView::UNICAST != 0;
    let destination = if unicast { &router.source } else { &router.group };
    if envelope.destination != *destination {
        return Err(DropReason::Mode);
    }
    let (lowest, highest) = if unicast {
        peers.ttl_range(&envelope.source).ok_or(DropReason::UnknownPeer)?
    } else {
        (HOP_LIMIT, HOP_LIMIT)
    };
    if envelope.ttl < lowest || envelope.ttl > highest {
        return Err(DropReason::Ttl);
    }
    let open = router.flags & RouterView::ADMITS == 0;
    if open || peers.admits(&envelope.source) { Ok(()) } else { Err(DropReason::NotAdmitted) }
}

#[inline(always)]
fn header(frame: &(impl Bytes + ?Sized), envelope: &Envelope) -> Result<Header, DropReason> {
    if envelope.length() < HEADER_LEN {
        return Err(DropReason::Length);
    }
    frame.at(envelope.offset()).map(Header::from_bytes).ok_or(DropReason::Length)
}

/// The exact length was checked before, so it is a multiple of four.
#[inline(always)]
fn checksum(
    frame: &(impl Bytes + ?Sized),
    envelope: &Envelope,
    version: Version,
) -> Result<ChecksumForm, DropReason> {
    let message =
        Sum::ZERO.words(frame, envelope.offset(), envelope.length() / 4).ok_or(DropReason::Length)?;
    let Envelope { source, destination, length, .. } = *envelope;
    let pseudo = message.pseudo_header(source, destination, PROTOCOL, length);
    ChecksumForm::heard(version, envelope.family, message, pseudo).ok_or(DropReason::Checksum)
}

#[inline(always)]
fn check_auth(
    frame: &(impl Bytes + ?Sized),
    envelope: &Envelope,
    header: Header,
    router: &RouterView,
) -> Result<(), DropReason> {
    if header.auth_type() != router.auth_type {
        return Err(DropReason::AuthType);
    }
    let start = envelope.offset().wrapping_add(envelope.length()).wrapping_sub(AUTH_LEN);
    let data: [u8; AUTH_LEN] = frame.at(start).ok_or(DropReason::Length)?;
    // One comparison of one word: how long it takes tells nothing about where the two differ.
    let equal = u64::from_ne_bytes(data) == u64::from_ne_bytes(router.password);
    if header.auth_type() == 0 || equal { Ok(()) } else { Err(DropReason::AuthPassword) }
}

#[inline(always)]
fn interval(header: Header, version: Version, router: &RouterView) -> Result<Interval, DropReason> {
    let interval = header.interval(version);
    if interval == Interval::ZERO {
        return Err(DropReason::IntervalZero);
    }
    if version == Version::V2 && interval.as_nanos() != router.interval {
        return Err(DropReason::IntervalDiffers);
    }
    Ok(interval)
}

#[inline(always)]
fn check_list(
    list: AddressList,
    version: Version,
    priority: u8,
    router: &RouterView,
) -> Result<(), DropReason> {
    if router.flags & RouterView::STRICT == 0 {
        return Ok(());
    }
    if list.first_not_link_local {
        return Err(DropReason::LinkLocalFirst);
    }
    // RFC 3768 §7.1: what the owner says is processed whatever its list.
    let owner = version == Version::V2 && priority == u8::MAX;
    if list.differs && !owner { Err(DropReason::AddressList) } else { Ok(()) }
}
