//! Thin wrappers over system calls: the only place with `unsafe`. Nothing here decides anything.

pub mod bpf;
pub mod clock;
pub mod clsact;
mod filter;
pub mod link;
pub mod order;
pub mod packet;
pub mod pins;
pub mod pipe;
pub mod process;
pub mod raw;
#[cfg(test)]
pub(crate) mod ring;
pub mod watch;

use std::{io, os::fd::AsRawFd};

/// Sets a socket option whose value is a plain C value.
fn set_option<T: Copy>(socket: &impl AsRawFd, level: i32, name: i32, value: T) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; the pointer and the length describe
    // `value`, which outlives the call, and the kernel only reads from it.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Repeats a system call that a signal interrupted; a negative result is an error.
fn retry(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        if let Ok(count) = usize::try_from(call()) {
            return Ok(count);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Sets the size of a socket's receive queue in bytes: beyond the host's limit with `CAP_NET_ADMIN`, else up to
/// the limit.
///
/// # Errors
/// When the descriptor is no socket.
pub fn set_receive_buffer(socket: &impl AsRawFd, bytes: i32) -> io::Result<()> {
    set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes)
        .or_else(|_| set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes))
}
