//! The lookout: a thread that asks the kernel whether our programs still hear. The kernel answers that under the lock
//! that every change of an interface on the host takes (rtnl), and whoever makes or removes containers holds it for as
//! long as a second; the protocol thread must not ask. What follows from an answer is not decided here.

use std::{
    collections::BTreeMap,
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{Builder, JoinHandle},
    time::{Duration, Instant as Moment},
};

use nix::sys::eventfd::{EfdFlags, EventFd};
use vrrp_common::time::{Instant, Interval};

use super::attach::{Post, Sight};
use crate::sys::{link::Inquiry, process};

/// How often it looks without being asked.
const ROUND: Duration = Duration::from_secs(1);
/// How long a takeover waits for an answer: a part of an interval, and never longer than this.
pub(super) const PATIENCE: Interval = Interval::from_millis(20);
/// Enough for what it does; all of it is locked in memory.
const STACK: usize = 256 * 1024;

/// What the lookout saw.
#[derive(Debug)]
pub(super) enum Finding {
    /// Nothing can be heard there any more, or not be believed, for this reason.
    Lost(Post, String),
    /// The interface has another hardware address.
    Moved(Post, [u8; 6]),
}

enum Order {
    Watch(Post, Watched),
    Forget(Post),
    Look(Post),
}

enum Answer {
    Found(Finding),
    /// It was asked to look there, and has.
    Looked(Post),
}

/// The protocol thread's end: nothing here waits but the drop, which the node's end may.
pub(super) struct Lookout {
    orders: Option<Sender<Order>>,
    answers: Receiver<Answer>,
    bell: Arc<EventFd>,
    /// Taken by the thread when it starts.
    thread_end: Option<(Receiver<Order>, Sender<Answer>, Inquiry)>,
    thread: Option<JoinHandle<()>>,
    doubts: BTreeMap<Post, Doubt>,
}

/// A silence that may be ours.
struct Doubt {
    /// Until when an answer is waited for.
    until: Instant,
    /// Until when what was heard is beyond doubt.
    trusted: Instant,
}

impl Lookout {
    /// One whose thread starts when there is something to watch.
    ///
    /// # Errors
    /// When the process has no file descriptor left.
    pub(super) fn new() -> io::Result<Self> {
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let ((orders, inbox), (outbox, answers)) = (channel(), channel());
        Ok(Self {
            orders: Some(orders),
            answers,
            bell: Arc::new(bell),
            thread_end: Some((inbox, outbox, Inquiry::new()?)),
            thread: None,
            doubts: BTreeMap::new(),
        })
    }

    /// Readable while there is an answer.
    pub(super) fn readiness(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// Looks after an attachment from now on, and after the interface's hardware address, which is `mac` now.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(super) fn watch(&mut self, post: Post, sight: Sight, mac: [u8; 6]) -> io::Result<()> {
        if let Some((inbox, outbox, inquiry)) = self.thread_end.take() {
            let bell = Arc::clone(&self.bell);
            // Little less urgent than whoever waits for an answer, so that it never keeps that one from its work.
            let urgency = process::realtime_priority().saturating_sub(1);
            let thread = Builder::new().name("lookout".to_owned()).stack_size(STACK);
            self.thread = Some(thread.spawn(move || run(urgency, inquiry, &inbox, &outbox, &bell))?);
        }
        self.order(Order::Watch(post, Watched { sight, mac }));
        Ok(())
    }

    /// The attachment is no more.
    pub(super) fn forget(&mut self, post: Post) {
        self.doubts.remove(&post);
        self.order(Order::Forget(post));
    }

    /// Asks whether a silence is ours. What is heard at `post` is beyond doubt until `trusted` only, until the answer
    /// is there or a part of the `interval` between advertisements has passed: who holds the kernel's lock for longer
    /// shall not put off a takeover.
    pub(super) fn doubt(&mut self, post: Post, trusted: Instant, interval: Interval, now: Instant) {
        let until = now.after(interval.divided(4).min(PATIENCE));
        if let Some(doubt) = self.doubts.get_mut(&post) {
            // It is on its way.
            doubt.trusted = doubt.trusted.min(trusted);
            return;
        }
        self.doubts.insert(post, Doubt { until, trusted });
        self.order(Order::Look(post));
    }

