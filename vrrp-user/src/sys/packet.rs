//! `AF_PACKET` sockets: receiving IP protocol 112 in batches, sending complete frames. No packet is judged here.

use std::{
    io, mem,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    ptr,
};

use socket2::{Domain, Socket, Type};
use vrrp_common::wire::Family;

use super::{filter, retry, set_option, set_receive_buffer};

/// Packets read by one system call.
pub const BATCH: usize = 64;

/// Longer than any advertisement: Ethernet header and two tags, an IPv4 header with options, the message with
/// 255 IPv6 addresses. What is longer is cut, and refused for the length that its header states.
const FRAME_CAPACITY: usize = 4352;

/// Room for a time stamp and the auxiliary data, each with its header.
const CONTROL_CAPACITY: usize = 128;

/// Seconds of a flood that may wait while the daemon is not run: the default of some 200 KiB holds 270 packets.
const RECEIVE_BUFFER: i32 = 4 << 20;

fn socket() -> io::Result<Socket> {
    // Protocol 0: nothing is received until the filter is in place and the socket is bound to a protocol.
    Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None)
}

/// `ETH_P_ALL`.
const EVERY_PROTOCOL: u16 = 0x0003;

const fn ethertype(family: Family) -> u16 {
    match family {
        Family::V4 => 0x0800,
        Family::V6 => 0x86dd,
    }
}

pub(super) fn link_address(ifindex: u32, ethertype: u16) -> libc::sockaddr_ll {
    // SAFETY: sockaddr_ll is plain old data, for which all zeroes is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = ethertype.to_be();
    address.sll_ifindex = ifindex.cast_signed();
    address
}

/// Receives packets of IP protocol 112 that the host itself received on one interface, in one family: not its
/// own, not those of other hosts, not those of VLANs and other devices stacked on the interface.
#[derive(Debug)]
pub struct Receiver(Socket);

impl Receiver {
    /// A socket on the interface `ifindex`; packets that arrive from now on are queued.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_RAW`, `ENODEV` for an interface that does not exist, and
    /// [`io::ErrorKind::Unsupported`] for one that has no Ethernet header.
    pub fn open(ifindex: u32, family: Family) -> io::Result<Self> {
        let socket = socket()?;
        socket.attach_filter(&filter::advertisements(ifindex, family, ethertype(family)))?;
        set_option(&socket, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1_i32)?;
        set_option(&socket, libc::SOL_PACKET, libc::PACKET_AUXDATA, 1_i32)?;
        set_option(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1_i32)?;
        set_receive_buffer(&socket, RECEIVE_BUFFER)?;
        // Sockets of one protocol look behind a bridge, a bond and a macvlan, which takes for itself what comes from
        // its own MAC address: the advertisements of a router with the same virtual one.
        bind(&socket, &link_address(ifindex, EVERY_PROTOCOL))?;
        if !has_ethernet_header(&socket)? {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the interface is not Ethernet"));
        }
        Ok(Self(socket))
    }

    /// Replaces the content of `batch` by what is queued, at most [`BATCH`] packets, and returns how many. Fewer
    /// than [`BATCH`] means that the queue is empty now.
    ///
    /// # Errors
    /// `ENETDOWN` once after the interface went down; the socket works again when it is up.
    pub fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        batch.count = 0;
        match batch.fill(self) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            filled => filled,
        }
    }

    /// How many packets were lost to a full queue since the last call.
    ///
    /// # Errors
    /// When the kernel refuses the call; it has no reason to.
    pub fn take_drops(&self) -> io::Result<u32> {
        let mut statistics = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
        let mut length = size_of_val(&statistics) as libc::socklen_t;
        // SAFETY: the descriptor is open; the pointers are to locals that outlive the call, and `length` says
        // how much the kernel may write.
        let result = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut statistics).cast(),
                &raw mut length,
            )
        };
        if result == 0 { Ok(statistics.tp_drops) } else { Err(io::Error::last_os_error()) }
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn bind(socket: &Socket, address: &libc::sockaddr_ll) -> io::Result<()> {
    // SAFETY: the descriptor is open; `address` is a sockaddr_ll and the length is its own.
    let result = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            ptr::from_ref(address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether frames of the bound interface begin with an Ethernet header; the loopback's do.
fn has_ethernet_header(socket: &Socket) -> io::Result<bool> {
    let mut address = link_address(0, 0);
    let mut length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the descriptor is open; the pointers are to locals that outlive the call, and `length` says how
    // much the kernel may write.
    let result = unsafe { libc::getsockname(socket.as_raw_fd(), (&raw mut address).cast(), &raw mut length) };
    if result == 0 {
        Ok(matches!(address.sll_hatype, libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK))
    } else {
        Err(io::Error::last_os_error())
    }
}

/// One received packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// From the Ethernet header on, at most as much as any advertisement needs.
    pub frame: &'a [u8],
    /// When the kernel received it: nanoseconds of wall-clock time.
    pub stamp: Option<i64>,
    /// The VLAN identifier of a tag that the hardware or the kernel took off; 0 for none.
    pub vlan: u16,
}

/// Buffers that are used again for each batch: nothing is allocated for a packet.
pub struct Batch {
    frames: Box<[[u8; FRAME_CAPACITY]]>,
    controls: Box<[Control]>,
    entries: [Entry; BATCH],
    count: usize,
}

/// Ancillary data, aligned as its headers must be (cmsg(3)).
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_CAPACITY]);

