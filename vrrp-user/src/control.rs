//! The control socket: one JSON request a line, one JSON answer. What a request means is the node's affair.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::{
        fs::{DirBuilderExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

use crate::status::Status;

/// How long a client waits, and how long a silent client may hold a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest request line that is read.
const MAX_REQUEST: u64 = 4096;

/// What can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// The snapshot.
    Status,
}

/// The answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// The request was not understood or not answered.
    Error(String),
}

/// What can go wrong with the socket.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Somebody listens on it.
    #[error(
        "another xvrrp answers on {0}: stop it first, or give this one a socket of its own with --control"
    )]
    Busy(PathBuf),
    /// The socket cannot be made.
    #[error("cannot listen on {path}: {source}; give another place with --control")]
    Listen {
        /// The socket.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// Nobody listens.
    #[error("no xvrrp answers on {path} ({source}): is it running, and is --control the same?")]
    Absent {
        /// The socket.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// Somebody listens, and does not answer.
    #[error("xvrrp on {path} did not answer: {source}")]
    Silent {
        /// The socket.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// The daemon's own complaint.
    #[error("{0}")]
    Refused(String),
}

/// A bound control socket, removed when dropped.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Binds `path` (mode 0660); a socket that nobody answers on any more is replaced.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        if UnixStream::connect(path).is_ok() {
            return Err(ControlError::Busy(path.to_owned()));
        }
        let listen = |source| ControlError::Listen { path: path.to_owned(), source };
        if let Some(parent) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(listen)?;
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(listen(error)),
            _ => {}
        }
        let listener = UnixListener::bind(path).map_err(listen)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Answers requests for ever; `ask` brings the snapshot, or `None` if the node does not answer.
    pub async fn serve<F>(&self, ask: impl Fn() -> F) -> io::Result<()>
    where
        F: Future<Output = Option<Status>>,
    {
        let listener = tokio::net::UnixListener::from_std(self.listener.try_clone()?)?;
        loop {
            let (stream, _) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!("control socket: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let answered = tokio::time::timeout(PATIENCE, answer(stream, &ask)).await;
            if let Ok(Err(error)) = answered {
                tracing::debug!("control socket: a client left early: {error}");
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!("cannot remove {}: {error}", self.path.display());
        }
    }
}

async fn answer<F>(stream: tokio::net::UnixStream, ask: &impl Fn() -> F) -> io::Result<()>
where
    F: Future<Output = Option<Status>>,
{
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let limited = tokio::io::AsyncReadExt::take(read, MAX_REQUEST);
    tokio::io::BufReader::new(limited).read_line(&mut line).await?;
    let reply = match serde_json::from_str(&line) {
        Ok(Request::Status) => match ask().await {
            Some(status) => Reply::Status(Box::new(status)),
            None => Reply::Error("the protocol thread did not answer within 2 s".to_owned()),
        },
        Err(error) => Reply::Error(format!("request not understood: {error}")),
    };
    let mut text = serde_json::to_vec(&reply).map_err(io::Error::other)?;
    text.push(b'\n');
    write.write_all(&text).await
}

/// Asks the node behind `path` for its snapshot.
pub fn status(path: &Path) -> Result<Status, ControlError> {
    let absent = |source| ControlError::Absent { path: path.to_owned(), source };
    let silent = |source| ControlError::Silent { path: path.to_owned(), source };
    let mut stream = UnixStream::connect(path).map_err(absent)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(silent)?;
    let request = serde_json::to_string(&Request::Status).map_err(|error| silent(error.into()))?;
    stream.write_all(format!("{request}\n").as_bytes()).map_err(silent)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).map_err(silent)?;
    match serde_json::from_str(&line).map_err(|error| silent(error.into()))? {
        Reply::Status(status) => Ok(*status),
        Reply::Error(text) => Err(ControlError::Refused(text)),
    }
}
