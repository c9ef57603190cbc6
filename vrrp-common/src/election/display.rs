//! States, faults and reasons in people's words, for the log and for `status`. Check names are the daemon's.

use core::{fmt, net::IpAddr};

use super::{Fault, Peer, Reason, State};

/// RFC 9568's word.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Initialize => "Initialize",
            Self::Fault => "Fault",
            Self::Backup => "Backup",
            Self::Active => "Active",
        })
    }
}

/// "192.0.2.1 (priority 101)".
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (priority {})", IpAddr::from(self.source), self.priority)
    }
}

/// "link down". A check appears by its index only.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InterfaceMissing => f.write_str("interface missing"),
            Self::LinkDown => f.write_str("link down"),
            Self::NoSourceAddress => f.write_str("no address to send from"),
            Self::CheckPending(check) => write!(f, "check {check} has not reported yet"),
            Self::CheckFailing(check) => write!(f, "check {check} fails"),
            Self::CannotListen => f.write_str("cannot listen on the interface"),
            Self::AddressesRefused => f.write_str("the host refused every virtual address"),
            Self::GroupMember(member) => write!(f, "member {member} of the group is in Fault"),
        }
    }
}

/// "no advertisement from 192.0.2.1 (priority 101) for 3.61 s".
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started"),
            Self::Owner => f.write_str("this host owns the addresses (priority 255)"),
            Self::Adopted { left } => {
                write!(f, "going on for the daemon before, whose lease had {left} left")
            }
            Self::NoAdvertisement { last: Some(peer), silence } => {
                write!(f, "no advertisement from {peer} for {silence}")
            }
            Self::NoAdvertisement { last: None, silence } => {
                write!(f, "nothing heard for {silence} since start")
            }
            Self::Resigned { source } => write!(f, "{} resigned", IpAddr::from(*source)),
            Self::Preempting { lower, ours } => write!(f, "preempting {lower}: ours is {ours}"),
            Self::Outranked { by, ours } if by.priority == *ours => {
                write!(f, "{by} has the higher address at equal priority")
            }
            Self::Outranked { by, ours } => write!(f, "{by} outranks us ({ours})"),
            Self::Stalled { silence, by } => {
                write!(f, "our last advertisement was {silence} ago and {by} took over")
            }
            Self::Faulted(fault) => fault.fmt(f),
            Self::Recovered(fault) => recovered(*fault, f),
            Self::GroupSteppedBack => f.write_str("another member of the group stepped back"),
            Self::Asked => f.write_str("the operator asked for it"),
            Self::Shutdown => f.write_str("shutting down"),
        }
    }
}

fn recovered(fault: Fault, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match fault {
        Fault::InterfaceMissing => f.write_str("interface appeared"),
        Fault::LinkDown => f.write_str("link up"),
        Fault::NoSourceAddress => f.write_str("an address to send from appeared"),
        Fault::CheckPending(check) | Fault::CheckFailing(check) => write!(f, "check {check} succeeds"),
        Fault::CannotListen => f.write_str("the interface is listened on"),
        Fault::AddressesRefused => f.write_str("the virtual addresses are to be tried again"),
        Fault::GroupMember(_) => f.write_str("no member of the group is in Fault"),
    }
}
