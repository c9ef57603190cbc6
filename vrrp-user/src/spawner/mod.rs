//! The process that runs scripts with the rights of their users, and the daemon's handle to it.
//!
//! [`Process::start`] forks it before the daemon has threads and before the daemon drops its rights: a
//! script of root keeps root's rights although the daemon does not. When scripts run, and what their
//! results mean, is decided in [`crate::track`].
//!
//! ```text
//! main ── Process::start ──┬── daemon: drop rights, threads, Process::attach ── Spawner::run
//!                          │       │ Request ▼   ▲ Reply      (SOCK_SEQPACKET, one JSON document each)
//!                          └── "xvrrp-spawn" ── fork, exec ── one process group a run
//! ```
//!
//! Everything fails closed: a program that cannot be started, runs too long, cannot be killed or whose
//! spawner is gone has an [`Outcome`] that is not success, and it has it in time.

mod client;
mod job;
mod launch;
mod message;
mod serve;

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use nix::{
    sys::socket::{AddressFamily, SockFlag, SockType, socketpair},
    unistd::{Pid, getpid},
};

pub use client::{Program, Spawner};
pub use message::Outcome;

use crate::sys::process::fork_child;

/// The spawner process, before a runtime talks to it. Dropping it makes the process kill its scripts and exit.
#[derive(Debug)]
pub struct Process {
    socket: OwnedFd,
    pid: Pid,
}

impl Process {
    /// Forks the spawner process. Call it first in `main`: it keeps the rights, the environment and the
    /// limits of this moment for the scripts.
    ///
    /// # Errors
    ///
    /// If this process has threads already, or if the socket pair or the fork fails.
    pub fn start() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let (socket, far) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        let daemon = getpid();
        let pid = fork_child(|| match serve::serve(far.as_fd(), daemon) {
            Ok(()) => 0,
            Err(_) => 1, // the daemon sees the end of the socket and says so
        })?;
        Ok(Self { socket, pid })
    }

    /// The process id of the spawner.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }
}
