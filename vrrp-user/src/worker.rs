//! A thread of its own that does one piece of work after the other, for work that may hang: whoever hands it over waits
//! for nothing. What the work is is not known here.

use std::{
    io,
    sync::mpsc::{self, Receiver, SyncSender, TrySendError},
    thread,
};

/// The way to the thread. There is none until there is work; nobody joins it, because the end of the node must not wait
/// for it either.
#[derive(Debug)]
pub struct Worker<W> {
    name: &'static str,
    most: usize,
    work: fn(W),
    thread: Option<SyncSender<W>>,
}

/// Why work is not taken.
#[derive(Debug)]
pub enum Refused {
    /// No thread can be started.
    Thread(io::Error),
    /// As much as may waits already.
    Full,
    /// The thread has ended.
    Ended,
}

impl<W: Send + 'static> Worker<W> {
    /// One whose thread has this name; at most `most` pieces of work wait for it.
    pub fn new(name: &'static str, most: usize, work: fn(W)) -> Self {
        Self { name, most, work, thread: None }
    }

    /// Hands work over.
    ///
    /// # Errors
    /// Why it will not be done.
    pub fn hand(&mut self, work: W) -> Result<(), Refused> {
        let thread = self.thread.take().map_or_else(|| self.start(), Ok).map_err(Refused::Thread)?;
        self.thread.insert(thread).try_send(work).map_err(|error| match error {
            TrySendError::Full(_) => Refused::Full,
            TrySendError::Disconnected(_) => Refused::Ended,
        })
    }

    fn start(&self) -> io::Result<SyncSender<W>> {
        let (sender, waiting): (_, Receiver<W>) = mpsc::sync_channel(self.most);
        let work = self.work;
        thread::Builder::new()
            .name(self.name.to_owned())
            .spawn(move || waiting.into_iter().for_each(work))?;
        Ok(sender)
    }
}
