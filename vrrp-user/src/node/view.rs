//! What the receive path is told of a router: the configuration and the election's standing as one record.

use std::net::IpAddr;

use bytemuck::Zeroable as _;
use vrrp_common::{
    abi::{Address, RouterView, Standing},
    judge::digest,
    wire::Version,
};

use crate::config::model::Instance;

/// VRRPv2 authentication type 1, simple text password (RFC 2338 §5.3.6).
const SIMPLE_TEXT: u8 = 1;

/// The record that [`vrrp_common::judge::judge`] reads for a router, out of what its configuration says (see
/// [`configured`]) and what changes with the interface and with every input of the election.
pub(super) fn view(configured: RouterView, source: IpAddr, standing: Standing) -> RouterView {
    RouterView { standing, source: source.into(), ..configured }
}

/// What the configuration says of it.
pub(super) fn configured(instance: &Instance) -> RouterView {
    let v2 = instance.version == Version::V2;
    RouterView {
        standing: Standing::zeroed(),
        source: Address::default(),
        group: instance.group.into(),
        digest: digest(instance.advertised().map(Address::from)),
        password: instance.password.unwrap_or_default(),
        interval: if v2 { instance.advertisement_interval.as_nanos() } else { 0 },
        version: instance.version as u8,
        auth_type: if instance.password.is_some() { SIMPLE_TEXT } else { 0 },
        serial: 0,
        flags: flags(instance),
    }
}

fn flags(instance: &Instance) -> u16 {
    let flag = |applies: bool, flag: u16| if applies { flag } else { 0 };
    flag(!instance.peers.is_empty(), RouterView::UNICAST)
        | flag(instance.accept_from.is_some(), RouterView::ADMITS)
        | flag(instance.addresses.is_empty(), RouterView::NO_ADDRESSES)
}
