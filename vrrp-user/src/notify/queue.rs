//! The programs to be called for one subject: in order, one at a time, each for a limited time.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::sync::watch;
use vrrp_common::time::Interval;

use super::lock;
use crate::{config::model::Program, spawner::Spawner};

/// Calls that wait; when there are more, the oldest are left out: what a program is told last is what counts.
const MOST: usize = 64;

/// What is still to be called.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Arc<Mutex<VecDeque<Call>>>,
    /// Whether a task is at work on them.
    busy: watch::Sender<bool>,
}

#[derive(Debug)]
struct Call {
    /// What it tells of, for the log.
    notice: String,
    program: Program,
}

impl Queue {
    /// Calls `program` when those before it have ended; it may take `patience`.
    pub(super) fn call(
        &mut self,
        notice: String,
        program: Program,
        (spawner, patience): (&Spawner, Interval),
    ) {
        let mut waiting = lock(&self.waiting);
        if waiting.len() == MOST
            && let Some(call) = waiting.pop_front()
        {
            tracing::warn!(
                "{}: too many notify programs wait; {:?} is not run",
                call.notice,
                call.program.command
            );
        }
        waiting.push_back(Call { notice, program });
        drop(waiting);
        if !self.busy.send_replace(true) {
            tokio::spawn(work(Arc::clone(&self.waiting), self.busy.clone(), (spawner.clone(), patience)));
        }
    }

    /// Waits until all have ended.
    pub(super) async fn empty(&self) {
        // The sender lives in `self`.
        let _ = self.busy.subscribe().wait_for(|busy| !busy).await;
    }
}

async fn work(
    waiting: Arc<Mutex<VecDeque<Call>>>,
    busy: watch::Sender<bool>,
    (spawner, patience): (Spawner, Interval),
) {
    loop {
        let next = {
            let mut waiting = lock(&waiting);
            let next = waiting.pop_front();
            if next.is_none() {
                // Under the lock: whoever adds one now starts another task.
                busy.send_replace(false);
            }
            next
        };
        let Some(Call { notice, program: Program { command, user } }) = next else { return };
        let outcome = spawner.run(&command, user, patience).await;
        if !outcome.is_success() {
            tracing::warn!("{notice}: notify program {command:?} {}", outcome.describe(patience));
        }
    }
}
