//! Puts the daemon together: rights, control socket, three threads. What the threads do lives elsewhere.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, bail};
use tokio::{
    runtime::{self, Runtime},
    sync::{mpsc, watch},
};

use crate::{
    acceptance::Acceptance,
    config::model::Configuration,
    control::Control,
    datapath::AutoPath,
    guard::{self, Guard},
    identity::{Identity, InstanceName},
    netlink::{self, Desired},
    node::{Ending, Heritage, Inbox, Node},
    perform::{announce::Announcer, transmit::Transmitter},
    pins::{Owner, Pins},
    rights,
    service::{Reader, Service},
    spawner::{self, Spawner},
    state::{self, Leases, Lock, Memory, Store},
    supervise,
    undo::Undo,
};

/// Messages that may wait for the protocol thread; their senders wait, it never does.
const INBOX: usize = 64;
/// What may wait to be told to others; the node keeps the last state of every router besides.
const NOTICES: usize = 4096;

/// Runs the node in this thread until it is told to stop. `spawner` was forked before any thread existed; `reader`
/// reads the configuration again; with `bpf_log` the kernel's programs log what they judge.
pub fn run(
    configuration: Configuration,
    reader: Option<Reader>,
    spawner: spawner::Process,
    control: &Path,
    instance: &InstanceName,
    bpf_log: bool,
) -> Result<()> {
    let missing = rights::missing();
    if !missing.is_empty() {
        bail!("xvrrp needs {}: run it as root, or give it these capabilities", missing.join(" and "));
    }
    let identity = Identity::here(instance)?;
    let directory = Path::new(state::DIRECTORY);
    state::prepare(directory)?;
    let lock = Lock::take(directory, &identity)?;
    let control = Control::bind(control)?;
    let store = Store::new(directory, &identity);
    let undo = Undo::recall(directory, &identity).context("cannot read what the daemon before changed")?;
    let (heritage, mut memories) = inherit(&store);
    let pins = Pins::prepare(&identity)
        .inspect_err(|error| tracing::warn!("nothing is left in the kernel for the next daemon: {error}"))
        .ok();
    if let Err(notice) = rights::be_spared() {
        tracing::info!("{notice}");
    }
    rights::drop_all_but_needed().context("cannot drop the rights that are not needed")?;

    if let Err(notice) = rights::run_on(&configuration.running.cpus) {
        tracing::warn!("{notice}");
    }
    let (services, spawner) = attach(spawner)?;
    let acceptance = Acceptance::new(directory, &identity, &spawner);
    services.block_on(acceptance.apply(&configuration))?;
    let (realtime, nice) = (configuration.running.realtime, configuration.running.nice);

    let (desired, wanted) = watch::channel(Arc::new(Desired::default()));
    let (netlink_events, netlink) = mpsc::channel(INBOX);
    let (reports, checks) = mpsc::channel(INBOX);
    let (requests, commands) = mpsc::channel(INBOX);
    let datapath = AutoPath::new().context("cannot set up the datapath")?;
    let owner = Owner::new(&identity);
    let mut datapath = datapath.pinned(pins.clone()).owned(owner).logging(bpf_log);
    datapath.prepare(configuration.instances.iter().map(|instance| instance.receive));
    let (guard, keeper) = Guard::new(configuration.guard, || datapath.guard())?;
    if let Some(reason) = guard.absent() {
        tracing::warn!("the addresses are not guarded: {reason}");
        guard::retire(pins.as_ref(), owner)
            .context("the guard of the daemon before stays: `xvrrp cleanup` removes it")?;
    }
    let transmitter = Transmitter::new().context("cannot open the sockets that advertisements leave by")?;
    let announcer = Announcer::new().context("cannot open the socket that announcements leave by")?;
    let (telling, notices) = mpsc::channel(NOTICES);
    let node = Node::new(
        configuration.clone(),
        (Box::new(datapath), guard),
        (transmitter, announcer),
        (desired, telling),
        heritage,
    );

    // Now, not when the service thread comes to it: a daemon may not live that long.
    if let Err(error) = store.remember(&memories.borrow_and_update()) {
        tracing::warn!("cannot note what to leave to the next daemon: {error}");
    }
    let (supervisor, supervised, pulse) = supervise::begin();
    let service = Service {
        spawner,
        acceptance: acceptance.clone(),
        configuration,
        reader,
        reports,
        commands: requests,
        notices,
        control,
        store: store.clone(),
        memories,
        supervisor,
    }
    .spawn(services)
    .context("cannot start the service thread")?;
    let addresses =
        netlink::spawn(wanted, netlink_events, pulse, undo).context("cannot start the address thread")?;
    for outcome in [rights::schedule(realtime, nice), rights::lock_memory()] {
        if let Err(notice) = outcome {
            tracing::info!("{notice}");
        }
    }
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the protocol thread's loop")?;
    let outcome = runtime.block_on(node.run(Inbox { netlink, checks, commands, supervised }));
    // The node is gone and with it the channels: both threads end by themselves.
    let addresses = addresses.join().context("the address thread failed");
    // No address is left that anybody could reach.
    drop(keeper);
    match service.join() {
        Ok(services) if !matches!(outcome, Ok(Ending::Left)) => services.block_on(acceptance.end()),
        Ok(_) => {}
        Err(_) => tracing::error!("the service thread panicked"),
    }
    conclude(outcome?, &identity, &store, lock);
    addresses
}

/// The loop in which programs are run, before a thread turns it.
fn attach(spawner: spawner::Process) -> Result<(Runtime, Spawner)> {
    let services = runtime::Builder::new_current_thread().enable_all().build();
    let services = services.context("cannot start the service thread's loop")?;
    let attached = services.block_on(async { spawner.attach() });
    Ok((services, attached.context("cannot talk to the spawner process")?))
}

/// What the daemon before left. Without a place to leave anything at, nothing is adopted and nothing left.
fn inherit(store: &Store) -> (Heritage, watch::Receiver<Memory>) {
    let left = store.recall().unwrap_or_else(|error| {
        tracing::warn!("what the daemon before left cannot be read: {error}; starting without");
        None
    });
    let leases = store.leases().unwrap_or_else(|error| {
        tracing::warn!("no lease can be left to the next daemon: {error}; a restart costs a failover");
        Leases::nowhere()
    });
    // Leases without the memory of whose they are say nothing.
    if left.is_none() {
        leases.clear_all();
    }
    let (remember, memories) = watch::channel(Memory::default());
    (Heritage { left: left.unwrap_or_default(), leases, remember }, memories)
}

/// Whoever resigned leaves nothing behind.
fn conclude(ending: Ending, identity: &Identity, store: &Store, lock: Lock) {
    if ending == Ending::Resigned {
        if let Err(error) = Pins::remove_all(identity) {
            tracing::warn!("something is left in the kernel: {error}");
        }
        if let Err(error) = store.forget() {
            tracing::warn!("something is left in {}: {error}", state::DIRECTORY);
        }
    }
    if let Err(error) = lock.release() {
        tracing::debug!("the lock file stays: {error}");
    }
}
