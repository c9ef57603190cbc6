//! The keeper: a thread that attaches the guard, which takes the kernel longer than the protocol thread may wait.

use std::{
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use tokio::sync::watch;

use super::fence::{Fence, Report};
use crate::netlink::LinkTable;

/// How often it is looked whether somebody detached the guard.
const CARE: Duration = Duration::from_secs(1);

struct Message {
    links: LinkTable,
    done: Option<SyncSender<()>>,
}

/// The protocol thread's end.
pub(super) struct Line {
    messages: Sender<Message>,
    report: watch::Receiver<Report>,
}

impl Line {
    pub(super) fn tell(&self, links: LinkTable) {
        // A keeper that is gone has said why.
        let _ = self.messages.send(Message { links, done: None });
    }

    /// Waits until the interfaces were looked after.
    pub(super) fn wait(&self, links: LinkTable) -> Report {
        let (done, finished) = sync_channel(1);
        if self.messages.send(Message { links, done: Some(done) }).is_ok() {
            // An error means that the keeper is gone.
            let _ = finished.recv();
        }
        self.report()
    }

    pub(super) fn report(&self) -> Report {
        self.report.borrow().clone()
    }
}

/// Keeps the interfaces guarded until it is dropped and the node is gone: let go of it when no address is left.
#[derive(Debug)]
pub struct Keeper {
    messages: Option<Sender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.messages = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the guard's thread panicked");
        }
    }
}

pub(super) fn spawn(fence: Fence) -> io::Result<(Line, Keeper)> {
    let (messages, inbox) = channel();
    let (reports, report) = watch::channel(Report::default());
    let thread = Builder::new().name("guard".to_owned()).spawn(move || run(fence, &inbox, &reports))?;
    let keeper = Keeper { messages: Some(messages.clone()), thread: Some(thread) };
    Ok((Line { messages, report }, keeper))
}

fn run(mut fence: Fence, inbox: &Receiver<Message>, reports: &watch::Sender<Report>) {
    loop {
        match inbox.recv_timeout(CARE) {
            Ok(message) => {
                let messages = [message].into_iter().chain(inbox.try_iter()).collect::<Vec<_>>();
                if let Some(last) = messages.last() {
                    fence.follow(&last.links);
                }
                reports.send_replace(fence.report());
                for done in messages.into_iter().filter_map(|message| message.done) {
                    // Whoever waited may have left.
                    let _ = done.send(());
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                fence.mend();
                reports.send_replace(fence.report());
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
