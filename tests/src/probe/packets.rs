//! Whole frames on `eth0`: a packet socket that sends and hears them. What they mean is not known here.

use std::{
    ffi::c_int,
    io,
    os::fd::{AsFd, AsRawFd as _, BorrowedFd},
};

use anyhow::{Context as _, Result};
use nix::net::if_::if_nametoindex;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

const INTERFACE: &str = "eth0";
const ALL: u16 = 0x0003;
/// Frames that leave in one system call.
const BATCH: usize = 64;

/// A packet socket on `eth0`.
pub(super) struct Packets(Socket);

impl Packets {
    /// One that hears nothing and sends past the queue of the interface.
    pub(super) fn sender() -> Result<Self> {
        let packets = Self::open(0)?;
        packets.option(libc::PACKET_QDISC_BYPASS, 1_i32).context("PACKET_QDISC_BYPASS")?;
        Ok(packets)
    }

    /// One that hears everything that Lab hosts with a number up to `last` send, or virtual router `vrid` by its own
    /// MAC address: their hardware addresses end in it.
    pub(super) fn hearing_hosts(last: u8, vrid: u8) -> Result<Self> {
        let program = [
            SockFilter::new((libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16, 0, 0, 11),
            SockFilter::new((libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, 2, 0, u32::from(vrid)),
            SockFilter::new((libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16, 0, 1, u32::from(last)),
            SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0),
            SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0xffff),
        ];
        // Bound to hear only when the filter is there: nothing of before slips in.
        let packets = Self::open(0)?;
        packets.0.attach_filter(&program).context("filtering")?;
        packets.0.set_recv_buffer_size(8 << 20).context("receive buffer")?;
        packets.0.set_nonblocking(true).context("packet socket")?;
        packets.bind(ALL)?;
        Ok(packets)
    }

    fn open(protocol: u16) -> Result<Self> {
        let socket =
            Socket::new_raw(Domain::PACKET, Type::RAW.cloexec(), Some(Protocol::from(c_int::from(protocol))));
        let packets = Self(socket.context("opening a packet socket")?);
        packets.bind(protocol)?;
        Ok(packets)
    }

    fn bind(&self, protocol: u16) -> Result<()> {
        let index = if_nametoindex(INTERFACE).context(INTERFACE)?;
        // SAFETY: all zeroes is a value of this plain structure.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = protocol.to_be();
        address.sll_ifindex = index.cast_signed();
        // SAFETY: the address is as long as is said and outlives the call.
        let bound = unsafe {
            libc::bind(self.0.as_raw_fd(), (&raw const address).cast(), size_of_val(&address) as u32)
        };
        if bound == 0 { Ok(()) } else { Err(io::Error::last_os_error()).context("binding to eth0") }
    }

    fn option(&self, name: c_int, value: c_int) -> io::Result<()> {
        // SAFETY: the value is as long as is said and outlives the call.
        let set = unsafe {
            libc::setsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                name,
                (&raw const value).cast(),
                size_of_val(&value) as u32,
            )
        };
        if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Sends frames in order; how many the kernel took. One that it did not take is not tried again.
    pub(super) fn send<'a>(&self, frames: impl Iterator<Item = &'a [u8]>) -> usize {
        let mut vectors: Vec<libc::iovec> = frames
            .map(|frame| libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() })
            .collect();
        vectors.chunks_mut(BATCH).map(|batch| self.send_batch(batch)).sum()
    }

    fn send_batch(&self, batch: &mut [libc::iovec]) -> usize {
        // SAFETY: all zeroes is a value of this plain structure.
        let mut messages: [libc::mmsghdr; BATCH] = unsafe { std::mem::zeroed() };
        for (message, vector) in messages.iter_mut().zip(batch.iter_mut()) {
            message.msg_hdr.msg_iov = vector;
            message.msg_hdr.msg_iovlen = 1;
        }
        // SAFETY: as many messages as vectors point to frames that live.
        let sent =
            unsafe { libc::sendmmsg(self.0.as_raw_fd(), messages.as_mut_ptr(), batch.len() as u32, 0) };
        usize::try_from(sent).unwrap_or(0)
    }

    /// The next frame, if one is there.
    pub(super) fn hear(&self, buffer: &mut [u8]) -> Result<Option<usize>> {
        use std::io::Read as _;
        match (&self.0).read(buffer) {
            Ok(length) => Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error).context("hearing"),
        }
    }
}

impl AsFd for Packets {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
