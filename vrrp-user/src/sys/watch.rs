//! Descriptors under tokio's eyes.

use std::{io, os::fd::OwnedFd};

use tokio::io::unix::AsyncFd;

/// Watches a non-blocking descriptor from the calling task's runtime.
///
/// # Errors
///
/// If epoll cannot watch it, or has no room.
pub(crate) fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd always gives the same number, which is open for as long as the AsyncFd, its only
    // owner, lives; nobody can replace it inside without taking it out.
    unsafe { AsyncFd::register(fd) }.map_err(io::Error::from)
}
