//! The service thread: checks, notify, the control socket, signals and reloads, everything that may be slow. It
//! decides nothing about a router.

mod dumps;
mod reload;
mod signals;

use std::{io, sync::Arc, thread, time::Duration};

use tokio::{
    runtime::Runtime,
    sync::{mpsc, oneshot, watch},
};
use vrrp_common::time::Interval;

pub use self::reload::Reader;
use self::reload::Reloader;
use crate::{
    acceptance::Acceptance,
    config::model::Configuration,
    control::{Control, Reply, Request},
    node::{Command, Ordered},
    notify::{self, Notice, Teller},
    spawner::Spawner,
    state::{Memory, Store},
    supervise::{self, Supervisor},
    track::{CheckReport, Watches},
};

/// How long the protocol thread may take to answer a question.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// What the service thread works with.
pub struct Service {
    /// Runs the scripts.
    pub spawner: Spawner,
    /// Drops what is sent to addresses that do not accept.
    pub acceptance: Acceptance,
    /// What the node runs at first: who is told, and what is checked.
    pub configuration: Configuration,
    /// Reads the configuration again; absent for a node that was started without a file.
    pub reader: Option<Reader>,
    /// Where results go.
    pub reports: mpsc::Sender<CheckReport>,
    /// Where commands go.
    pub commands: mpsc::Sender<Command>,
    /// What is to be told.
    pub notices: mpsc::Receiver<Notice>,
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
    /// Starts the thread, which turns this loop, the spawner's; it ends, and gives the loop back, when the node is gone
    /// and what it had to tell is told.
    pub fn spawn(self, runtime: Runtime) -> io::Result<thread::JoinHandle<Runtime>> {
        thread::Builder::new().name("service".to_owned()).spawn(move || {
            runtime.block_on(self.run());
            runtime
        })
    }

    async fn run(self) {
        let Self { spawner, acceptance, configuration, reader, reports, commands, notices, control, .. } =
            self;
        let (store, memories, supervisor) = (self.store, self.memories, self.supervisor);
        let summary = supervisor.summary.clone();
        let (fresh, configurations) = mpsc::unbounded_channel();
        let mut teller = Teller::new(spawner.clone(), notify::PATIENCE);
        teller.set(&configuration);
        let mut watches = Watches::new(spawner.clone(), reports);
        watches.set(&configuration.checks);
        let source = (reader, Arc::new(configuration));
        let reloader = Reloader::new(source, commands.clone(), fresh, (watches, acceptance));
        let serve = async {
            if let Err(error) = control.serve(|request| ask(&commands, &reloader, request)).await {
                tracing::error!("control socket: {error}; `xvrrp status` does not work until a restart");
            }
        };
        let signals = async {
            if let Err(error) = signals::forward(&commands, &reloader).await {
                tracing::error!("cannot listen for signals: {error}");
            }
        };
        let lost = async {
            let why = spawner.closed().await;
            tracing::error!("{why}; every check fails until a restart");
        };
        let everything =
            async { tokio::join!(lost, serve, signals, keep(store, memories), supervisor.run()) };
        tokio::select! {
            _ = everything => {}
            // Ends after the node, with what the node had to tell at its own end.
            () = teller.run(notices, configurations) => {}
        }
        supervise::ended(&summary.borrow());
    }
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
async fn ask(commands: &mpsc::Sender<Command>, reloader: &Reloader, request: Request) -> Option<Reply> {
    let ask = async {
        Some(match request {
            Request::Status => Reply::Status(Box::new(put(commands, Command::Status).await?)),
            Request::Events => Reply::Events(put(commands, Command::Events).await?),
            Request::Reload => reloader.reload().await,
            Request::StepDown { name, seconds } => {
                order(commands, name, Ordered::StepDown(seconds.map(Interval::from_secs))).await?
            }
            Request::Take { name, seconds } => {
                order(commands, name, Ordered::Take(seconds.map(Interval::from_secs))).await?
            }
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

async fn order(commands: &mpsc::Sender<Command>, name: String, order: Ordered) -> Option<Reply> {
    let outcome = put(commands, |reply| Command::Order { name, order, reply }).await?;
    Some(outcome.map_or_else(Reply::Error, Reply::Done))
}

async fn put<T>(
    commands: &mpsc::Sender<Command>,
    question: impl FnOnce(oneshot::Sender<T>) -> Command,
) -> Option<T> {
    let (reply, answer) = oneshot::channel();
    commands.send(question(reply)).await.ok()?;
    answer.await.ok()
}
