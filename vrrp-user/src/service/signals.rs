//! Signals: what each asks for. What keepalived understands must not kill the node: the address would stay behind.

use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use super::reload::Reloader;
use crate::{control::Reply, node::Command};

/// SIGTERM and SIGINT stop the node, SIGHUP reads the configuration again.
pub(super) async fn forward(commands: &mpsc::Sender<Command>, reloader: &Reloader) -> io::Result<()> {
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
                tracing::info!("SIGHUP received, reading the configuration again");
                reload(reloader).await;
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

async fn reload(reloader: &Reloader) {
    // What is wrong with the file, and what came of it, is in the log already.
    if let Reply::Error(why) = reloader.reload().await {
        tracing::error!("the configuration in use goes on: {why}");
    }
}
