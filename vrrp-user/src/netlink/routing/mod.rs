//! Routes and rules that stand with their router's addresses, or while the node runs. They follow the addresses:
//! what is removed goes before them, what is added comes after.

mod message;
mod plan;
#[cfg(test)]
mod plan_tests;

use std::{collections::BTreeSet, future, io};

use futures_util::FutureExt;
use rtnetlink::packet_route::RouteNetlinkMessage;
use vrrp_common::{time::Instant, wire::Family};

pub(super) use plan::{Plan, Step};

use super::{
    LinkTable,
    desired::{Desired, Event},
    kernel::{Kernel, Notification, RoutingWatch},
};
use crate::config::model::Routing;

/// All that is known about them. On a host that asks for none, none are listened to.
#[derive(Default)]
pub(super) struct Routes {
    reconciler: plan::Reconciler,
    present: Vec<RouteNetlinkMessage>,
    watch: Option<RoutingWatch>,
    stale: bool,
}

impl Routes {
    /// Reads anew what may have changed. The kernel drops IPv4 routes without a word when a link or an address
    /// goes, so `moved`, a change of these, is a reason to look.
    pub(super) async fn refresh(
        &mut self,
        kernel: &mut Kernel,
        desired: &Desired,
        moved: bool,
    ) -> io::Result<()> {
        let families = self.families(desired);
        if families.is_empty() {
            return Ok(());
        }
        if self.watch.is_none() {
            self.watch = Some(RoutingWatch::open()?);
            self.stale = true;
        }
        self.stale |= moved;
        while let Some(notification) = self.next().now_or_never() {
            self.note(&notification?);
        }
        while std::mem::take(&mut self.stale) {
            self.present.clear();
            for question in families.iter().flat_map(|family| message::questions(*family)) {
                let present = &mut self.present;
                self.stale |= !kernel
                    .dump(question, |found| {
                        if message::is_ours(&found) {
                            present.push(found);
                        }
                    })
                    .await?;
            }
        }
        Ok(())
    }

    fn families(&self, desired: &Desired) -> BTreeSet<Family> {
        let listed = desired.routers.iter().flat_map(|router| router.routing.iter());
        listed.chain(self.reconciler.entries()).map(Routing::family).collect()
    }

    pub(super) fn plan(&mut self, desired: &Desired, links: &LinkTable, now: Instant) -> Plan {
        self.reconciler.plan(desired, &self.present, links, now)
    }

    /// Makes all requests and returns what is to be told.
    pub(super) async fn perform(
        &mut self,
        kernel: &mut Kernel,
        steps: &[Step],
        links: &LinkTable,
        now: Instant,
    ) -> io::Result<Vec<Event>> {
        self.stale = true;
        let mut events = Vec::new();
        let mut asked = Vec::new();
        let mut requests = Vec::new();
        for step in steps {
            match message::request(&step.entry, step.verb, links) {
                Ok(request) => {
                    asked.push(step);
                    requests.push(request);
                }
                Err(refusal) => events.extend(self.reconciler.outcome(step, Err(refusal), now)),
            }
        }
        let results = kernel.execute(requests).await?;
        for (step, result) in asked.into_iter().zip(results) {
            let result = result.map_err(|error| step.refusal(error));
            events.extend(self.reconciler.outcome(step, result, now));
        }
        Ok(events)
    }

    /// Waits until something about our routes and rules may have changed.
    pub(super) async fn notified(&mut self) -> io::Result<()> {
        loop {
            let notification = self.next().await?;
            self.note(&notification);
            if self.stale {
                return Ok(());
            }
        }
    }

    async fn next(&mut self) -> io::Result<Notification> {
        match &mut self.watch {
            Some(watch) => watch.next().await,
            None => future::pending().await,
        }
    }

    fn note(&mut self, notification: &Notification) {
        self.stale |= match notification {
            Notification::Change(message) => message::is_ours(message),
            Notification::Overrun => true,
        };
    }
}
