//! One pipe (FIFO) that every transition is written to. Nobody who does not read it holds anybody up.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::OwnedFd,
        unix::fs::{FileTypeExt, OpenOptionsExt},
    },
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::stat::Mode,
    unistd::{self, mkfifo},
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::watch as flag,
    task::AbortHandle,
    time::sleep,
};
use vrrp_common::time::Interval;

use super::{Notice, backlog::Backlog, lock};
use crate::{
    config::model::{Credentials, Fifo, Program},
    spawner::Spawner,
    sys::{pipe::unread, watch},
};

/// How often it is looked whether the reader has taken everything, at the node's end.
const LOOK: Duration = Duration::from_millis(10);
/// A reader runs as long as the node.
const FOREVER: Interval = Interval::from_secs(100 * 365 * 24 * 3600);

/// A pipe and what is still to be written to it.
pub(super) struct Pipe {
    pub(super) fifo: Fifo,
    backlog: Arc<Mutex<Backlog>>,
    /// Whether lines wait.
    full: flag::Sender<bool>,
    file: Option<File>,
    tasks: Vec<AbortHandle>,
    /// We made it, so it goes with us.
    made: bool,
}

impl Pipe {
    /// Makes the pipe if it is not there, and starts its reader. One that cannot be opened is reported; lines for
    /// it are left out.
    pub(super) fn open(fifo: Fifo, spawner: &Spawner) -> Self {
        let backlog = Arc::<Mutex<Backlog>>::default();
        let full = flag::Sender::new(false);
        let mut pipe = Self { fifo, backlog, full, file: None, tasks: Vec::new(), made: false };
        match pipe.prepare() {
            Ok(file) => pipe.start(file, spawner),
            Err(error) => tracing::error!(
                "notify pipe {}: {error}; nothing is written to it until the file is read again",
                pipe.fifo.path.display()
            ),
        }
        pipe
    }

    fn prepare(&mut self) -> io::Result<(File, AsyncFd<OwnedFd>)> {
        let path = &self.fifo.path;
        match mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR) {
            Ok(()) => self.made = true,
            Err(Errno::EEXIST) => {}
            Err(error) => return Err(error.into()),
        }
        // Read and write, as keepalived does: so it can be opened, and keeps lines, before anybody reads.
        let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW;
        let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
        if !file.metadata()?.file_type().is_fifo() {
            return Err(io::Error::other("it is something else than a pipe, and left alone"));
        }
        let writer = watch::watch(file.try_clone()?.into())?;
        Ok((file, writer))
    }

    fn start(&mut self, (file, writer): (File, AsyncFd<OwnedFd>), spawner: &Spawner) {
        self.file = Some(file);
        let name = self.fifo.path.display().to_string();
        let write = write_all(name, writer, Arc::clone(&self.backlog), self.full.clone());
        self.tasks.push(tokio::spawn(write).abort_handle());
        let owner = self.fifo.owner.filter(|_| self.made);
        let serve = serve(self.fifo.clone(), owner, spawner.clone());
        self.tasks.push(tokio::spawn(serve).abort_handle());
    }

    pub(super) fn write(&self, notice: &Notice) {
        if self.file.is_some() {
            lock(&self.backlog).push(notice.subject.clone(), format!("{notice}\n"));
            self.full.send_replace(true);
        }
    }

    /// Waits until all is written, and, if the node runs the reader, read.
    pub(super) async fn empty(&self) {
        let Some(file) = &self.file else { return };
        // The sender lives in `self`.
        let _ = self.full.subscribe().wait_for(|full| !full).await;
        while self.fifo.reader.is_some() && unread(file).is_ok_and(|bytes| bytes > 0) {
            sleep(LOOK).await;
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        if self.made
            && let Err(error) = std::fs::remove_file(&self.fifo.path)
        {
            tracing::debug!("cannot remove {}: {error}", self.fifo.path.display());
        }
    }
}

/// Writes lines as there is room. A line fits in whole or not at all: it is far shorter than `PIPE_BUF`.
async fn write_all(
    name: String,
    writer: AsyncFd<OwnedFd>,
    backlog: Arc<Mutex<Backlog>>,
    full: flag::Sender<bool>,
) {
    let mut news = full.subscribe();
    while news.wait_for(|full| *full).await.is_ok() {
        let line = {
            let backlog = lock(&backlog);
            let line = backlog.first().map(str::to_owned);
            if line.is_none() {
                full.send_replace(false);
            }
            line
        };
        let Some(line) = line else { continue };
        let write = |pipe: &OwnedFd| Ok(unistd::write(pipe, line.as_bytes())?);
        let written = writer.async_io(Interest::WRITABLE, write).await;
        let mut backlog = lock(&backlog);
        // While it waited for room, other lines may have taken its place.
        if backlog.first() == Some(&*line) {
            backlog.pop();
        }
        if let Err(error) = written {
            tracing::warn!("notify pipe {name}: {error}; left out: {}", line.trim_end());
        }
        let lost = backlog.take_lost();
        if lost > 0 {
            tracing::warn!(
                "notify pipe {name}: nobody read it; {lost} lines that later ones overrule are left out"
            );
        }
    }
}

/// Gives the pipe to its owner, and runs its reader.
async fn serve(fifo: Fifo, owner: Option<Credentials>, spawner: Spawner) {
    let path = &fifo.path;
    if let Some(owner) = owner
        && let Err(why) = give(path, owner, &spawner).await
    {
        tracing::warn!("notify pipe {}: it stays root's: {why}", path.display());
    }
    let Some(Program { mut command, user }) = fifo.reader else { return };
    command.push(path.display().to_string());
    let outcome = spawner.run(&command, user, FOREVER).await;
    tracing::warn!("notify pipe {}: its reader {command:?} {}", path.display(), outcome.describe(FOREVER));
}

/// The daemon itself has no right to give files away.
async fn give(path: &Path, owner: Credentials, spawner: &Spawner) -> Result<(), String> {
    let words = ["chown", &format!("{}:{}", owner.uid, owner.gid), "--", &path.display().to_string()];
    let limit = Interval::from_secs(10);
    let root = Credentials { uid: 0, gid: 0 };
    let outcome = spawner.run(&words.map(str::to_owned), root, limit).await;
    if outcome.is_success() { Ok(()) } else { Err(outcome.describe(limit)) }
}
