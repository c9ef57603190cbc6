//! Programs as filters of the clsact queueing discipline, for kernels without tcx. What they do is not known here.
//!
//! A clsact that we made carries an empty chain with our number, which no packet ever reaches: whoever takes the last
//! filter away knows by it that the discipline goes too. One that somebody else made stays.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

/// `linux/rtnetlink.h`, `linux/pkt_sched.h`, `linux/pkt_cls.h`.
const RTM_NEWQDISC: u16 = 36;
const RTM_DELQDISC: u16 = 37;
const RTM_NEWTFILTER: u16 = 44;
const RTM_DELTFILTER: u16 = 45;
const RTM_GETTFILTER: u16 = 46;
const RTM_NEWCHAIN: u16 = 100;
const RTM_GETCHAIN: u16 = 102;
const TC_H_CLSACT: u32 = 0xffff_fff1;
const CLSACT: u32 = TC_H_CLSACT & 0xffff_0000;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_CHAIN: u16 = 11;
const TCA_BPF_FD: u16 = 6;
const TCA_BPF_NAME: u16 = 7;
const TCA_BPF_FLAGS: u16 = 8;
const TCA_BPF_FLAG_ACT_DIRECT: u32 = 1;
const EVERY_PROTOCOL: u32 = (libc::ETH_P_ALL as u16).to_be() as u32;
/// Our mark, "xvr".
const MARK: u32 = 0x78_76_72;
/// Room for the kernel's answer, which repeats the request.
const ANSWER: usize = 4096;

/// The direction that packets pass an interface in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Coming in.
    Ingress,
    /// Going out.
    Egress,
}

impl Direction {
    /// What filters of this direction hang on.
    fn parent(self) -> u32 {
        CLSACT
            | match self {
                Self::Ingress => 0xfff2,
                Self::Egress => 0xfff3,
            }
    }
}

/// A place among the filters of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The interface.
    pub ifindex: u32,
    /// Ingress or egress.
    pub direction: Direction,
    /// Lower ones see a packet first.
    pub priority: u16,
    /// The filter's number, by which its owner knows it.
    pub handle: u32,
}

/// Puts a loaded program there, in place of one with the same number if there is one. It stays when this process
/// ends.
///
/// # Errors
/// What the kernel says: `EPERM` without `CAP_NET_ADMIN`, `ENODEV` without such an interface, `EINVAL` if filters of
/// another kind have that priority.
pub fn attach(program: BorrowedFd<'_>, name: &str, place: Place) -> io::Result<()> {
    add_qdisc(place.ifindex)?;
    let mut options = attribute(TCA_BPF_FD, &program.as_raw_fd().to_ne_bytes());
    options.extend(attribute(TCA_BPF_NAME, &terminated(name)));
    options.extend(attribute(TCA_BPF_FLAGS, &TCA_BPF_FLAG_ACT_DIRECT.to_ne_bytes()));
    let mut request = filter(place);
    request.extend(attribute(TCA_OPTIONS, &options));
    ask(RTM_NEWTFILTER, libc::NLM_F_ACK | libc::NLM_F_CREATE, &request).map(drop)
}

/// Takes away what [`attach`] put there, and the queueing discipline if we made it and nobody else uses it; fine if it
/// is not there, nor the queueing discipline, nor the interface.
///
/// # Errors
/// What the kernel says.
pub fn detach(place: Place) -> io::Result<()> {
    exists(ask(RTM_DELTFILTER, libc::NLM_F_ACK, &filter(place)))?;
    tidy(place.ifindex)
}

/// Whether a program is there.
///
/// # Errors
/// What the kernel says; that neither queueing discipline nor interface is there is none.
pub fn is_there(place: Place) -> io::Result<bool> {
    exists(ask(RTM_GETTFILTER, 0, &filter(place)))
}

/// Removes the queueing discipline if it carries our mark and no filter.
fn tidy(ifindex: u32) -> io::Result<()> {
    if exists(ask(RTM_GETCHAIN, 0, &mark(ifindex)))?
        && !has_filters(ifindex, Direction::Ingress)?
        && !has_filters(ifindex, Direction::Egress)?
    {
        exists(ask(RTM_DELQDISC, libc::NLM_F_ACK, &qdisc(ifindex)))?;
    }
    Ok(())
}

