//! The control socket: one JSON request a line, one JSON answer. What a request means is the node's affair.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    os::{
        fd::OwnedFd,
        unix::{
            fs::{DirBuilderExt, FileTypeExt, PermissionsExt},
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde::{Deserialize, Serialize};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

use crate::status::{Events, Status};

/// How long a client waits, and how long a silent client may hold a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest request line that is read.
const MAX_REQUEST: u64 = 4096;

/// Clients at a time; more wait their turn.
const MAX_CLIENTS: usize = 32;

/// What can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// The snapshot.
    Status,
    /// What happened lately.
    Events,
    /// End.
    Stop {
        /// Leave addresses and leases to the next daemon instead of resigning.
        keep: bool,
    },
    /// Read the configuration again.
    Reload,
    /// Give the addresses of a router or group away.
    StepDown {
        /// Which.
        name: String,
        /// For how long; until told otherwise if absent.
        seconds: Option<u64>,
    },
    /// Take them.
    Take {
        /// Which.
        name: String,
        /// For how long; until told otherwise if absent.
        seconds: Option<u64>,
    },
}

/// The answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// To [`Request::Events`].
    Events(Events),
    /// To [`Request::Stop`]: it has begun.
    Stopping,
    /// It was done, and this came of it.
    Done(String),
    /// To [`Request::Reload`]: the file cannot be used, and why. Nothing changed.
    Unusable(String),
    /// To [`Request::Reload`]: some routers have errors and go on as before, which and why; the others follow the file.
    Partly(String),
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
    #[error("cannot listen on {path}: {error}; give another place with --control")]
    Listen {
        /// The socket.
        path: PathBuf,
        /// The system's word.
        error: io::Error,
    },
    /// Something else is in the socket's place.
    #[error("{0} is not a socket and is left alone; give another place with --control")]
    Occupied(PathBuf),
    /// Nobody listens.
    #[error("no xvrrp answers on {path} ({error}): is it running, and is --control the same?")]
    Absent {
        /// The socket.
        path: PathBuf,
        /// The system's word.
        error: io::Error,
    },
    /// Somebody listens, and does not answer.
    #[error("xvrrp on {path} did not answer: {error}")]
    Silent {
        /// The socket.
        path: PathBuf,
        /// The system's word.
        error: io::Error,
    },
    /// The daemon's own complaint.
    #[error("{0}")]
    Refused(String),
    /// The configuration cannot be used; the text says why.
    #[error("the configuration cannot be used; the node goes on as before\n\n{0}")]
    Unusable(String),
    /// Only some routers of the configuration can be used; the text says which, and why.
    #[error("only a part of the configuration can be used: {0}")]
    Partly(String),
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
        let listen = |error| ControlError::Listen { path: path.to_owned(), error };
        if let Some(parent) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(listen)?;
        }
        remove_dead(path)?;
        let listener = UnixListener::bind(path).map_err(listen)?;
        // From here on a failure removes the socket again.
        let control = Self { listener, path: path.to_owned() };
        fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(listen)?;
        control.listener.set_nonblocking(true).map_err(listen)?;
        Ok(control)
    }

    /// Answers requests for ever; `ask` brings the answer, or `None` if the node does not answer.
    pub async fn serve<F>(&self, ask: impl Fn(Request) -> F) -> io::Result<()>
    where
        F: Future<Output = Option<Reply>>,
    {
        let listener = tokio::net::UnixListener::from_std(self.listener.try_clone()?)?;
        let mut clients = FuturesUnordered::new();
        loop {
            tokio::select! {
                // A client that says nothing keeps nobody else waiting, and cannot use up the descriptors.
                accepted = listener.accept(), if clients.len() < MAX_CLIENTS => match accepted {
                    Ok((stream, _)) => clients.push(tokio::time::timeout(PATIENCE, answer(stream, &ask))),
                    Err(error) => {
                        tracing::warn!("control socket: {error}");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(answered) = clients.next() => {
                    if let Ok(Err(error)) = answered {
                        tracing::debug!("control socket: a client left early: {error}");
                    }
                }
            }
        }
    }
}

/// Removes a socket that nobody answers on any more, and nothing else. Nothing happens if there is none.
///
/// # Errors
/// [`ControlError::Busy`] and [`ControlError::Occupied`] when it is something else, and when it cannot be removed.
pub fn remove_dead(path: &Path) -> Result<(), ControlError> {
    let listen = |error| ControlError::Listen { path: path.to_owned(), error };
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => Err(ControlError::Occupied(path.to_owned())),
        Ok(_) => match connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path).map_err(listen)
            }
            // Connected, or its queue is full: somebody is there.
            _ => Err(ControlError::Busy(path.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(listen(error)),
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!("cannot remove {}: {error}", self.path.display());
        }
    }
}

