//! The process that runs scripts with the rights of their users, and the daemon's handle to it.
//!
//! [`Process::start`] forks it before the daemon has threads and before the daemon drops its rights: a
//! script of root keeps root's rights although the daemon does not. When scripts run, and what their
//! results mean, is decided in [`crate::track`].
//!
//! ```text
//! main ── Process::start ──┬── daemon: drop rights, threads, Process::attach ── Spawner::run
//!                          │       │ Request ▼   ▲ Answer     (SOCK_SEQPACKET, one JSON document each)
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
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use nix::{
    poll::{PollFd, PollFlags, poll},
    sys::{
        signal::{Signal, kill},
        socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, socketpair},
        wait::waitpid,
    },
    unistd::{Pid, getpid},
};

pub use client::{Program, Spawner};
pub use message::Outcome;

use self::message::Answer;
use crate::sys::process::fork_child;

/// The spawner process, before a runtime talks to it. Dropping it makes the process kill its scripts and exit.
#[derive(Debug)]
pub struct Process {
    socket: OwnedFd,
    pid: Pid,
}

impl Process {
    /// Forks the spawner process and waits until it is ready. Call it first in `main`: it keeps the rights,
    /// the environment and the limits of this moment for the scripts.
    ///
    /// # Errors
    ///
    /// If this process has threads already, if the socket pair or the fork fails, or what keeps the new
    /// process from its work.
    pub fn start() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let (socket, far) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        let daemon = getpid();
        // Moves `far`: the parent keeps no copy, so the child's end is the end of the socket.
        let pid = fork_child(move || serve::serve(far.as_fd(), daemon))?;
        let why = match first_answer(&socket) {
            Ok(Answer::Ready) => return Ok(Self { socket, pid }),
            Ok(Answer::Failed(why)) => why,
            Ok(other) => format!("it begins with {other:?}"),
            Err(error) => error.to_string(),
        };
        // Our own child, not yet reaped: it can only be gone already.
        let _ = kill(pid, Signal::SIGKILL);
        waitpid(pid, None)?;
        Err(io::Error::other(format!("the spawner process does not start: {why}")))
    }

    /// The process id of the spawner.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }
}

/// Waits for the first packet, at most ten seconds.
fn first_answer(socket: &OwnedFd) -> io::Result<Answer> {
    if poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], 10_000_u16)? == 0 {
        return Err(io::Error::other("no answer for 10 s"));
    }
    let mut packet = vec![0; message::MAX_PACKET];
    let length = recv(socket.as_raw_fd(), &mut packet, MsgFlags::MSG_DONTWAIT)?;
    if length == 0 {
        return Err(io::Error::other("it ended at once"));
    }
    Ok(serde_json::from_slice(packet.get(..length).unwrap_or_default())?)
}