fn has_filters(ifindex: u32, direction: Direction) -> io::Result<bool> {
    let all = tc_message(ifindex, 0, direction.parent(), 0);
    // The first answer is a filter, or the end of the list.
    ask(RTM_GETTFILTER, libc::NLM_F_DUMP, &all).map(|first| first == RTM_NEWTFILTER)
}

fn add_qdisc(ifindex: u32) -> io::Result<()> {
    match ask(RTM_NEWQDISC, libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL, &qdisc(ifindex)) {
        Err(error) if error.raw_os_error() == Some(libc::EEXIST) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => ask(RTM_NEWCHAIN, libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL, &mark(ifindex))
            .map(drop),
    }
}

/// What is not there is no error.
fn exists(answer: io::Result<u16>) -> io::Result<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINVAL | libc::ENODEV)) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn qdisc(ifindex: u32) -> Vec<u8> {
    let mut request = tc_message(ifindex, CLSACT, TC_H_CLSACT, 0);
    request.extend(attribute(TCA_KIND, b"clsact\0"));
    request
}

fn mark(ifindex: u32) -> Vec<u8> {
    let mut request = tc_message(ifindex, 0, Direction::Ingress.parent(), 0);
    request.extend(attribute(TCA_CHAIN, &MARK.to_ne_bytes()));
    request
}

fn filter(place: Place) -> Vec<u8> {
    let info = u32::from(place.priority) << 16 | EVERY_PROTOCOL;
    let mut request = tc_message(place.ifindex, place.handle, place.direction.parent(), info);
    request.extend(attribute(TCA_KIND, b"bpf\0"));
    request
}

/// `struct tcmsg`.
fn tc_message(ifindex: u32, handle: u32, parent: u32, info: u32) -> Vec<u8> {
    [0, ifindex, handle, parent, info].into_iter().flat_map(u32::to_ne_bytes).collect()
}

/// `struct nlattr` and its value, padded.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = 4 + value.len();
    let mut bytes = (length as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(length.next_multiple_of(4), 0);
    bytes
}

fn terminated(text: &str) -> Vec<u8> {
    text.bytes().chain([0]).collect()
}

/// Sends one request to the kernel and waits for its first answer: the kind of that, or the kernel's refusal.
fn ask(kind: u16, flags: i32, body: &[u8]) -> io::Result<u16> {
    let socket = socket()?;
    let length = (16 + body.len()) as u32;
    let flags = (libc::NLM_F_REQUEST | flags) as u16;
    let mut request = length.to_ne_bytes().to_vec();
    request.extend(kind.to_ne_bytes());
    request.extend(flags.to_ne_bytes());
    request.extend([0; 8]);
    request.extend(body);
    let mut answer = [0_u8; ANSWER];
    // SAFETY: the descriptor is open, and the kernel reads and writes no more than the buffers' lengths.
    let received =
        super::retry(|| unsafe { libc::send(socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) })
            .and_then(|_| {
                // SAFETY: as above.
                super::retry(|| unsafe {
                    libc::recv(socket.as_fd().as_raw_fd(), answer.as_mut_ptr().cast(), answer.len(), 0)
                })
            })?;
    verdict(&answer[..received])
}

fn socket() -> io::Result<OwnedFd> {
    // SAFETY: no pointer is involved.
    let socket =
        unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given us this descriptor, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

/// The kind of message, from its header. Of `struct nlmsgerr` behind that, the negative error number, 0 for success.
fn verdict(answer: &[u8]) -> io::Result<u16> {
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "the kernel's answer is not one");
    let kind = answer.get(4..6).and_then(|kind| kind.try_into().ok()).ok_or_else(strange)?;
    let kind = u16::from_ne_bytes(kind);
    if i32::from(kind) != libc::NLMSG_ERROR {
        return Ok(kind);
    }
    let code = answer.get(16..20).and_then(|code| code.try_into().ok()).ok_or_else(strange)?;
    match i32::from_ne_bytes(code) {
        0 => Ok(kind),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_verdict_is_told() {
        let mut answer = [0_u8; 36];
        answer[4..6].copy_from_slice(&44_u16.to_ne_bytes());
        assert_eq!(verdict(&answer).unwrap(), RTM_NEWTFILTER);
        answer[4..6].copy_from_slice(&2_u16.to_ne_bytes());
        assert!(verdict(&answer).is_ok());
        answer[16..20].copy_from_slice(&(-libc::ENODEV).to_ne_bytes());
        assert_eq!(verdict(&answer).unwrap_err().raw_os_error(), Some(libc::ENODEV));
        assert_eq!(verdict(&answer[..10]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
