//! Everything that is watched, and how a reload changes that: what stays the same goes on undisturbed.

use std::{collections::HashMap, sync::Arc};

use tokio::{sync::mpsc, task::AbortHandle};

use super::{
    CheckId, CheckReport, Health, file, process,
    schedule::{Progress, Schedule},
};
use crate::{
    config::model::{Check, TrackedProcess},
    spawner::Spawner,
};

/// The checks that run in the calling task's tokio runtime, until it is dropped.
#[derive(Debug)]
pub struct Watches {
    spawner: Spawner,
    reports: mpsc::Sender<CheckReport>,
    running: HashMap<CheckId, Running>,
    /// One look at the process table serves all checks of processes.
    processes: Option<(Vec<(CheckId, TrackedProcess)>, AbortHandle)>,
}

#[derive(Debug)]
struct Running {
    check: Check,
    task: AbortHandle,
    /// Of a script.
    progress: Arc<Progress>,
}

impl Watches {
    /// Nothing is watched yet; results go to `reports`.
    pub fn new(spawner: Spawner, reports: mpsc::Sender<CheckReport>) -> Self {
        Self { spawner, reports, running: HashMap::new(), processes: None }
    }

    /// Watches these from now on: what is new begins, what has other settings begins anew from where it was, what is
    /// gone stops, and the rest is not touched. Interfaces are watched by the node itself.
    pub fn set(&mut self, checks: &[Check]) {
        let Self { spawner, reports, running, .. } = self;
        let mut before: HashMap<CheckId, Health> = HashMap::new();
        running.retain(|id, one| {
            let stays = checks.contains(&one.check);
            if !stays {
                one.task.abort();
                before.insert(id.clone(), one.progress.health());
            }
            stays
        });
        for check in checks {
            let id = CheckId::of(check);
            if running.contains_key(&id) {
                continue;
            }
            let (task, progress) = match check.clone() {
                Check::Script(script) => {
                    let before = before.remove(&id).unwrap_or(Health::Pending);
                    let schedule = Schedule::new(id.clone(), script, before, spawner);
                    let progress = schedule.progress();
                    (tokio::spawn(schedule.run(reports.clone())), progress)
                }
                Check::File(file) => {
                    (tokio::spawn(file::watch(id.clone(), file, reports.clone())), Arc::default())
                }
                Check::Process(_) | Check::Interface(_) => continue,
            };
            running.insert(id, Running { check: check.clone(), task: task.abort_handle(), progress });
        }
        self.set_processes(checks);
    }

    /// The names of the scripts that run at this moment.
    pub fn scripts_under_way(&self) -> Vec<String> {
        let under_way = self.running.values().filter(|one| one.progress.is_under_way());
        under_way.map(|one| one.check.name().to_owned()).collect()
    }

    fn set_processes(&mut self, checks: &[Check]) {
        let wanted: Vec<(CheckId, TrackedProcess)> = checks
            .iter()
            .filter_map(|check| match check {
                Check::Process(process) => Some((CheckId::of(check), process.clone())),
                _ => None,
            })
            .collect();
        if self.processes.as_ref().is_some_and(|(running, _)| *running == wanted) {
            return;
        }
        if let Some((_, task)) = self.processes.take() {
            task.abort();
        }
        if !wanted.is_empty() {
            let task = tokio::spawn(process::watch(wanted.clone(), self.reports.clone()));
            self.processes = Some((wanted, task.abort_handle()));
        }
    }
}

impl Drop for Watches {
    fn drop(&mut self) {
        self.running.values().for_each(|one| one.task.abort());
        self.processes.iter().for_each(|(_, task)| task.abort());
    }
}