#[derive(Clone, Copy, Default)]
struct Entry {
    length: usize,
    stamp: Option<i64>,
    vlan: u16,
}

impl Batch {
    /// Empty buffers for [`BATCH`] packets.
    pub fn new() -> Self {
        Self {
            frames: vec![[0; FRAME_CAPACITY]; BATCH].into_boxed_slice(),
            controls: vec![Control([0; CONTROL_CAPACITY]); BATCH].into_boxed_slice(),
            entries: [Entry::default(); BATCH],
            count: 0,
        }
    }

    /// The packets that the last [`Receiver::receive`] left here, in the order of their arrival.
    pub fn packets(&self) -> impl DoubleEndedIterator<Item = Packet<'_>> {
        self.frames[..self.count].iter().zip(&self.entries[..self.count]).map(|(frame, entry)| Packet {
            frame: &frame[..entry.length.min(FRAME_CAPACITY)],
            stamp: entry.stamp,
            vlan: entry.vlan,
        })
    }

    fn fill(&mut self, receiver: &Receiver) -> io::Result<usize> {
        // SAFETY: iovec and mmsghdr are plain old data, for which all zeroes is a valid value.
        let (mut vectors, mut headers): ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) =
            unsafe { mem::zeroed() };
        for index in 0..BATCH {
            vectors[index].iov_base = self.frames[index].as_mut_ptr().cast();
            vectors[index].iov_len = FRAME_CAPACITY;
            let header = &mut headers[index].msg_hdr;
            header.msg_iov = &raw mut vectors[index];
            header.msg_iovlen = 1;
            header.msg_control = self.controls[index].0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL_CAPACITY as _;
        }
        let descriptor = receiver.0.as_raw_fd();
        self.count = retry(|| {
            // SAFETY: the descriptor is open. Every header points at one vector, with it at one frame, and at
            // one control buffer; all live until this function returns, none is shared between headers, and
            // their lengths are stated as they are.
            let count = unsafe {
                libc::recvmmsg(
                    descriptor,
                    headers.as_mut_ptr(),
                    BATCH as libc::c_uint,
                    libc::MSG_DONTWAIT,
                    ptr::null_mut(),
                )
            };
            count as isize
        })?;
        for (entry, header) in self.entries.iter_mut().zip(&headers).take(self.count) {
            *entry = Entry { length: header.msg_len as usize, ..annotations(&header.msg_hdr) };
        }
        Ok(self.count)
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

/// The time stamp and the VLAN tag from the ancillary data of a received message.
#[allow(
    clippy::unnecessary_cast,
    clippy::useless_conversion,
    reason = "cmsg_len and time_t differ by C library"
)]
fn annotations(header: &libc::msghdr) -> Entry {
    let mut entry = Entry::default();
    // SAFETY: the kernel has filled `header`: its control pointer and length describe a buffer that is still
    // alive and aligned for cmsghdr.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !next.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR return null or a header that lies inside the buffer.
        let (level, kind, length) = unsafe { ((*next).cmsg_level, (*next).cmsg_type, (*next).cmsg_len) };
        match (level, kind) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                entry.stamp = payload::<libc::timespec>(next, length as usize).map(|time| {
                    let (seconds, nanos) = (i64::from(time.tv_sec), i64::from(time.tv_nsec));
                    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
                });
            }
            (libc::SOL_PACKET, libc::PACKET_AUXDATA) => {
                if let Some(data) = payload::<libc::tpacket_auxdata>(next, length as usize)
                    && data.tp_status & libc::TP_STATUS_VLAN_VALID != 0
                {
                    // The low twelve bits are the identifier (IEEE 802.1Q), the others priority.
                    entry.vlan = data.tp_vlan_tci & 0x0fff;
                }
            }
            _ => {}
        }
        // SAFETY: `next` came from the same header, whose buffer is unchanged.
        next = unsafe { libc::CMSG_NXTHDR(header, next) };
    }
    entry
}

