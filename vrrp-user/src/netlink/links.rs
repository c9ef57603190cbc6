//! The host's interfaces and their addresses as the kernel tells them. Nothing is asked for or changed here.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

use rtnetlink::packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressFlags, AddressMessage},
    link::{InfoData, InfoKind, InfoMacVlan, LinkAttribute, LinkFlags, LinkInfo, LinkMessage, MacVlanMode},
};
use vrrp_common::wire::Family;

/// Every interface of the network namespace. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkTable {
    links: BTreeMap<u32, Arc<Link>>,
    /// By name: as many routers as there are interfaces look theirs up.
    names: BTreeMap<Arc<str>, u32>,
}

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// The kernel's number of it; another one after it was removed and made again.
    pub ifindex: u32,
    /// Its name.
    pub name: String,
    /// Whether somebody switched it on (`IFF_UP`).
    pub enabled: bool,
    /// Whether it carries packets: switched on, carrier there, operational (RFC 2863).
    pub up: bool,
    /// Its hardware address; `None` where neighbours are not asked for one (loopback, tunnels).
    pub mac: Option<[u8; 6]>,
    /// Largest IP packet, in bytes.
    pub mtu: u32,
    /// What it is stacked on, if it is a macvlan.
    pub macvlan: Option<Macvlan>,
    /// Its addresses in the kernel's order, as far as it is known.
    pub addresses: Vec<LinkAddress>,
    /// The same, to be found at once.
    known: HashMap<(IpAddr, u8), LinkAddress>,
}

/// What a macvlan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Macvlan {
    /// The number of the interface below: frames for the macvlan arrive there, and leave there.
    pub parent: u32,
    /// Closed to other macvlans of the same interface.
    pub private: bool,
}

/// An address on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkAddress {
    /// The address of this host (not the far end of a point-to-point link).
    pub address: IpAddr,
    /// Prefix length.
    pub prefix: u8,
    /// `rtm_scope` number: global 0, site 200, link 253, host 254.
    pub scope: u8,
    /// `IFA_F_*` of `linux/if_addr.h`.
    pub flags: u32,
}

impl LinkAddress {
    fn identity(&self) -> (IpAddr, u8) {
        identity(self.address, self.prefix)
    }

    /// Whether another address of the same subnet was there first (IPv4): it goes when that one goes, unless
    /// `promote_secondaries` is set.
    pub fn is_secondary(&self) -> bool {
        self.address.is_ipv4() && AddressFlags::from_bits_retain(self.flags).contains(AddressFlags::Secondary)
    }

    /// Whether it may be sent from: duplicate address detection has not failed and is not still running.
    pub fn is_usable(&self) -> bool {
        let flags = AddressFlags::from_bits_retain(self.flags);
        self.address.is_ipv4() || !flags.intersects(AddressFlags::Tentative | AddressFlags::Dadfailed)
    }
}

impl Link {
    /// The address to send advertisements from when the configuration names none: the first IPv4 address that
    /// is not secondary (RFC 9568 §5.1.1.1) or the first link-local IPv6 address (§5.1.2.1) that `may_be` one.
    pub fn primary_address(&self, family: Family, may_be: impl Fn(&IpAddr) -> bool) -> Option<IpAddr> {
        self.addresses
            .iter()
            .filter(|candidate| candidate.is_usable() && may_be(&candidate.address))
            .filter(|candidate| match (family, candidate.address) {
                (Family::V4, IpAddr::V4(_)) => !candidate.is_secondary(),
                (Family::V6, IpAddr::V6(v6)) => v6.is_unicast_link_local(),
                _ => false,
            })
            .map(|candidate| candidate.address)
            .next()
    }

    /// The entry for `address`. Where IPv4 allows the same address with several prefixes, `prefix` decides;
    /// IPv6 has an address once on an interface, whatever its prefix.
    pub fn find(&self, address: IpAddr, prefix: u8) -> Option<&LinkAddress> {
        self.known.get(&identity(address, prefix))
    }

    fn set(&mut self, entry: LinkAddress) {
        match self.known.insert(entry.identity(), entry) {
            None => self.addresses.push(entry),
            Some(_) => {
                let same = self.addresses.iter_mut().filter(|known| known.identity() == entry.identity());
                same.for_each(|known| *known = entry);
            }
        }
    }

    fn remove(&mut self, entry: &LinkAddress) {
        self.known.remove(&entry.identity());
        self.addresses.retain(|known| known.identity() != entry.identity());
    }
}

/// What tells an address of an interface from the others there.
fn identity(address: IpAddr, prefix: u8) -> (IpAddr, u8) {
    (address, if address.is_ipv6() { 0 } else { prefix })
}