async fn answer<F>(stream: tokio::net::UnixStream, ask: &impl Fn(Request) -> F) -> io::Result<()>
where
    F: Future<Output = Option<Reply>>,
{
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let limited = tokio::io::AsyncReadExt::take(read, MAX_REQUEST);
    tokio::io::BufReader::new(limited).read_line(&mut line).await?;
    let reply = match serde_json::from_str(&line) {
        Ok(request) => {
            let silent = || Reply::Error("the protocol thread did not answer within 2 s".to_owned());
            ask(request).await.unwrap_or_else(silent)
        }
        Err(error) => Reply::Error(format!("request not understood: {error}")),
    };
    let mut text = serde_json::to_vec(&reply).map_err(io::Error::other)?;
    text.push(b'\n');
    write.write_all(&text).await
}

/// Connects and sends in limited time: a node that is stopped or hung accepts nobody, and its queue fills up.
fn connect(path: &Path) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.cloexec(), None)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let address = SockAddr::unix(path)?;
    // With a time limit the kernel does not go on by itself after a signal.
    while let Err(error) = socket.connect(&address) {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(OwnedFd::from(socket).into())
}

/// What the kernel says of a time limit is no help to anybody.
fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => {
            io::Error::new(io::ErrorKind::TimedOut, "5 s have passed; is it stopped or overloaded?")
        }
        _ => error,
    }
}

/// Asks the node behind `path` for its snapshot.
///
/// # Errors
/// When nobody answers, or with something else.
pub fn status(path: &Path) -> Result<Status, ControlError> {
    match ask(path, &Request::Status)? {
        Reply::Status(status) => Ok(*status),
        other => Err(refused(other)),
    }
}

/// Asks the node behind `path` what happened lately.
///
/// # Errors
/// When nobody answers, or with something else.
pub fn events(path: &Path) -> Result<Events, ControlError> {
    match ask(path, &Request::Events)? {
        Reply::Events(events) => Ok(events),
        other => Err(refused(other)),
    }
}

/// Asks the node behind `path` to end, and does not wait until it has.
///
/// # Errors
/// When nobody answers, or with something else.
pub fn stop(path: &Path, keep: bool) -> Result<(), ControlError> {
    match ask(path, &Request::Stop { keep })? {
        Reply::Stopping => Ok(()),
        other => Err(refused(other)),
    }
}

/// Asks the node behind `path` to do something; what came of it, in words.
///
/// # Errors
/// When nobody answers, or it was not done.
pub fn order(path: &Path, request: &Request) -> Result<String, ControlError> {
    match ask(path, request)? {
        Reply::Done(text) => Ok(text),
        other => Err(refused(other)),
    }
}

fn refused(reply: Reply) -> ControlError {
    ControlError::Refused(match reply {
        Reply::Error(text) => text,
        Reply::Unusable(text) => return ControlError::Unusable(text),
        Reply::Partly(text) => return ControlError::Partly(text),
        _ => "xvrrp answered another question than was asked: is it of another version?".to_owned(),
    })
}

fn ask(path: &Path, request: &Request) -> Result<Reply, ControlError> {
    let absent = |error| ControlError::Absent { path: path.to_owned(), error };
    let silent = |error| ControlError::Silent { path: path.to_owned(), error: in_words(error) };
    let mut stream = connect(path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => silent(error),
        _ => absent(error),
    })?;
    let request = serde_json::to_string(request).map_err(|error| silent(error.into()))?;
    stream.write_all(format!("{request}\n").as_bytes()).map_err(silent)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).map_err(silent)?;
    serde_json::from_str(&line).map_err(|error| silent(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place for one test's socket, removed afterwards.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let place = std::env::temp_dir().join(format!("xvrrp-{name}-{}", std::process::id()));
            fs::create_dir_all(&place).unwrap();
            Self(place)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let place = Place::new("no-socket");
        let file = place.0.join("keepalived.conf");
        fs::write(&file, "precious").unwrap();
        assert!(matches!(Control::bind(&file), Err(ControlError::Occupied(_))));
        assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    }

    #[test]
    fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
        let place = Place::new("dead-socket");
        let path = place.0.join("control.sock");
        drop(UnixListener::bind(&path).unwrap());
        let living = Control::bind(&path).unwrap();
        assert!(matches!(Control::bind(&path), Err(ControlError::Busy(_))));
        drop(living);
        assert!(!path.exists());
    }

    #[test]
    fn a_queue_that_is_full_holds_up_nobody_for_ever() {
        let place = Place::new("full-queue");
        let path = place.0.join("control.sock");
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        listener.listen(0).unwrap();
        let _first = connect(&path).unwrap();
        assert!(matches!(status(&path), Err(ControlError::Silent { .. })));
    }

    #[tokio::test]
    async fn silent_clients_keep_nobody_waiting() {
        let place = Place::new("silent-clients");
        let path = place.0.join("control.sock");
        let control = Control::bind(&path).unwrap();
        let _silent: Vec<UnixStream> = (0..MAX_CLIENTS - 1).map(|_| connect(&path).unwrap()).collect();
        let asked = tokio::task::spawn_blocking(move || status(&path));
        let served = control.serve(|_| async { None });
        tokio::select! {
            _ = served => panic!("serving ended"),
            answer = asked => {
                let error = answer.unwrap().unwrap_err();
                assert!(matches!(error, ControlError::Refused(_)), "{error}");
            }
        }
    }
}
