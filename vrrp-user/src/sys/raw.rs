//! Raw IP sockets of protocol 112: one that holds multicast membership, one that sends to unicast peers.
//! Nothing is received here.

use std::{
    io,
    net::{IpAddr, SocketAddr, SocketAddrV6},
};

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use vrrp_common::wire::{self, Family};

use super::{filter, set_option};

/// DSCP CS6, network control: the upper six bits of the traffic class.
const CLASS_SELECTOR_6: u32 = 0xc0;

/// A socket on one interface that never shows a packet to anybody.
fn socket(family: Family, ifindex: u32) -> io::Result<Socket> {
    let domain = match family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    };
    let protocol = Protocol::from(i32::from(wire::PROTOCOL));
    let socket = Socket::new(domain, Type::RAW.nonblocking().cloexec(), Some(protocol))?;
    socket.attach_filter(&filter::nothing())?;
    // ICMP errors are queued in spite of the filter, and nobody fetches them: a raw socket's send calls do not
    // fail for them.
    socket.set_recv_buffer_size(0)?;
    set_option(&socket, libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, ifindex)?;
    Ok(socket)
}

/// Stands for protocol 112 on one interface: the host joins groups through it, and does not answer unicast
/// advertisements with ICMP errors while it is open (an IP packet with no taker is "protocol unreachable").
#[derive(Debug)]
pub struct Presence {
    socket: Socket,
    ifindex: u32,
}

impl Presence {
    /// A socket on the interface `ifindex` that is in no group yet.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_RAW`, `EAFNOSUPPORT` on a host without IPv6.
    pub fn open(ifindex: u32, family: Family) -> io::Result<Self> {
        Ok(Self { socket: socket(family, ifindex)?, ifindex })
    }

    /// Joins a multicast group of the socket's family.
    ///
    /// # Errors
    /// `EADDRINUSE` when it is joined already, `ENOBUFS` beyond the host's limit (`igmp_max_memberships`).
    pub fn join(&self, group: IpAddr) -> io::Result<()> {
        match group {
            IpAddr::V4(group) => self.socket.join_multicast_v4_n(&group, &self.interface()),
            IpAddr::V6(group) => self.socket.join_multicast_v6(&group, self.ifindex),
        }
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` when it was not joined, or went with its interface.
    pub fn leave(&self, group: IpAddr) -> io::Result<()> {
        match group {
            IpAddr::V4(group) => self.socket.leave_multicast_v4_n(&group, &self.interface()),
            IpAddr::V6(group) => self.socket.leave_multicast_v6(&group, self.ifindex),
        }
    }

    fn interface(&self) -> InterfaceIndexOrAddress {
        InterfaceIndexOrAddress::Index(self.ifindex)
    }
}

/// Sends VRRP messages from one address to unicast peers; the kernel routes them and builds the IP header.
#[derive(Debug)]
pub struct Unicast {
    socket: Socket,
    ifindex: u32,
}

impl Unicast {
    /// A socket that sends on the interface `ifindex` with the source address `source` and this TTL or hop limit.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_RAW`, `EADDRNOTAVAIL` when `source` is not an address of this host.
    pub fn open(ifindex: u32, source: IpAddr, ttl: u8) -> io::Result<Self> {
        let socket = match source {
            IpAddr::V4(_) => {
                let socket = socket(Family::V4, ifindex)?;
                socket.set_ttl_v4(ttl.into())?;
                socket.set_tos_v4(CLASS_SELECTOR_6)?;
                // Without it a queue that is full drops the packet and the send call says that all is well.
                set_option(&socket, libc::IPPROTO_IP, libc::IP_RECVERR, 1_i32)?;
                // One packet, never fragments, and no smaller one because an ICMP message asks for it.
                let interface_mtu = libc::IP_PMTUDISC_INTERFACE;
                set_option(&socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, interface_mtu)?;
                socket
            }
            IpAddr::V6(_) => {
                let socket = socket(Family::V6, ifindex)?;
                socket.set_unicast_hops_v6(ttl.into())?;
                socket.set_tclass_v6(CLASS_SELECTOR_6)?;
                set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1_i32)?;
                let interface_mtu = libc::IPV6_PMTUDISC_INTERFACE;
                set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, interface_mtu)?;
                socket
            }
        };
        socket.bind(&socket_address(source, ifindex).into())?;
        Ok(Self { socket, ifindex })
    }

    /// Hands one message to the kernel for `peer`. Success means that the interface's queue took it.
    ///
    /// # Errors
    /// `ENOBUFS` when the interface's queue is full, `EMSGSIZE` beyond its MTU, `ENETUNREACH` and `EHOSTUNREACH`
    /// without a route, `EPERM` when the host's firewall dropped it.
    pub fn send(&self, peer: IpAddr, message: &[u8]) -> io::Result<()> {
        let address = socket_address(peer, self.ifindex).into();
        loop {
            match self.socket.send_to(message, &address) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => return sent.map(drop),
            }
        }
    }
}

/// The address with port 0; link-local ones need to be told their interface.
fn socket_address(address: IpAddr, ifindex: u32) -> SocketAddr {
    match address {
        IpAddr::V6(v6) if v6.is_unicast_link_local() => SocketAddrV6::new(v6, 0, 0, ifindex).into(),
        address => SocketAddr::new(address, 0),
    }
}
