//! The daemon's handle to the spawner process: requests out, replies to whom they belong.

use std::{
    collections::HashMap,
    io,
    os::fd::{AsRawFd, OwnedFd},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use nix::{
    sys::{
        socket::{MsgFlags, Shutdown, recv, send, shutdown},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::{oneshot, watch},
    task::AbortHandle,
    time::{sleep, timeout as limit},
};
use vrrp_common::time::Interval;

use super::{
    Process,
    message::{Answer, MAX_PACKET, Outcome, Request},
};
use crate::{config::model::Credentials, sys::watch::watch};

/// What the spawner may take beyond a run's timeout before its silence is an answer.
const GRACE: Duration = Duration::from_secs(1);

impl Process {
    /// Connects the calling task's tokio runtime to the spawner. Replies arrive while that runtime turns.
    ///
    /// # Errors
    ///
    /// If the runtime cannot watch the socket.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    pub fn attach(self) -> io::Result<Spawner> {
        let link = Arc::new(Link {
            socket: watch(self.socket)?,
            pid: self.pid,
            next: AtomicU64::new(0),
            waiting: Mutex::new(HashMap::new()),
            gone: watch::Sender::new(None),
        });
        let reader = tokio::spawn(Arc::clone(&link).read()).abort_handle();
        Ok(Spawner(Arc::new(Attached { link, reader })))
    }
}

/// Runs programs through the spawner process; clones share it. When the last clone and the last
/// [`Program`] are dropped, the process kills what it runs and exits.
#[derive(Clone, Debug)]
pub struct Spawner(Arc<Attached>);

/// A command of which one run at a time may exist.
#[derive(Clone, Debug)]
pub struct Program {
    spawner: Spawner,
    slot: u64,
    command: Vec<String>,
    user: Credentials,
}

impl Spawner {
    /// Names a command, to run it again and again but never beside itself. The program is a path or is
    /// searched in `PATH`.
    pub fn program(&self, command: &[String], user: Credentials) -> Program {
        let slot = self.0.link.next.fetch_add(1, Ordering::Relaxed);
        Program { spawner: self.clone(), slot, command: command.to_vec(), user }
    }

    /// Runs a command once: [`Program::run`] without regard to other runs.
    pub async fn run(&self, command: &[String], user: Credentials, timeout: Interval) -> Outcome {
        self.program(command, user).run(timeout).await
    }

    /// Waits until the spawner process is gone, which it never is by itself. Returns what is known of its
    /// end, for people. Nothing runs from then on: every [`Outcome`] is `NotRun`.
    pub async fn closed(&self) -> String {
        let mut gone = self.0.link.gone.subscribe();
        match gone.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            // The sender lives in `self`.
            Err(_) => String::new(),
        }
    }
}

impl Program {
    /// Runs the command and waits for its end, at most `timeout`. When that has passed the outcome is
    /// [`Outcome::TimedOut`] at once; its process group gets SIGTERM, after 2 s SIGKILL, then SIGKILL every
    /// 10 s. A run while an earlier one still exists is not started. Dropping the future forgets the
    /// outcome, not the process.
    pub async fn run(&self, timeout: Interval) -> Outcome {
        let link = &self.spawner.0.link;
        let (id, answer) = link.expect_answer();
        let _forget = Forget { link, id };
        let request = Request {
            id,
            slot: self.slot,
            command: self.command.clone(),
            uid: self.user.uid,
            gid: self.user.gid,
            timeout: timeout.as_nanos(),
        };
        let ask = async {
            match link.send(&request).await {
                // An error: the reader drops senders after it has written the obituary.
                Ok(()) => {
                    answer.await.unwrap_or_else(|_| Outcome::NotRun(link.obituary().unwrap_or_default()))
                }
                Err(why) => Outcome::NotRun(link.obituary().unwrap_or(why)),
            }
        };
        let patience = Duration::from_nanos(timeout.as_nanos()).saturating_add(GRACE);
        let silence = || Outcome::NotRun(format!("the spawner process {} does not answer", link.pid));
        limit(patience, ask).await.unwrap_or_else(|_| silence())
    }
}

