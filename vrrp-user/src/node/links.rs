//! What the host's interfaces mean for a router: is it eligible, and which address does it send from? Pure.

use std::{collections::HashSet, net::IpAddr};

use vrrp_common::election::Fault;

use crate::{
    config::model::Instance,
    netlink::{Link, LinkTable},
};

/// What a router needs of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ground {
    /// Interface index.
    pub(super) ifindex: u32,
    /// The link-layer address that advertisements leave with.
    pub(super) mac: [u8; 6],
    /// The address that we send with.
    pub(super) source: IpAddr,
}

/// The ground under `instance`, or why there is none. `virtual_addresses` are those of all routers here.
pub(super) fn ground(
    instance: &Instance,
    table: &LinkTable,
    virtual_addresses: &HashSet<IpAddr>,
) -> Result<Ground, Fault> {
    let link = table.by_name(&instance.interface).ok_or(Fault::InterfaceMissing)?;
    if !link.up && instance.tracks_link {
        return Err(Fault::LinkDown);
    }
    if instance.tracks_source && instance.source.is_some_and(|source| !is_here(source, table)) {
        return Err(Fault::NoSourceAddress);
    }
    let source = source(instance, link, virtual_addresses).ok_or(Fault::NoSourceAddress)?;
    // Interfaces without neighbours (tunnels) have no link-layer address; frames there carry zeros.
    Ok(Ground { ifindex: link.ifindex, mac: sender(instance).or(link.mac).unwrap_or_default(), source })
}

fn is_here(address: IpAddr, table: &LinkTable) -> bool {
    table.iter().flat_map(|link| &link.addresses).any(|entry| entry.address == address && entry.is_usable())
}

/// The virtual router's MAC address (RFC 9568 §7.2), if it has one and is to advertise with it.
pub(super) fn sender(instance: &Instance) -> Option<[u8; 6]> {
    instance.virtual_mac.as_ref().filter(|own| !own.advertise_from_base).map(|own| own.mac)
}

/// The configured source, else the primary address (RFC 9568 §5.1.1.1, §5.1.2.1). A virtual address is never
/// one, even if an earlier run left it on the interface, unless this host owns it.
fn source(instance: &Instance, link: &Link, virtual_addresses: &HashSet<IpAddr>) -> Option<IpAddr> {
    let own = instance.priority == 255;
    let may_be = |address: &IpAddr| own || !virtual_addresses.contains(address);
    instance.source.or_else(|| link.primary_address(instance.family, may_be))
}