impl LinkTable {
    /// The interface with this number.
    pub fn by_index(&self, ifindex: u32) -> Option<&Link> {
        self.links.get(&ifindex).map(Arc::as_ref)
    }

    /// The interface of this name.
    pub fn by_name(&self, name: &str) -> Option<&Link> {
        self.by_index(*self.names.get(name)?)
    }

    /// Every interface, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.links.values().map(Arc::as_ref)
    }

    /// The same interface, believed to be up or not.
    pub fn set_up(&mut self, ifindex: u32, up: bool) {
        if let Some(link) = self.links.get_mut(&ifindex).filter(|link| link.up != up) {
            Arc::make_mut(link).up = up;
        }
    }

    /// Interfaces of these names, up or not.
    #[cfg(test)]
    pub(crate) fn of(links: &[(&str, bool)]) -> Self {
        let link = |(ifindex, (name, up)): (u32, &(&str, bool))| Link {
            ifindex,
            name: (*name).to_owned(),
            up: *up,
            ..Link::default()
        };
        let mut table = Self::default();
        (1..).zip(links).map(link).for_each(|link| table.put(link));
        table
    }

    /// Takes in what the kernel says; tells whether anything is different now.
    pub(super) fn apply(&mut self, message: &RouteNetlinkMessage) -> bool {
        match message {
            RouteNetlinkMessage::NewLink(link) if is_link(link) => self.set_link(link),
            RouteNetlinkMessage::DelLink(link) if is_link(link) => self.take(link.header.index).is_some(),
            RouteNetlinkMessage::NewAddress(address) => self.set_address(address),
            RouteNetlinkMessage::DelAddress(address) => self.remove_address(address),
            _ => false,
        }
    }

    fn take(&mut self, ifindex: u32) -> Option<Arc<Link>> {
        let link = self.links.remove(&ifindex)?;
        // Another interface may have got the name first.
        if self.names.get(link.name.as_str()) == Some(&ifindex) {
            self.names.remove(link.name.as_str());
        }
        Some(link)
    }

    fn put(&mut self, link: Link) {
        self.take(link.ifindex);
        self.names.insert(link.name.as_str().into(), link.ifindex);
        self.links.insert(link.ifindex, Arc::new(link));
    }

    fn set_link(&mut self, message: &LinkMessage) -> bool {
        let ifindex = message.header.index;
        let old = self.links.get(&ifindex);
        let mut link = old.map_or_else(Link::default, |link| Link::clone(link));
        let flags = message.header.flags;
        link.ifindex = ifindex;
        link.enabled = flags.contains(LinkFlags::Up);
        link.up = flags.contains(LinkFlags::Up | LinkFlags::Running | LinkFlags::LowerUp);
        let (mut parent, mut private) = (None, None);
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name.clone_from(name),
                LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
                LinkAttribute::Address(bytes) => link.mac = bytes.as_slice().try_into().ok(),
                LinkAttribute::Link(below) => parent = Some(*below),
                LinkAttribute::LinkInfo(info) => private = is_private(info),
                _ => {}
            }
        }
        if let Some((parent, private)) = parent.zip(private) {
            link.macvlan = Some(Macvlan { parent, private });
        }
        if flags.intersects(LinkFlags::Noarp | LinkFlags::Loopback) {
            link.mac = None;
        }
        if old.is_some_and(|old| **old == link) {
            return false;
        }
        self.put(link);
        true
    }

    fn set_address(&mut self, message: &AddressMessage) -> bool {
        let Some(entry) = entry(message) else { return false };
        let Some(link) = self.links.get_mut(&message.header.index) else { return false };
        let news = link.find(entry.address, entry.prefix) != Some(&entry);
        if news {
            Arc::make_mut(link).set(entry);
        }
        news
    }

    fn remove_address(&mut self, message: &AddressMessage) -> bool {
        let Some(entry) = entry(message) else { return false };
        let Some(link) = self.links.get_mut(&message.header.index) else { return false };
        let known = link.find(entry.address, entry.prefix).is_some();
        if known {
            Arc::make_mut(link).remove(&entry);
        }
        known
    }
}

/// `None` for what is no macvlan.
fn is_private(info: &[LinkInfo]) -> Option<bool> {
    info.contains(&LinkInfo::Kind(InfoKind::MacVlan)).then(|| {
        let private = InfoMacVlan::Mode(MacVlanMode::Private);
        info.iter()
            .any(|one| matches!(one, LinkInfo::Data(InfoData::MacVlan(data)) if data.contains(&private)))
    })
}

