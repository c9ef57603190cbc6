//! Why a datapath cannot listen.

use std::{io, net::IpAddr};

use vrrp_common::wire::Family;

/// Why a datapath cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum DatapathError {
    /// The sockets for an interface could not be opened.
    #[error("cannot listen for IPv{} advertisements on {interface}: {error}{}", *family as u8, remedy(.error))]
    Listen {
        /// The interface's name.
        interface: String,
        /// Address family.
        family: Family,
        /// What the kernel said.
        error: io::Error,
    },
    /// The multicast group could not be joined.
    #[error("cannot join {group} on {interface}: {error}{}", remedy(.error))]
    Join {
        /// The interface's name.
        interface: String,
        /// The group.
        group: IpAddr,
        /// What the kernel said.
        error: io::Error,
    },
    /// Another router listens for the same VRID.
    #[error(
        "VRID {vrid} is used twice for IPv{} on {interface}; give one of the routers another VRID",
        *family as u8
    )]
    Taken {
        /// The interface's name.
        interface: String,
        /// Address family.
        family: Family,
        /// The VRID.
        vrid: u8,
    },
    /// Reading failed.
    #[error("cannot receive advertisements on {interface}: {error}")]
    Receive {
        /// The interface's name.
        interface: String,
        /// What the kernel said.
        error: io::Error,
    },
    /// The configuration asks for a datapath that does not work there.
    #[error("cannot listen by {wish} on {interface}: {reason}; `datapath auto` takes what works")]
    Forced {
        /// What was asked for.
        wish: &'static str,
        /// The interface's name.
        interface: String,
        /// Why it does not work.
        reason: String,
    },
    /// Asking which sockets have something to read failed.
    #[error("cannot wait for advertisements: {0}")]
    Wait(io::Error),
}

fn remedy(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => "; run as root or with CAP_NET_RAW",
        Some(libc::EMFILE) => "; raise the limit of open files (LimitNOFILE, ulimit -n)",
        Some(libc::ENOBUFS) => "; raise net.ipv4.igmp_max_memberships",
        Some(libc::EAFNOSUPPORT) => "; IPv6 is disabled on this host",
        _ => "",
    }
}
