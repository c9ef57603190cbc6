//! Advertisements on a wire, and what becomes of those that cannot leave.

use std::{net::IpAddr, os::fd::AsFd, time::Instant as Wall};

use vrrp_common::{time::Interval, wire::Family};

use super::transmit::{TransmitError, Transmitter};
use crate::{
    datapath::{Datapath, Slot, SocketPath},
    sys::packet::{Batch, Receiver},
    testing::{
        between_hosts, ip, is_readable,
        network::{FRAME, Network, address, ifindex},
        try_run,
    },
};

#[test]
fn frames_on_the_wire_are_as_the_standard_says() {
    between_hosts(|pollux| {
        let multicast = FRAME.to_vec();
        let mut unicast = FRAME.to_vec();
        unicast[..6].copy_from_slice(&[2, 0, 0, 0, 0, 2]);
        unicast[30..34].copy_from_slice(&[192, 0, 2, 2]);
        // RFC 1071 over the header, and over pseudo-header and message, with 192.0.2.2 for 224.0.0.18.
        unicast[24..26].copy_from_slice(&[0x36, 0xaa]);
        unicast[40..42].copy_from_slice(&[0xf1, 0xdb]);
        for (is_unicast, expected) in [(false, multicast), (true, unicast)] {
            let receiver = pollux.run(|| Receiver::open(ifindex("pollux"), Family::V4)).unwrap();
            let network = Network { unicast: is_unicast, ..Network::v4() };
            network.advertise(&mut Transmitter::new().unwrap(), 150);
            let mut batch = Batch::new();
            assert!(is_readable(receiver.as_fd(), 5_000), "nothing was received for five seconds");
            receiver.receive(&mut batch).unwrap();
            let mut frame = batch.packets().next().unwrap().frame.to_vec();
            // The kernel numbers unicast packets: that and the checksum over it are its own.
            if is_unicast {
                let sum = u32::from(frame[18]) << 8 | u32::from(frame[19]);
                let sum = sum + (u32::from(frame[24]) << 8 | u32::from(frame[25]));
                let sum = (sum & 0xffff) + (sum >> 16);
                frame[18..20].fill(0);
                frame[24..26].copy_from_slice(&(sum as u16).to_be_bytes());
            }
            assert_eq!(frame, expected);
        }
    });
}

#[test]
fn a_list_that_does_not_fit_one_packet_is_refused() {
    between_hosts(|_| {
        let many_v4 = (0..200).map(|n| IpAddr::from([192, 0, 2, n])).collect();
        let many_v6 = (0..100).map(|n| address(&format!("2001:db8::{n:x}"))).collect();
        for (mtu, network) in [
            (1500, Network { addresses: many_v6, ..Network::v6() }),
            (600, Network { addresses: many_v4, ..Network::v4() }),
        ] {
            ip(&format!("link set castor mtu {mtu}"));
            let peers = [Network::peer(network.pollux)];
            let mut transmitter = Transmitter::new().unwrap();
            for peers in [&[][..], &peers] {
                let result = transmitter.advertise(&network.route(peers), 1, Interval::from_secs(1), 1);
                let Err(TransmitError::Refused(failures)) = result else { panic!("{result:?}") };
                assert_eq!(failures[0].error.raw_os_error(), Some(libc::EMSGSIZE));
            }
        }
    });
}

#[test]
fn unicast_advertisements_are_not_answered_with_icmp_errors() {
    between_hosts(|pollux| {
        let network = Network { unicast: true, ..Network::v4() };
        let mut path = SocketPath::new("test").unwrap();
        let mut transmitter = Transmitter::new().unwrap();
        pollux.run(|| path.attach(network.binding())).unwrap();
        network.advertise(&mut transmitter, 150);
        assert!(is_readable(path.readiness(), 5_000), "nothing was received for five seconds");
        path.drain(&mut Vec::new()).unwrap();
        assert_eq!(pollux.run(|| icmp_count("OutDestUnreachs")), 0);
        path.detach(Slot(3));
        // Without the socket the host answers: this is what the socket is for. The answers become errors on the
        // sender's socket and must not cost the next advertisement.
        let begin = Wall::now();
        while icmp_count("InDestUnreachs") == 0 {
            assert!(begin.elapsed().as_secs() < 5, "no ICMP error for five seconds");
            network.advertise(&mut transmitter, 150);
        }
        network.advertise(&mut transmitter, 150);
        assert_eq!(transmitter.counts().failed, 0);
    });
}