/// Ends the reader with the last handle, and so closes the socket.
#[derive(Debug)]
struct Attached {
    link: Arc<Link>,
    reader: AbortHandle,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

type Waiting = HashMap<u64, oneshot::Sender<Outcome>>;

#[derive(Debug)]
struct Link {
    socket: AsyncFd<OwnedFd>,
    pid: Pid,
    /// The next id or slot: numbers are never used twice.
    next: AtomicU64,
    waiting: Mutex<Waiting>,
    /// Why the spawner is gone, once it is.
    gone: watch::Sender<Option<String>>,
}

/// Removes a run that nobody waits for any more.
struct Forget<'a> {
    link: &'a Link,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.link.waiting().remove(&self.id);
    }
}

impl Link {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // No code that can panic runs under the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expect_answer(&self) -> (u64, oneshot::Receiver<Outcome>) {
        let (sender, answer) = oneshot::channel();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.waiting().insert(id, sender);
        (id, answer)
    }

    fn obituary(&self) -> Option<String> {
        self.gone.borrow().clone()
    }

    async fn send(&self, request: &Request) -> Result<(), String> {
        if let Some(why) = self.obituary() {
            return Err(why);
        }
        let packet =
            serde_json::to_vec(request).map_err(|error| format!("cannot write the command: {error}"))?;
        if packet.len() > MAX_PACKET {
            return Err(format!("the command is too long: {} bytes, at most {MAX_PACKET}", packet.len()));
        }
        let sent = self.socket.async_io(Interest::WRITABLE, |socket| {
            Ok(send(socket.as_raw_fd(), &packet, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL)?)
        });
        sent.await.map(drop).map_err(|error| format!("cannot ask the spawner process: {error}"))
    }

    /// Hands answers out until the spawner is gone; then tells everybody.
    async fn read(self: Arc<Self>) {
        let why = self.hand_out().await;
        // Whatever went wrong on this side, the spawner ends now.
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Both);
        let end = self.cause_of_death().await;
        let cause = [why, end].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let text = format!("the spawner process is gone ({cause}): no script runs until xvrrp is restarted");
        self.gone.send_replace(Some(text));
        // After the obituary: who waits is woken by the loss of the sender and reads it.
        self.waiting().clear();
    }

    /// Returns what the spawner or the socket said last, if anything.
    async fn hand_out(&self) -> Option<String> {
        let mut packet = vec![0; MAX_PACKET];
        loop {
            let received = self.socket.async_io(Interest::READABLE, |socket| {
                Ok(recv(socket.as_raw_fd(), &mut packet, MsgFlags::MSG_DONTWAIT)?)
            });
            let answer = match received.await {
                Ok(0) => return None,
                Ok(length) => serde_json::from_slice(packet.get(..length).unwrap_or_default()),
                Err(error) => return Some(error.to_string()),
            };
            match answer {
                // Nobody may wait any more.
                Ok(Answer::Ended { id, outcome }) => {
                    let _ = self.waiting().remove(&id).map(|sender| sender.send(outcome));
                }
                Ok(Answer::Ready) => {}
                Ok(Answer::Failed(why)) => return Some(why),
                Err(error) => return Some(format!("it cannot be understood: {error}")),
            }
        }
    }

    /// Reaps the spawner. It closes its socket a moment before it can be reaped.
    async fn cause_of_death(&self) -> Option<String> {
        for _ in 0..100 {
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => sleep(Duration::from_millis(5)).await,
                Ok(WaitStatus::Exited(_, status)) => return Some(format!("exited with status {status}")),
                Ok(WaitStatus::Signaled(_, signal, _)) => return Some(format!("killed by {signal}")),
                Ok(other) => return Some(format!("{other:?}")),
                Err(error) => return Some(format!("its end is unknown: {}", error.desc())),
            }
        }
        Some("it does not end".to_owned())
    }
}
