//! The address thread's loop: listen, compare, act, tell. It knows no virtual router's state.

use std::{collections::BTreeSet, future, io, sync::Arc, time::Duration};

use tokio::sync::{mpsc, watch};
use vrrp_common::time::Instant;

use super::{
    LinkTable,
    desired::{Desired, Event},
    kernel::{self, Kernel, Notification},
    plan::{Action, Operation, Reconciler},
    secondaries::Promotion,
};
use crate::sys::clock;

pub(super) struct Thread {
    kernel: Kernel,
    desired: watch::Receiver<Arc<Desired>>,
    events: mpsc::Sender<Event>,
    links: LinkTable,
    published: Option<LinkTable>,
    reconciler: Reconciler,
    settled: Option<u64>,
    overrun: bool,
}

/// Nobody listens any more.
struct Unheard;

impl Thread {
    pub(super) fn new(
        kernel: Kernel,
        desired: watch::Receiver<Arc<Desired>>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            kernel,
            desired,
            events,
            links: LinkTable::default(),
            published: None,
            reconciler: Reconciler::default(),
            settled: None,
            overrun: true,
        }
    }

    /// Runs until the node drops its end of either channel.
    pub(super) async fn run(mut self) -> io::Result<()> {
        loop {
            self.catch_up().await?;
            if self.publish().await.is_err() {
                return Ok(());
            }
            let desired = Arc::clone(&self.desired.borrow_and_update());
            let plan = self.reconciler.plan(&desired, &self.links, clock::now());
            if self.tell(plan.events).await.is_err() {
                return Ok(());
            }
            if !plan.operations.is_empty() {
                let events = self.perform(&plan.operations).await?;
                if self.tell(events).await.is_err() {
                    return Ok(());
                }
                continue;
            }
            if self.settled.replace(desired.generation) != Some(desired.generation)
                && self.tell([Event::Settled { generation: desired.generation }]).await.is_err()
            {
                return Ok(());
            }
            if !self.wait(plan.wake).await? {
                return Ok(());
            }
        }
    }

    /// Brings the table up to what the kernel says now.
    async fn catch_up(&mut self) -> io::Result<()> {
        let Self { kernel, links, overrun, .. } = self;
        loop {
            if std::mem::take(overrun) {
                // What is still queued is older than the loss; the snapshot must come after it.
                kernel.catch_up(|_| ()).await?;
                *links = kernel.snapshot().await?;
            }
            kernel.catch_up(|notification| note(notification, links, overrun)).await?;
            if !*overrun {
                return Ok(());
            }
            tracing::warn!("netlink notifications were lost; reading all links and addresses again");
        }
    }

    async fn publish(&mut self) -> Result<(), Unheard> {
        if self.published.as_ref() == Some(&self.links) {
            return Ok(());
        }
        self.published = Some(self.links.clone());
        self.tell([Event::Links(Arc::new(self.links.clone()))]).await
    }

    async fn tell(&self, events: impl IntoIterator<Item = Event>) -> Result<(), Unheard> {
        for event in events {
            self.events.send(event).await.map_err(|_| Unheard)?;
        }
        Ok(())
    }

    async fn perform(&mut self, operations: &[Operation]) -> io::Result<Vec<Event>> {
        let _promotion = promote(operations);
        let results = self.kernel.execute(operations).await?;
        let now = clock::now();
        let mut events = Vec::new();
        for (operation, result) in operations.iter().zip(results) {
            if self.reconciler.outcome(operation, result, now, &mut events) {
                self.links.apply(&kernel::consequence(operation));
            }
        }
        Ok(events)
    }

    /// Sleeps until there is something to do; false if the node is gone.
    async fn wait(&mut self, wake: Option<Instant>) -> io::Result<bool> {
        let Self { kernel, desired, links, overrun, .. } = self;
        tokio::select! {
            changed = desired.changed() => return Ok(changed.is_ok()),
            notification = kernel.notified() => note(notification?, links, overrun),
            () = sleep(wake) => {}
        }
        Ok(true)
    }
}

fn note(notification: Notification, links: &mut LinkTable, overrun: &mut bool) {
    match notification {
        Notification::Change(message) => {
            links.apply(&message);
        }
        Notification::Overrun => *overrun = true,
    }
}

async fn sleep(until: Option<Instant>) {
    match until {
        Some(at) => tokio::time::sleep(Duration::from_nanos(at.since(clock::now()).as_nanos())).await,
        None => future::pending().await,
    }
}

/// Keeps other addresses where they are while these are removed.
fn promote(operations: &[Operation]) -> Vec<Promotion> {
    let interfaces: BTreeSet<&str> = operations
        .iter()
        .filter(|operation| matches!(operation.action, Action::Remove { promote: true, .. }))
        .map(|operation| operation.place.interface.as_str())
        .collect();
    interfaces.into_iter().filter_map(Promotion::begin).collect()
}