/// A column of the ICMP counters of this namespace.
fn icmp_count(name: &str) -> u64 {
    let table = std::fs::read_to_string("/proc/thread-self/net/snmp").unwrap();
    let mut lines = table.lines().filter(|line| line.starts_with("Icmp:"));
    let column = lines.next().unwrap().split(' ').position(|found| found == name).unwrap();
    lines.next().unwrap().split(' ').nth(column).unwrap().parse().unwrap()
}

#[test]
fn a_send_that_the_kernel_did_not_take_is_an_error() {
    for (obstacle, error) in [
        ("ip link set castor down", libc::ENETDOWN),
        ("tc qdisc add dev castor root tbf rate 8bit burst 10 limit 10", libc::ENOBUFS),
    ] {
        between_hosts(move |_| {
            let network = Network::v4();
            let peers = [Network::peer(network.pollux)];
            let mut transmitter = Transmitter::new().unwrap();
            // The peer's hardware address is known, so that nothing waits for it.
            ip("neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev castor");
            let (program, arguments) = obstacle.split_once(' ').unwrap();
            try_run(program, arguments).unwrap();
            for peers in [&[][..], &peers] {
                let result = transmitter.advertise(&network.route(peers), 0, Interval::from_secs(1), 3);
                let Err(TransmitError::Refused(failures)) = result else { panic!("{obstacle}: {result:?}") };
                let found: Vec<_> = failures.iter().map(|failure| failure.error.raw_os_error()).collect();
                assert_eq!(found.len(), 3);
                let same = found == [Some(error); 3];
                // Without its interface the kernel has other words for a unicast packet.
                assert!(same || (error == libc::ENETDOWN && peers.len() == 1), "{obstacle}: {found:?}");
            }
            assert_eq!((transmitter.counts().sent, transmitter.counts().failed), (0, 6));
        });
    }
}

#[test]
fn one_peer_that_can_be_sent_to_is_enough() {
    between_hosts(|_| {
        let network = Network { unicast: true, ..Network::v4() };
        let broadcast = address("192.0.2.255"); // which a socket may not send to unless it asks
        let peers = [Network::peer(broadcast), Network::peer(network.pollux)];
        let mut transmitter = Transmitter::new().unwrap();
        let sent = transmitter.advertise(&network.route(&peers), 150, Interval::from_secs(1), 1).unwrap();
        let refused: Vec<IpAddr> = sent.failures.iter().map(|failure| failure.destination).collect();
        assert_eq!(refused, [broadcast]);
    });
}

#[test]
fn an_address_that_is_not_ours_cannot_be_sent_from() {
    between_hosts(|_| {
        let network = Network { castor: address("192.0.2.77"), ..Network::v4() };
        let peers = [Network::peer(network.pollux)];
        let mut transmitter = Transmitter::new().unwrap();
        let mut advertise = || transmitter.advertise(&network.route(&peers), 1, Interval::from_secs(1), 1);
        assert_eq!(
            advertise().unwrap_err().to_string(),
            "cannot send from 192.0.2.77: Cannot assign requested address (os error 99); it is not an address of \
             this host"
        );
        ip("address add 192.0.2.77/32 dev castor");
        assert!(advertise().is_ok());
        ip("address del 192.0.2.77/32 dev castor");
        assert!(advertise().is_err());
        ip("address add 192.0.2.77/32 dev castor");
        assert!(advertise().is_ok(), "the socket is opened again");
    });
}
