//! Signals: what each asks for. What keepalived understands must not kill the node: the address would stay behind.

use std::{future::poll_fn, io, task::Poll};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

use super::{dumps, reload::Reloader};
use crate::{
    control::Reply,
    dump::{Dump, Dumper},
    node::Command,
};

/// SIGTERM and SIGINT stop the node, SIGHUP reads the configuration again, others ask for a file.
pub(super) async fn forward(commands: &mpsc::Sender<Command>, reloader: &Reloader) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut threads = signal(SignalKind::from_raw(libc::SIGRTMAX()))?;
    let mut dumps = dump_signals()?;
    let mut dumper = Dumper::default();
    loop {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            _ = hangup.recv() => {
                tracing::info!("SIGHUP received, reading the configuration again");
                reload(reloader).await;
                continue;
            }
            dump = asked(&mut dumps) => {
                dumps::write(&mut dumper, dump, commands, reloader).await;
                continue;
            }
            _ = threads.recv() => {
                tracing::info!("SIGRTMAX received: there is no list of threads to write, use `xvrrp status`");
                continue;
            }
        };
        tracing::info!("{name} received, resigning");
        if commands.send(Command::Stop).await.is_err() {
            return Ok(());
        }
    }
}

fn dump_signals() -> io::Result<Vec<(Dump, Signal)>> {
    let listen = |dump: Dump| Ok((dump, signal(SignalKind::from_raw(dump.signal()))?));
    Dump::ALL.into_iter().map(listen).collect()
}

/// Waits until one of them comes.
async fn asked(signals: &mut [(Dump, Signal)]) -> Dump {
    poll_fn(|context| {
        let came =
            |(dump, signal): &mut (Dump, Signal)| signal.poll_recv(context).is_ready().then_some(*dump);
        signals.iter_mut().find_map(came).map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

async fn reload(reloader: &Reloader) {
    // What is wrong with the file, and what came of it, is in the log already.
    if let Reply::Error(why) = reloader.reload().await {
        tracing::error!("the configuration in use goes on: {why}");
    }
}
