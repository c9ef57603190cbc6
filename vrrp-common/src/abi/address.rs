//! The address of either family as kernel programs and daemon share it. What it is the address of is said elsewhere.

use core::{
    cmp::Ordering,
    net::{IpAddr, Ipv6Addr},
};

use bytemuck::{Pod, Zeroable};

/// An IPv4 (mapped, `::ffff:a.b.c.d`) or IPv6 address. The order is that of the octets, the tie-break of RFC 9568
/// §6.4.3 in both families.
///
/// The octets lie in memory in network order, and in words: a kernel program compares two words in four instructions,
/// sixteen octets in a hundred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pod, Zeroable)]
#[repr(C)]
pub struct Address([u64; 2]);

impl Address {
    /// An IPv6 address by its octets.
    #[inline(always)]
    pub fn new(octets: [u8; 16]) -> Self {
        bytemuck::cast(octets)
    }

    /// An IPv4 address by its octets.
    #[inline(always)]
    pub const fn mapped(octets: [u8; 4]) -> Self {
        Self([0, (0xffff_0000_0000 | u32::from_be_bytes(octets) as u64).to_be()])
    }

    /// The octets, in network order.
    pub fn octets(self) -> [u8; 16] {
        bytemuck::cast(self)
    }

    /// An address by its first and last eight octets, as numbers.
    #[inline(always)]
    pub const fn of_halves([high, low]: [u64; 2]) -> Self {
        Self([high.to_be(), low.to_be()])
    }

    /// The first and the last eight octets, as numbers.
    #[inline(always)]
    pub const fn halves(self) -> [u64; 2] {
        let [high, low] = self.0;
        [u64::from_be(high), u64::from_be(low)]
    }

    /// `ff00::/8` (RFC 4291 §2.7): of IPv6 alone.
    #[inline(always)]
    pub const fn is_group(self) -> bool {
        let [high, _] = self.halves();
        high >> 56 == 0xff
    }

    /// `fe80::/10` (RFC 4291 §2.4).
    #[inline(always)]
    pub const fn is_link_local(self) -> bool {
        let [high, _] = self.halves();
        high >> 54 == 0xfe80 >> 6
    }
}

impl Ord for Address {
    #[inline(always)]
    fn cmp(&self, other: &Self) -> Ordering {
        self.halves().cmp(&other.halves())
    }
}

impl PartialOrd for Address {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<IpAddr> for Address {
    #[inline(always)]
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::mapped(v4.octets()),
            IpAddr::V6(v6) => Self::new(v6.octets()),
        }
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> Self {
        Ipv6Addr::from(address.octets()).to_canonical()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    fn address(text: &str) -> Address {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn octets_lie_in_network_order() {
        let expected = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1];
        assert_eq!(address("192.0.2.1").octets(), expected);
        assert_eq!(Address::new(expected), address("192.0.2.1"));
        assert_eq!(IpAddr::from(address("192.0.2.1")), IpAddr::from([192, 0, 2, 1]));
    }

    #[test]
    fn addresses_are_ordered_by_their_octets() {
        let ordered = ["10.0.0.255", "10.0.1.0", "192.0.2.1", "2001:db8::1", "2001:db8::100", "fe80::1"];
        let addresses: Vec<Address> = ordered.into_iter().map(address).collect();
        assert!(addresses.is_sorted());
        assert!(addresses.iter().rev().is_sorted_by(|one, other| one > other));
    }

    #[test]
    fn groups_of_ipv6_begin_with_ff() {
        for (text, expected) in
            [("ff02::12", true), ("ff00::", true), ("fe80::1", false), ("224.0.0.18", false)]
        {
            assert_eq!(address(text).is_group(), expected, "{text}");
        }
    }

    #[test]
    fn link_local_addresses_have_ten_bits_in_common() {
        for (text, expected) in
            [("fe80::", true), ("febf:ffff::", true), ("fe7f::", false), ("fec0::", false), ("ff80::", false)]
        {
            assert_eq!(address(text).is_link_local(), expected, "{text}");
        }
    }
}
