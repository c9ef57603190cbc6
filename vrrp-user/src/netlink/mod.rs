//! The address thread: knows the host's links and addresses, and makes the virtual ones, and the routes and rules
//! that go with them, what the node desires.
//!
//! It takes the desired state as a whole ([`Desired`]) and compares it with what the kernel says, again and
//! again: a change that was missed, refused or undone by another program is made up for.

mod desired;
mod kernel;
mod links;
mod macvlan;
mod owned;
mod plan;
mod restores;
mod routing;
mod secondaries;
mod survey;
mod thread;

#[cfg(test)]
mod lab_tests;
#[cfg(test)]
mod plan_tests;

use std::{io, sync::Arc, thread as threads};

pub use desired::{Desired, DesiredRouter, Event, Refusal, RoutingNews};
pub use links::{Link, LinkAddress, LinkTable, Macvlan};
pub use survey::{Surveyed, survey};
use tokio::{
    runtime,
    sync::{mpsc, oneshot, watch},
};

use crate::{supervise::Pulse, undo::Undo};

/// Room for the notifications of a storm of changes while the thread is not run.
const RECEIVE_BUFFER: i32 = 8 << 20;

/// The running thread. It ends when the sender of the desired state or the receiver of events is dropped.
#[derive(Debug)]
pub struct Handle(threads::JoinHandle<io::Result<()>>);

impl Handle {
    /// Waits for the end of the thread. Drop the sender of the desired state first, and go on receiving events
    /// or drop their receiver: the thread waits for room in the channel.
    ///
    /// # Errors
    /// Why it ended before it was told to.
    pub fn join(self) -> io::Result<()> {
        self.0.join().unwrap_or_else(|_| Err(io::Error::other("the address thread panicked")))
    }
}

/// Starts the address thread in the calling thread's network namespace, and with its scheduling.
///
/// The first event is [`Event::Links`]. Addresses that a router lists and does not hold are removed where they
/// are found at first sight, so that nothing of an earlier run stays; an owner's are not.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] without `CAP_NET_ADMIN`, and whatever keeps a thread or a netlink socket
/// from being made.
pub fn spawn(
    desired: watch::Receiver<Arc<Desired>>,
    events: mpsc::Sender<Event>,
    pulse: Arc<Pulse>,
    undo: Undo,
) -> io::Result<Handle> {
    require_rights()?;
    let (report, started) = oneshot::channel();
    let run = move || {
        let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let connected = runtime.and_then(|runtime| {
            let kernel = runtime.block_on(async { kernel::Kernel::connect(RECEIVE_BUFFER) })?;
            Ok((runtime, kernel))
        });
        match connected {
            Ok((runtime, kernel)) => {
                // The caller waits for this; it cannot have gone away.
                let _ = report.send(Ok(()));
                runtime.block_on(thread::Thread::new(kernel, desired, events, pulse, undo).run())
            }
            Err(error) => {
                let _ = report.send(Err(error));
                Ok(())
            }
        }
    };
    let thread = threads::Builder::new().name("address".to_owned()).spawn(run)?;
    started.blocking_recv().unwrap_or_else(|_| Err(io::Error::other("the address thread panicked")))?;
    Ok(Handle(thread))
}

/// Takes the addresses, routes and rules of these routers off the host, where they are, and puts back what `undo` has;
/// comes back when that is done.
///
/// # Errors
/// As for [`spawn`], and when the conversation with the kernel breaks off.
pub fn release(routers: Vec<DesiredRouter>, undo: Undo) -> io::Result<()> {
    const ONLY: u64 = 1;
    let (desired, wanted) = watch::channel(Arc::new(Desired { generation: ONLY, keep: false, routers }));
    let (events, mut told) = mpsc::channel(64);
    let thread = spawn(wanted, events, Arc::default(), undo)?;
    while let Some(event) = told.blocking_recv() {
        match event {
            Event::Settled { generation: ONLY } => break,
            Event::Refused { error, .. } => tracing::warn!("{error}"),
            _ => {}
        }
    }
    drop((desired, told));
    thread.join()
}

fn require_rights() -> io::Result<()> {
    let has = caps::has_cap(None, caps::CapSet::Effective, caps::Capability::CAP_NET_ADMIN)
        .map_err(|error| io::Error::other(format!("cannot read the process's capabilities: {error}")))?;
    if has {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "adding and removing addresses needs CAP_NET_ADMIN; run as root or grant it",
    ))
}
