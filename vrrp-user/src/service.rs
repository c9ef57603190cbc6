//! The service thread: checks, the control socket and signals, everything that may be slow. It decides nothing.

use std::{io, thread, time::Duration};

use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    sync::{mpsc, oneshot, watch},
};

use crate::{
    config::model::Script,
    control::{Control, Reply, Request},
    node::Command,
    spawner,
    state::{Memory, Store},
    supervise::{self, Supervisor},
    track,
};

/// How long the protocol thread may take to answer a question.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// What the service thread works with.
pub struct Service {
    /// Runs the scripts.
    pub spawner: spawner::Process,
    /// What to run.
    pub scripts: Vec<Script>,
    /// Where results go.
    pub reports: mpsc::Sender<track::CheckReport>,
    /// Where commands go.
    pub commands: mpsc::Sender<Command>,
    /// Where questions come from.
    pub control: Control,
    /// Where memories are kept.
    pub store: Store,
    /// What is to be kept, and be there after a crash.
    pub memories: watch::Receiver<Memory>,
    /// What systemd is told.
    pub supervisor: Supervisor,
}

impl Service {
    /// Starts the thread; it ends when the protocol thread no longer listens.
    pub fn spawn(self) -> io::Result<thread::JoinHandle<()>> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("service".to_owned()).spawn(move || runtime.block_on(self.run()))
    }

    async fn run(self) {
        let Self { spawner, scripts, reports, commands, control, store, memories, supervisor } = self;
        let serve = async {
            if let Err(error) = control.serve(|request| ask(commands.clone(), request)).await {
                tracing::error!("control socket: {error}; `xvrrp status` does not work until a restart");
            }
        };
        let signals = async {
            if let Err(error) = forward_signals(commands.clone()).await {
                tracing::error!("cannot listen for signals: {error}");
            }
        };
        let checks = async {
            match spawner.attach() {
                Ok(spawner) => run_checks(scripts, spawner, reports).await,
                Err(error) => {
                    tracing::error!("cannot talk to the spawner process: {error}; every check fails");
                }
            }
        };
        let everything =
            async { tokio::join!(checks, serve, signals, keep(store, memories), supervisor.run()) };
        tokio::select! {
            _ = everything => {}
            () = commands.closed() => {}
        }
        supervise::ended();
    }
}

/// Runs the checks for ever, and says so once if their process is lost: from then on every check fails.
async fn run_checks(
    scripts: Vec<Script>,
    spawner: spawner::Spawner,
    reports: mpsc::Sender<track::CheckReport>,
) {
    let watch = spawner.clone();
    let lost = async move {
        let why = watch.closed().await;
        tracing::error!("{why}; every check fails until a restart");
    };
    tokio::join!(track::run(scripts, spawner, reports), lost);
}

/// Writes down what the node wants to leave, whenever that changes.
async fn keep(store: Store, mut memories: watch::Receiver<Memory>) {
    while memories.changed().await.is_ok() {
        let memory = memories.borrow_and_update().clone();
        if let Err(error) = store.remember(&memory) {
            tracing::warn!("cannot note what to leave to the next daemon: {error}");
        }
    }
}

/// Puts a request to the node; `None` if it does not answer in time.
async fn ask(commands: mpsc::Sender<Command>, request: Request) -> Option<Reply> {
    let ask = async {
        Some(match request {
            Request::Status => Reply::Status(Box::new(put(&commands, Command::Status).await?)),
            Request::Events => Reply::Events(put(&commands, Command::Events).await?),
            Request::Stop { keep } => {
                tracing::info!(
                    "asked to stop{}",
                    if keep { ", leaving everything to the next daemon" } else { "" }
                );
                commands.send(if keep { Command::Leave } else { Command::Stop }).await.ok()?;
                Reply::Stopping
            }
        })
    };
    tokio::time::timeout(ANSWER_TIME, ask).await.ok().flatten()
}

async fn put<T>(
    commands: &mpsc::Sender<Command>,
    question: impl FnOnce(oneshot::Sender<T>) -> Command,
) -> Option<T> {
    let (reply, answer) = oneshot::channel();
    commands.send(question(reply)).await.ok()?;
    answer.await.ok()
}

/// SIGTERM and SIGINT stop the node. What keepalived understands besides must not kill it: the address would
/// stay behind.
async fn forward_signals(commands: mpsc::Sender<Command>) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut dump = signal(SignalKind::user_defined1())?;
    let mut statistics = signal(SignalKind::user_defined2())?;
    loop {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            _ = hangup.recv() => {
                tracing::warn!("SIGHUP received: this version cannot reload, restart it to read the file again");
                continue;
            }
            _ = dump.recv() => {
                tracing::warn!("SIGUSR1 received: nothing is dumped, use `xvrrp status`");
                continue;
            }
            _ = statistics.recv() => {
                tracing::warn!("SIGUSR2 received: nothing is dumped, use `xvrrp status --json`");
                continue;
            }
        };
        tracing::info!("{name} received, resigning");
        if commands.send(Command::Stop).await.is_err() {
            return Ok(());
        }
    }
}