/// The payload of a control message, if it is long enough to be a `T`.
fn payload<T: Copy>(message: *const libc::cmsghdr, length: usize) -> Option<T> {
    // SAFETY: CMSG_LEN only computes.
    let needed = unsafe { libc::CMSG_LEN(size_of::<T>() as libc::c_uint) } as usize;
    // SAFETY: `length` covers header and a whole T, so the read stays inside the message; it may be unaligned.
    (length >= needed).then(|| unsafe { libc::CMSG_DATA(message).cast::<T>().read_unaligned() })
}

/// Sends complete Ethernet frames on any interface; receives nothing.
#[derive(Debug)]
pub struct Sender(Socket);

impl Sender {
    /// A socket that is bound to no interface.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_RAW`.
    pub fn open() -> io::Result<Self> {
        socket().map(Self)
    }

    /// Hands one frame to the interface `ifindex`. Success means that the queue took it; that of an interface
    /// without carrier takes and drops everything, so watch the link, too.
    ///
    /// # Errors
    /// `ENOBUFS` when the interface's queue is full, `EAGAIN` when too much of ours is still under way,
    /// `ENETDOWN` when the interface is down, `ENXIO` when there is none, `EMSGSIZE` beyond its MTU.
    pub fn send(&self, ifindex: u32, frame: &[u8]) -> io::Result<()> {
        let address = link_address(ifindex, stated_ethertype(frame));
        retry(|| {
            // SAFETY: the descriptor is open; frame and address outlive the call, and their lengths are stated
            // as they are.
            unsafe {
                libc::sendto(
                    self.0.as_raw_fd(),
                    frame.as_ptr().cast(),
                    frame.len(),
                    libc::MSG_DONTWAIT,
                    (&raw const address).cast(),
                    size_of::<libc::sockaddr_ll>() as libc::socklen_t,
                )
            }
        })
        .map(drop)
    }

    /// Hands over the first [`BATCH`] frames at most, each to its interface, in one system call. Returns how
    /// many were taken; fewer than given means that the next one was refused, for a reason that another call
    /// beginning with it tells.
    ///
    /// # Errors
    /// As [`Sender::send`], when the first frame is refused.
    pub fn send_batch<'a>(&self, frames: impl IntoIterator<Item = (u32, &'a [u8])>) -> io::Result<usize> {
        // SAFETY: sockaddr_ll, iovec and mmsghdr are plain old data, for which all zeroes is a valid value.
        let (mut names, mut vectors, mut headers): (
            [libc::sockaddr_ll; BATCH],
            [libc::iovec; BATCH],
            [libc::mmsghdr; BATCH],
        ) = unsafe { mem::zeroed() };
        let mut count = 0;
        for (index, (ifindex, frame)) in frames.into_iter().take(BATCH).enumerate() {
            names[index] = link_address(ifindex, stated_ethertype(frame));
            vectors[index].iov_base = frame.as_ptr().cast_mut().cast();
            vectors[index].iov_len = frame.len();
            let header = &mut headers[index].msg_hdr;
            header.msg_name = (&raw mut names[index]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
            header.msg_iov = &raw mut vectors[index];
            header.msg_iovlen = 1;
            count = index + 1;
        }
        if count == 0 {
            return Ok(0);
        }
        retry(|| {
            // SAFETY: the descriptor is open. The first `count` headers point at one name, one vector and with
            // it one frame each; all live until this function returns, and the kernel only reads the frames.
            let sent = unsafe {
                libc::sendmmsg(
                    self.0.as_raw_fd(),
                    headers.as_mut_ptr(),
                    count as libc::c_uint,
                    libc::MSG_DONTWAIT,
                )
            };
            sent as isize
        })
    }
}

/// The protocol that the frame itself names; the kernel wants to be told, and uses it for its queues.
fn stated_ethertype(frame: &[u8]) -> u16 {
    frame.get(12..14).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_be_bytes)
}
