//! A sender by way of `PACKET_TX_RING`, for tests: of what it sends only the Ethernet header lies in the linear part of
//! the kernel's packet, as with drivers that put payload elsewhere.

use std::{io, os::fd::AsRawFd, ptr};

use socket2::{Domain, Socket, Type};

use super::set_option;

const BLOCK: usize = 4096;
const FRAME: usize = 2048;
/// Behind the ring's header: `TPACKET2_HDRLEN - sizeof(struct sockaddr_ll)` of `linux/if_packet.h`.
const DATA: usize = 32;

/// Sends one frame on the interface `ifindex`.
pub(crate) fn send(ifindex: u32, ethertype: u16, frame: &[u8]) -> io::Result<()> {
    assert!(frame.len() <= FRAME - DATA);
    let socket = Socket::new(Domain::PACKET, Type::RAW.cloexec(), None)?;
    let version = libc::tpacket_versions::TPACKET_V2 as libc::c_int;
    set_option(&socket, libc::SOL_PACKET, libc::PACKET_VERSION, version)?;
    let ring = libc::tpacket_req {
        tp_block_size: BLOCK as u32,
        tp_block_nr: 1,
        tp_frame_size: FRAME as u32,
        tp_frame_nr: (BLOCK / FRAME) as u32,
    };
    set_option(&socket, libc::SOL_PACKET, libc::PACKET_TX_RING, ring)?;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping of an open descriptor, wherever the kernel has room for it.
    let memory =
        unsafe { libc::mmap(ptr::null_mut(), BLOCK, access, libc::MAP_SHARED, socket.as_raw_fd(), 0) };
    if memory == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let header: *mut libc::tpacket2_hdr = memory.cast();
    // SAFETY: the first frame of the ring has room for the header and the data, and the kernel does not touch it
    // before its status says that it is to be sent.
    unsafe {
        ptr::copy_nonoverlapping(frame.as_ptr(), memory.cast::<u8>().add(DATA), frame.len());
        (*header).tp_len = frame.len() as u32;
        (&raw mut (*header).tp_status).write_volatile(libc::TP_STATUS_SEND_REQUEST);
    }
    let address = super::packet::link_address(ifindex, ethertype);
    // SAFETY: the address is as long as is said and outlives the call; there is nothing but the ring to send.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            ptr::null(),
            0,
            0,
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        )
    };
    let result = if sent == frame.len() as isize { Ok(()) } else { Err(io::Error::last_os_error()) };
    // SAFETY: what was mapped above; nothing refers to it any more.
    unsafe { libc::munmap(memory, BLOCK) };
    result
}
