//! Puts the daemon together: rights, control socket, three threads. What the threads do lives elsewhere.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, bail};
use tokio::{
    runtime,
    sync::{mpsc, watch},
};

use crate::{
    config::model::Configuration,
    control::Control,
    datapath::AutoPath,
    guard::Guard,
    netlink::{self, Desired},
    node::{Inbox, Node},
    perform::{announce::Announcer, transmit::Transmitter},
    rights,
    service::Service,
    spawner,
};

/// Messages that may wait for the protocol thread; their senders wait, it never does.
const INBOX: usize = 64;
/// Real-time priority of the protocol thread: above ordinary threads is what counts, not how far.
const REALTIME_PRIORITY: i32 = 50;

/// Runs the node in this thread until it is told to stop. `spawner` was forked before any thread existed.
pub fn run(configuration: Configuration, spawner: spawner::Process, control: &Path) -> Result<()> {
    let missing = rights::missing();
    if !missing.is_empty() {
        bail!("xvrrp needs {}: run it as root, or give it these capabilities", missing.join(" and "));
    }
    let control = Control::bind(control)?;
    rights::drop_all_but_needed().context("cannot drop the rights that are not needed")?;

    let (desired, wanted) = watch::channel(Arc::new(Desired::default()));
    let (netlink_events, netlink) = mpsc::channel(INBOX);
    let (reports, checks) = mpsc::channel(INBOX);
    let (requests, commands) = mpsc::channel(INBOX);
    let mut datapath = AutoPath::new().context("cannot set up the datapath")?;
    datapath.prepare(configuration.instances.iter().map(|instance| instance.receive));
    let (guard, keeper) = Guard::new(configuration.guard, || datapath.guard())?;
    if let Some(reason) = guard.absent() {
        tracing::warn!("the addresses are not guarded: {reason}");
    }
    let transmitter = Transmitter::new().context("cannot open the sockets that advertisements leave by")?;
    let announcer = Announcer::new().context("cannot open the socket that announcements leave by")?;
    let scripts = configuration.scripts.clone();
    let node = Node::new(configuration, (Box::new(datapath), guard), (transmitter, announcer), desired);

    let service = Service { spawner, scripts, reports, commands: requests, control }
        .spawn()
        .context("cannot start the service thread")?;
    let addresses = netlink::spawn(wanted, netlink_events).context("cannot start the address thread")?;
    for outcome in [rights::realtime(REALTIME_PRIORITY), rights::lock_memory()] {
        if let Err(notice) = outcome {
            tracing::info!("{notice}");
        }
    }
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the protocol thread's loop")?;
    let outcome = runtime.block_on(node.run(Inbox { netlink, checks, commands }));
    // The node is gone and with it the channels: both threads end by themselves.
    let addresses = addresses.join().context("the address thread failed");
    // No address is left that anybody could reach.
    drop(keeper);
    if service.join().is_err() {
        tracing::error!("the service thread panicked");
    }
    outcome?;
    addresses
}