/// Bridges send messages of the same type about their ports, in another family: a port that leaves its bridge
/// is not an interface that goes away.
fn is_link(message: &LinkMessage) -> bool {
    message.header.interface_family == AddressFamily::Unspec
}

fn entry(message: &AddressMessage) -> Option<LinkAddress> {
    let mut far_end = None;
    let mut local = None;
    let mut flags = u32::from(message.header.flags.bits());
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Address(address) => far_end = Some(*address),
            AddressAttribute::Local(address) => local = Some(*address),
            AddressAttribute::Flags(all) => flags = all.bits(),
            _ => {}
        }
    }
    Some(LinkAddress {
        address: local.or(far_end)?,
        prefix: message.header.prefix_len,
        scope: message.header.scope.into(),
        flags,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use rtnetlink::packet_route::{address::AddressScope, link::LinkHeader};

    use super::*;

    pub(in crate::netlink) fn link(ifindex: u32, name: &str, flags: LinkFlags) -> RouteNetlinkMessage {
        let mut message = LinkMessage::default();
        message.header = LinkHeader { index: ifindex, flags, ..LinkHeader::default() };
        message.attributes = vec![
            LinkAttribute::IfName(name.to_owned()),
            LinkAttribute::Mtu(1500),
            LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1]),
        ];
        RouteNetlinkMessage::NewLink(message)
    }

    pub(in crate::netlink) fn up() -> LinkFlags {
        LinkFlags::Up | LinkFlags::Running | LinkFlags::LowerUp
    }

    pub(in crate::netlink) fn address(
        ifindex: u32,
        address: &str,
        prefix: u8,
        flags: AddressFlags,
    ) -> AddressMessage {
        let address: IpAddr = address.parse().unwrap();
        let mut message = AddressMessage::default();
        message.header.index = ifindex;
        message.header.prefix_len = prefix;
        message.header.scope = match address {
            IpAddr::V6(v6) if v6.is_unicast_link_local() => AddressScope::Link,
            _ => AddressScope::Universe,
        };
        message.attributes = vec![AddressAttribute::Address(address), AddressAttribute::Flags(flags)];
        message
    }

    fn table(messages: impl IntoIterator<Item = RouteNetlinkMessage>) -> LinkTable {
        let mut table = LinkTable::default();
        for message in messages {
            assert!(table.apply(&message), "{message:?} changed nothing");
        }
        table
    }

    #[test]
    fn a_link_is_up_only_when_it_carries_packets() {
        for (flags, enabled, up) in [
            (LinkFlags::Up | LinkFlags::Running | LinkFlags::LowerUp, true, true),
            (LinkFlags::Up | LinkFlags::LowerUp, true, false),
            (LinkFlags::Up | LinkFlags::Running, true, false),
            (LinkFlags::Up, true, false),
            (LinkFlags::Running | LinkFlags::LowerUp, false, false),
        ] {
            let table = table([link(3, "eth0", flags)]);
            let link = table.by_name("eth0").unwrap();
            assert_eq!((link.enabled, link.up), (enabled, up), "{flags:?}");
        }
    }

    #[test]
    fn only_a_difference_is_a_change() {
        let mut table = table([link(3, "eth0", up())]);
        assert!(!table.apply(&link(3, "eth0", up())));
        let added = RouteNetlinkMessage::NewAddress(address(3, "192.0.2.1", 24, AddressFlags::Permanent));
        assert!(table.apply(&added));
        assert!(!table.apply(&added));
        assert!(table.apply(&link(3, "renamed", up())));
        assert_eq!(table.by_name("renamed").unwrap().addresses.len(), 1, "addresses stay");
    }

    #[test]
    fn a_name_that_moves_from_one_interface_to_another_leads_to_the_new_one() {
        let mut table = table([link(3, "eth0", up()), link(4, "eth1", up())]);
        for (ifindex, name) in [(3, "old"), (4, "eth0")] {
            assert!(table.apply(&link(ifindex, name, up())));
        }
        let found = |table: &LinkTable, name: &str| table.by_name(name).map(|link| link.ifindex);
        assert_eq!(["old", "eth0", "eth1"].map(|name| found(&table, name)), [Some(3), Some(4), None]);
        let RouteNetlinkMessage::NewLink(old) = link(3, "old", up()) else { panic!("no link") };
        assert!(table.apply(&RouteNetlinkMessage::DelLink(old)));
        assert_eq!(["old", "eth0"].map(|name| found(&table, name)), [None, Some(4)]);
    }

    #[test]
    fn an_address_is_known_by_its_last_flags_and_in_its_first_place_until_it_goes() {
        let deprecated = AddressFlags::Permanent | AddressFlags::Deprecated;
        let mut table = table([
            link(3, "eth0", up()),
            RouteNetlinkMessage::NewAddress(address(3, "192.0.2.1", 24, AddressFlags::Permanent)),
            RouteNetlinkMessage::NewAddress(address(3, "192.0.2.2", 24, AddressFlags::Permanent)),
            RouteNetlinkMessage::NewAddress(address(3, "192.0.2.1", 24, deprecated)),
        ]);
        let eth0 = table.by_index(3).unwrap();
        let one = eth0.find("192.0.2.1".parse().unwrap(), 24).unwrap();
        assert_eq!((one.flags, &eth0.addresses[0]), (deprecated.bits(), one));
        assert_eq!(eth0.addresses.len(), 2);
        let gone = RouteNetlinkMessage::DelAddress(address(3, "192.0.2.1", 24, deprecated));
        assert!(table.apply(&gone));
        assert!(!table.apply(&gone));
        let eth0 = table.by_index(3).unwrap();
        assert_eq!(eth0.find("192.0.2.1".parse().unwrap(), 24), None);
        assert_eq!(eth0.addresses.len(), 1);
    }

    #[test]
    fn a_bridge_that_lets_go_of_a_port_does_not_remove_the_interface() {
        let mut table = table([link(3, "eth0", up())]);
        let mut message = LinkMessage::default();
        message.header.index = 3;
        message.header.interface_family = AddressFamily::Bridge;
        assert!(!table.apply(&RouteNetlinkMessage::DelLink(message.clone())));
        message.header.interface_family = AddressFamily::Unspec;
        assert!(table.apply(&RouteNetlinkMessage::DelLink(message)));
        assert_eq!(table.by_index(3), None);
    }

    #[test]
    fn hardware_addresses_are_kept_where_neighbours_ask_for_them() {
        for (extra, mac) in [
            (LinkFlags::empty(), Some([2, 0, 0, 0, 0, 1])),
            (LinkFlags::Noarp, None),
            (LinkFlags::Loopback, None),
        ] {
            assert_eq!(table([link(3, "eth0", up() | extra)]).by_index(3).unwrap().mac, mac, "{extra:?}");
        }
    }

    #[test]
    fn the_local_end_of_a_point_to_point_link_is_ours() {
        let mut message = address(3, "192.0.2.2", 32, AddressFlags::Permanent);
        message.attributes.push(AddressAttribute::Local("192.0.2.1".parse().unwrap()));
        let table = table([link(3, "ppp0", up()), RouteNetlinkMessage::NewAddress(message)]);
        assert!(table.by_index(3).unwrap().find("192.0.2.1".parse().unwrap(), 32).is_some());
    }

    #[test]
    fn ipv4_tells_prefixes_apart_and_ipv6_does_not() {
        let table = table([
            link(3, "eth0", up()),
            RouteNetlinkMessage::NewAddress(address(3, "192.0.2.10", 24, AddressFlags::Permanent)),
            RouteNetlinkMessage::NewAddress(address(3, "2001:db8::10", 64, AddressFlags::Permanent)),
        ]);
        let link = table.by_index(3).unwrap();
        for (address, prefix, found) in [
            ("192.0.2.10", 24, true),
            ("192.0.2.10", 32, false),
            ("2001:db8::10", 64, true),
            ("2001:db8::10", 128, true),
        ] {
            assert_eq!(link.find(address.parse().unwrap(), prefix).is_some(), found, "{address}/{prefix}");
        }
    }

    #[test]
    fn the_primary_address_is_real_and_usable() {
        let permanent = AddressFlags::Permanent;
        let table = table([
            link(3, "eth0", up()),
            RouteNetlinkMessage::NewAddress(address(3, "192.0.2.10", 32, permanent)),
            RouteNetlinkMessage::NewAddress(address(3, "192.0.2.7", 24, permanent | AddressFlags::Secondary)),
            RouteNetlinkMessage::NewAddress(address(3, "192.0.2.1", 24, permanent)),
            RouteNetlinkMessage::NewAddress(address(3, "2001:db8::1", 64, permanent)),
            RouteNetlinkMessage::NewAddress(address(3, "fe80::1", 64, permanent | AddressFlags::Tentative)),
            RouteNetlinkMessage::NewAddress(address(3, "fe80::2", 64, permanent)),
        ]);
        let link = table.by_index(3).unwrap();
        let may_be = |address: &IpAddr| *address != "192.0.2.10".parse::<IpAddr>().unwrap();
        for (family, expected) in [(Family::V4, "192.0.2.1"), (Family::V6, "fe80::2")] {
            let found = link.primary_address(family, may_be);
            assert_eq!(found, Some(expected.parse().unwrap()));
        }
    }
}