    /// Until when silence at `post` may be believed, if not until now.
    pub(super) fn trusted(&self, post: Post) -> Option<Instant> {
        self.doubts.get(&post).map(|doubt| doubt.trusted)
    }

    /// Until when an answer is waited for, if one is.
    pub(super) fn patience(&self) -> Option<Instant> {
        self.doubts.values().map(|doubt| doubt.until).max()
    }

    /// What it saw since it was asked last.
    pub(super) fn findings(&mut self, now: Instant) -> Vec<Finding> {
        let mut findings = Vec::new();
        // Before the answers are read: one that comes meanwhile rings again. That it did not ring is no error.
        let _ = self.bell.read();
        for answer in self.answers.try_iter() {
            match answer {
                Answer::Found(finding) => findings.push(finding),
                Answer::Looked(post) => drop(self.doubts.remove(&post)),
            }
        }
        self.doubts.retain(|_, doubt| now < doubt.until);
        findings
    }

    fn order(&self, order: Order) {
        // A lookout that is gone panicked, and that was said.
        let _ = self.orders.as_ref().map(|orders| orders.send(order));
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        self.orders = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that looks after the programs panicked");
        }
    }
}

fn run(urgency: i32, inquiry: Inquiry, orders: &Receiver<Order>, answers: &Sender<Answer>, bell: &EventFd) {
    if urgency > 0
        && let Err(error) = process::round_robin(urgency)
    {
        tracing::debug!("the thread that looks after the programs is an ordinary one: {error}");
    }
    let mut rounds = Rounds { inquiry, watched: BTreeMap::new() };
    let mut next = Moment::now() + ROUND;
    loop {
        let order = orders.recv_timeout(next.saturating_duration_since(Moment::now()));
        let found = match order {
            Ok(order) => rounds.obey(order),
            Err(RecvTimeoutError::Timeout) => {
                next = Moment::now() + ROUND;
                rounds.go()
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let any = !found.is_empty();
        for answer in found {
            // Whoever asked has gone; the next order says so.
            let _ = answers.send(answer);
        }
        if any {
            // It cannot be full: that takes 2^64 answers.
            let _ = bell.write(1);
        }
    }
}

/// What is looked after.
struct Rounds {
    inquiry: Inquiry,
    watched: BTreeMap<Post, Watched>,
}

struct Watched {
    sight: Sight,
    /// The hardware address that the node knows.
    mac: [u8; 6],
}

impl Rounds {
    fn obey(&mut self, order: Order) -> Vec<Answer> {
        match order {
            Order::Watch(post, watched) => {
                self.watched.insert(post, watched);
                Vec::new()
            }
            Order::Forget(post) => {
                self.watched.remove(&post);
                Vec::new()
            }
            Order::Look(post) => {
                let lost = self.watched.get(&post).and_then(|watched| watched.sight.lost(post.interface));
                let lost = lost.map(|reason| Answer::Found(Finding::Lost(post, reason)));
                lost.into_iter().chain([Answer::Looked(post)]).collect()
            }
        }
    }

    fn go(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        for (&post, Watched { sight, mac: known }) in &mut self.watched {
            // Without a name the interface is gone, and the program with it.
            let name = self.inquiry.name(post.interface);
            let misled = || name.as_ref().ok().and_then(|name| sight.misled(name));
            let reason = sight.lost(post.interface).or_else(misled);
            answers.extend(reason.map(|reason| Answer::Found(Finding::Lost(post, reason))));
            match name.and_then(|name| self.inquiry.ethernet_address(&name)) {
                Ok(mac) if std::mem::replace(known, mac) != mac => {
                    answers.push(Answer::Found(Finding::Moved(post, mac)));
                }
                Ok(_) => {}
                Err(error) => tracing::debug!("interface {}: no hardware address: {error}", post.interface),
            }
        }
        answers
    }
}
