//! The spawner process itself: one thread, one `poll`, all runs.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, ppoll},
    sys::{
        prctl,
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
        socket::{MsgFlags, recv, send},
        time::{TimeSpec, TimeValLike},
    },
    unistd::{Pid, getppid},
};
use vrrp_common::time::Instant;

use super::{
    job::Job,
    launch::launch,
    message::{Answer, MAX_PACKET, Outcome, Request},
};
use crate::sys::{clock, process};

/// Where programs are searched when the daemon was started without `PATH`.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Not for scripts: they would load other libraries or split words differently (keepalived drops them too).
const UNWANTED: [&str; 3] = ["IFS", "LD_PRELOAD", "LD_LIBRARY_PATH"];

/// Runs what `daemon`, the socket to the parent of process id `parent`, asks for, until it closes. No
/// script is left behind. Returns the exit status of the process.
pub(super) fn serve(daemon: BorrowedFd<'_>, parent: Pid) -> i32 {
    match Server::prepare(daemon, parent).and_then(Server::run) {
        Ok(()) => 0,
        Err(error) => {
            // If this does not reach the daemon, the end of the socket does.
            let _ = say(daemon, &Answer::Failed(error.to_string()));
            1
        }
    }
}

fn named(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// Sends one packet, if the socket takes it.
fn say(daemon: BorrowedFd<'_>, answer: &Answer) -> io::Result<()> {
    let packet = serde_json::to_vec(answer)?;
    send(daemon.as_raw_fd(), &packet, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL)?;
    Ok(())
}

struct Server<'a> {
    daemon: BorrowedFd<'a>,
    parent: Pid,
    signals: SignalFd,
    null: File,
    jobs: Vec<Job>,
    /// What the socket had no room for yet.
    outbox: VecDeque<Answer>,
    /// Where requests are received.
    packet: Vec<u8>,
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        for job in &self.jobs {
            job.kill();
        }
    }
}

/// What the daemon's end of the socket is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Daemon {
    Present,
    Gone,
}

impl<'a> Server<'a> {
    fn prepare(daemon: BorrowedFd<'a>, parent: Pid) -> io::Result<Self> {
        process::close_all_but(daemon).map_err(|error| named("cannot close inherited files", &error))?;
        process::default_signals();
        process::clean_environment(&UNWANTED, DEFAULT_PATH)?;
        prctl::set_name(c"xvrrp-spawn")?;
        // Blocked, not ignored: exec keeps what is ignored. So a terminal's ^C and a service manager's
        // SIGTERM to all processes do nothing here; the daemon stops first, and its end of the socket tells.
        SigSet::all().thread_block()?;
        let heard: SigSet = [Signal::SIGCHLD, Signal::SIGTERM].into_iter().collect();
        let signals = SignalFd::with_flags(&heard, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        // Wakes us if the daemon dies while a copy of its end of the socket lives on somewhere.
        prctl::set_pdeathsig(Signal::SIGTERM)?;
        let null = File::options().read(true).write(true).open("/dev/null");
        let null = null.map_err(|error| named("cannot open /dev/null", &error))?;
        nix::unistd::dup2_stdin(&null)?;
        let (jobs, outbox, packet) = (Vec::new(), VecDeque::from([Answer::Ready]), vec![0; MAX_PACKET]);
        Ok(Self { daemon, parent, signals, null, jobs, outbox, packet })
    }

    fn run(mut self) -> io::Result<()> {
        // Asked before the first wait: a daemon that died before it was to be told has told nothing.
        while getppid() == self.parent {
            self.wait()?;
            while self.signals.read_signal()?.is_some() {}
            // Before requests: a run that has just ended does not keep the next one from starting.
            self.tend();
            if self.receive()? == Daemon::Gone || self.deliver()? == Daemon::Gone {
                break;
            }
        }
        Ok(())
    }

    /// Sleeps until there is something to do.
    fn wait(&self) -> io::Result<()> {
        let now = clock::now();
        let due = self.jobs.iter().filter_map(Job::deadline).min();
        let timeout = due.map(|at| {
            let nanos = i64::try_from(at.since(now).as_nanos()).unwrap_or(i64::MAX);
            TimeSpec::nanoseconds(nanos)
        });
        let mut interest = PollFlags::POLLIN;
        interest.set(PollFlags::POLLOUT, !self.outbox.is_empty());
        let mut fds =
            [PollFd::new(self.daemon, interest), PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut fds, timeout, None) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks after every run: ended ones, late ones, dying ones.
    fn tend(&mut self) {
        let now = clock::now();
        for job in &mut self.jobs {
            let outcome = job.look(now).or_else(|| job.tick(now));
            self.outbox.extend(outcome.map(|outcome| Answer::Ended { id: job.id, outcome }));
        }
        self.jobs.retain(|job| !job.is_over());
    }

    /// Starts what is asked for.
    fn receive(&mut self) -> io::Result<Daemon> {
        loop {
            match recv(self.daemon.as_raw_fd(), &mut self.packet, MsgFlags::MSG_DONTWAIT) {
                Ok(0) | Err(Errno::ECONNRESET) => return Ok(Daemon::Gone),
                Ok(length) => {
                    let request = serde_json::from_slice(self.packet.get(..length).unwrap_or_default())?;
                    self.start(&request, clock::now());
                }
                Err(Errno::EAGAIN) => return Ok(Daemon::Present),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn start(&mut self, request: &Request, now: Instant) {
        let refusal = if self.jobs.iter().any(|job| job.blocks(request.slot)) {
            "previous run still exists".to_owned()
        } else {
            match launch(request, self.null.as_fd()) {
                Ok(launched) => {
                    self.jobs.push(Job::new(request, launched, now));
                    return;
                }
                Err(error) => format!("cannot create a process: {error}"),
            }
        };
        self.outbox.push_back(Answer::Ended { id: request.id, outcome: Outcome::NotRun(refusal) });
    }

    /// Sends what the socket takes.
    fn deliver(&mut self) -> io::Result<Daemon> {
        while let Some(answer) = self.outbox.front() {
            match say(self.daemon, answer) {
                Ok(()) => drop(self.outbox.pop_front()),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => break,
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => return Ok(Daemon::Gone),
                    _ => return Err(error),
                },
            }
        }
        Ok(Daemon::Present)
    }
}
