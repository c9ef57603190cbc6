//! The address thread's loop: listen, compare, act, tell. It knows no virtual router's state.

use std::{collections::BTreeSet, future, io, sync::Arc, time::Duration};

use tokio::sync::{mpsc, watch};
use vrrp_common::time::Instant;

use super::{
    LinkTable,
    desired::{Desired, Event},
    kernel::{self, Kernel, Notification},
    macvlan::Macvlans,
    owned,
    plan::{Action, Operation, Place, Reconciler},
    routing::{Routes, Step},
    secondaries::Promotion,
};
use crate::{supervise::Pulse, sys::clock, undo::Undo};

/// The most rounds of removals when the node is gone; each is hundreds of addresses.
const RELEASE_ROUNDS: usize = 64;

pub(super) struct Thread {
    kernel: Kernel,
    desired: watch::Receiver<Arc<Desired>>,
    events: mpsc::Sender<Event>,
    links: LinkTable,
    published: Option<LinkTable>,
    reconciler: Reconciler,
    routes: Routes,
    macvlans: Macvlans,
    undo: Undo,
    /// Addresses of owners that an earlier daemon added.
    left: Vec<Place>,
    settled: Option<u64>,
    overrun: bool,
    pulse: Arc<Pulse>,
}

/// Why the thread ends.
enum End {
    /// The node dropped its end of a channel.
    Told,
    /// There is no kernel to talk to.
    Lost(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl Thread {
    pub(super) fn new(
        kernel: Kernel,
        desired: watch::Receiver<Arc<Desired>>,
        events: mpsc::Sender<Event>,
        pulse: Arc<Pulse>,
        undo: Undo,
    ) -> Self {
        Self {
            kernel,
            desired,
            events,
            links: LinkTable::default(),
            published: None,
            reconciler: Reconciler::default(),
            routes: Routes::default(),
            macvlans: Macvlans::default(),
            left: owned::noted(&undo),
            undo,
            settled: None,
            overrun: true,
            pulse,
        }
    }

    /// Runs until the node drops its end of either channel. A node that is gone, for whatever reason, holds
    /// nothing: what it left on the host is removed, unless it said that it is kept.
    pub(super) async fn run(mut self) -> io::Result<()> {
        let served = self.serve().await;
        if self.desired.borrow().keep {
            return served;
        }
        let released = self.release().await;
        served.and(released)
    }

    async fn release(&mut self) -> io::Result<()> {
        self.reconciler.recall(std::mem::take(&mut self.left));
        let mut nothing = Desired::clone(&self.desired.borrow());
        for router in &mut nothing.routers {
            router.held = false;
        }
        for _ in 0..RELEASE_ROUNDS {
            self.catch_up().await?;
            self.routes.refresh(&mut self.kernel, &nothing, true).await?;
            let routing = self.routes.plan(&nothing, &self.links, clock::now());
            if !routing.removals.is_empty() {
                self.route(&routing.removals).await?;
                continue;
            }
            let plan = self.reconciler.plan(&nothing, &self.links, clock::now());
            if plan.operations.is_empty() {
                break;
            }
            self.perform(&plan.operations).await?;
        }
        owned::keep_only(&mut self.undo, |place| self.reconciler.is_ours(place));
        self.macvlans.tidy(&mut self.kernel, &Desired::default(), &self.links, &mut self.undo).await
    }

    async fn serve(&mut self) -> io::Result<()> {
        loop {
            match self.turn().await {
                Ok(()) => self.pulse.answer(),
                Err(End::Told) => return Ok(()),
                Err(End::Lost(error)) => return Err(error),
            }
        }
    }

    /// One round of requests, or a sleep if there is nothing to do. Routes and rules may name addresses: they
    /// go before these and come after them.
    async fn turn(&mut self) -> Result<(), End> {
        self.catch_up().await?;
        let moved = self.publish().await?;
        let desired = Arc::clone(&self.desired.borrow_and_update());
        if self.macvlans.turn(&mut self.kernel, &desired, &self.links, &mut self.undo, clock::now()).await? {
            return Ok(());
        }
        self.routes.refresh(&mut self.kernel, &desired, moved).await?;
        let routing = self.routes.plan(&desired, &self.links, clock::now());
        self.tell(routing.events).await?;
        if !routing.removals.is_empty() {
            let events = self.route(&routing.removals).await?;
            return self.tell(events).await;
        }
        if desired.generation > 0 {
            self.reconciler.recall(std::mem::take(&mut self.left));
        }
        let plan = self.reconciler.plan(&desired, &self.links, clock::now());
        self.tell(plan.events).await?;
        if !plan.operations.is_empty() {
            let events = self.perform(&plan.operations).await?;
            return self.tell(events).await;
        }
        if !routing.additions.is_empty() {
            let events = self.route(&routing.additions).await?;
            return self.tell(events).await;
        }
        // Before the node has spoken, nothing of an earlier one is unwanted.
        if desired.generation > 0 {
            owned::keep_only(&mut self.undo, |place| self.reconciler.is_ours(place));
            self.macvlans.tidy(&mut self.kernel, &desired, &self.links, &mut self.undo).await?;
        }
        if self.settled.replace(desired.generation) != Some(desired.generation) {
            self.tell([Event::Settled { generation: desired.generation }]).await?;
        }
        let macvlans = self.macvlans.wake(&desired, &self.links);
        self.wait([plan.wake, routing.wake, macvlans].into_iter().flatten().min()).await
    }

    /// Brings the table up to what the kernel says now.
    async fn catch_up(&mut self) -> io::Result<()> {
        let Self { kernel, links, overrun, .. } = self;
        loop {
            while std::mem::take(overrun) {
                // What is still queued may be older than the loss, and must not be taken for newer than the
                // snapshot.
                kernel.catch_up(|late| *overrun |= matches!(late, Notification::Overrun)).await?;
                if !*overrun {
                    *links = kernel.snapshot().await?;
                }
            }
            kernel.catch_up(|notification| note(notification, links, overrun)).await?;
            if !*overrun {
                return Ok(());
            }
            tracing::warn!("netlink notifications were lost; reading all links and addresses again");
        }
    }

    /// Tells what links and addresses there are, if that is news.
    async fn publish(&mut self) -> Result<bool, End> {
        if self.published.as_ref() == Some(&self.links) {
            return Ok(false);
        }
        self.published = Some(self.links.clone());
        self.tell([Event::Links(Arc::new(self.links.clone()))]).await?;
        Ok(true)
    }

    async fn tell(&self, events: impl IntoIterator<Item = Event>) -> Result<(), End> {
        for event in events {
            self.events.send(event).await.map_err(|_| End::Told)?;
        }
        Ok(())
    }

    async fn perform(&mut self, operations: &[Operation]) -> io::Result<Vec<Event>> {
        let _promotion = promote(operations);
        for operation in operations.iter().filter(|operation| self.reconciler.becomes_ours(operation)) {
            owned::note(&mut self.undo, &operation.place);
        }
        let results = self.kernel.execute(operations.iter().map(kernel::request)).await?;
        let now = clock::now();
        let mut events = Vec::new();
        for (operation, result) in operations.iter().zip(results) {
            if self.reconciler.outcome(operation, result, now, &mut events) {
                self.links.apply(&kernel::consequence(operation));
            }
        }
        Ok(events)
    }

    async fn route(&mut self, steps: &[Step]) -> io::Result<Vec<Event>> {
        self.routes.perform(&mut self.kernel, steps, &self.links, clock::now()).await
    }

    /// Sleeps until there is something to do.
    async fn wait(&mut self, wake: Option<Instant>) -> Result<(), End> {
        let Self { kernel, desired, links, routes, overrun, pulse, .. } = self;
        tokio::select! {
            changed = desired.changed() => return changed.map_err(|_| End::Told),
            notification = kernel.notified() => note(notification?, links, overrun),
            moved = routes.notified() => moved?,
            () = pulse.asked() => {}
            () = sleep(wake) => {}
        }
        Ok(())
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
