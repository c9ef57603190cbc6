//! `xvrrp cleanup`: removes every trace of a node that ended without a chance to do so itself.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result};
use nix::net::if_::if_nameindex;

use super::Style;
use crate::{
    acceptance, cli, control,
    datapath::{self, Slot},
    guard,
    identity::Identity,
    netlink::{self, DesiredRouter},
    pins::{Owner, Pins},
    state::{self, Lock, Memory, Store},
    undo::Undo,
};

/// Works without a node, and is refused while one runs.
pub fn run(arguments: &cli::Cleanup, style: Style) -> Result<ExitCode> {
    let identity = Identity::here(&arguments.which.instance)?;
    let directory = Path::new(state::DIRECTORY);
    state::prepare(directory)?;
    let lock = Lock::take(directory, &identity)?;
    let store = Store::new(directory, &identity);
    let memory = store.recall().unwrap_or_else(|error| {
        super::warn(&format!(
            "which addresses the node had cannot be read ({error}): look at `ip address` yourself"
        ));
        None
    });
    release(memory.unwrap_or_default(), Undo::recall(directory, &identity)?)?;
    detach_filters(Owner::new(&identity))?;
    acceptance::clean_up(directory, &identity)?;
    Pins::remove_all(&identity)?;
    store.forget().context("cannot remove what the node left to the next one")?;
    control::remove_dead(&arguments.which.control())?;
    lock.release().context("cannot remove the lock file")?;
    if !style.quiet {
        super::print("nothing of the node is left\n")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes the addresses, routes and rules that the node had put on the host off it, and what it made or switched for them.
fn release(memory: Memory, undo: Undo) -> Result<()> {
    let mut slots = (0..).map(Slot);
    let routers = memory.routers.iter().zip(&mut slots);
    let mut routers: Vec<DesiredRouter> =
        routers.map(|(left, slot)| left.released(slot, left.addresses.iter())).collect();
    routers.extend(slots.next().map(|slot| Memory::unrouted(slot, memory.routing.into_iter())));
    netlink::release(routers, undo).context("cannot remove the addresses of the node")
}

/// Links go with their pins; filters of the clsact queueing discipline have none.
fn detach_filters(owner: Owner) -> Result<()> {
    let interfaces = if_nameindex().context("cannot list the interfaces")?;
    for interface in &interfaces {
        datapath::detach_filter(interface.index(), owner)?;
        guard::detach_filters(interface.index(), owner)?;
    }
    Ok(())
}
