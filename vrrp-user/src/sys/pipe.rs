//! What only the kernel knows of a pipe. Nothing is read or written here.

use std::{io, os::fd::AsRawFd};

/// How many bytes wait in a pipe to be read.
///
/// # Errors
/// When the descriptor is nothing that bytes can wait in.
pub(crate) fn unread(pipe: &impl AsRawFd) -> io::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int to `bytes`, which outlives the call; the descriptor is borrowed.
    let result = unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut bytes) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(usize::try_from(bytes).unwrap_or(0))
}
