//! Reading the configuration again: checked as a whole first, and only a good one reaches the node.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use super::put;
use crate::{
    acceptance::Acceptance,
    config::{Loaded, model::Configuration, render, render_line},
    control::Reply,
    node::Command,
    supervise,
    track::Watches,
};

/// Reads the configuration as the node did at its start.
pub type Reader = Box<dyn Fn() -> Loaded + Send + Sync>;

/// Whoever runs by the configuration is told of a new one here, one reload at a time.
pub(super) struct Reloader {
    reader: Option<Reader>,
    /// The network namespace that the node runs in.
    namespace: Option<String>,
    commands: mpsc::Sender<Command>,
    /// Who is to be told of transitions.
    listeners: mpsc::UnboundedSender<Arc<Configuration>>,
    in_use: Mutex<InUse>,
    acceptance: Acceptance,
}

/// What the service thread itself runs by.
struct InUse {
    configuration: Arc<Configuration>,
    watches: Watches,
}

impl Reloader {
    pub(super) fn new(
        (reader, configuration): (Option<Reader>, Arc<Configuration>),
        commands: mpsc::Sender<Command>,
        listeners: mpsc::UnboundedSender<Arc<Configuration>>,
        (watches, acceptance): (Watches, Acceptance),
    ) -> Self {
        let namespace = configuration.net_namespace.clone();
        let in_use = Mutex::new(InUse { configuration, watches });
        Self { reader, namespace, commands, listeners, in_use, acceptance }
    }

    /// The configuration that is in use, and the check scripts that run at this moment.
    pub(super) async fn in_use(&self) -> (Arc<Configuration>, Vec<String>) {
        let in_use = self.in_use.lock().await;
        (Arc::clone(&in_use.configuration), in_use.watches.scripts_under_way())
    }

    /// Reads, checks, and applies the difference. A file that cannot be used changes nothing.
    pub(super) async fn reload(&self) -> Reply {
        let mut in_use = self.in_use.lock().await;
        let Some(reader) = &self.reader else {
            return Reply::Error(
                "this node was started without a file; there is nothing to read again".into(),
            );
        };
        let _told = supervise::reloading();
        let Loaded { configuration, diagnostics, sources, .. } = reader();
        for diagnostic in &diagnostics {
            tracing::warn!("{}", render_line(diagnostic, &sources));
        }
        let text = render(&diagnostics, &sources, false);
        let Some(configuration) = configuration else {
            tracing::error!("the configuration cannot be used; the node goes on as before");
            return Reply::Unusable(text);
        };
        if configuration.net_namespace != self.namespace {
            let why = "`net_namespace` differs, and a node cannot move: restart it instead";
            tracing::error!("the configuration cannot be used: {why}");
            return Reply::Unusable(why.into());
        }
        // Before the node: no new address may answer that is not to.
        if let Err(why) = self.acceptance.apply(&configuration).await {
            tracing::error!("the configuration cannot be used: {why:#}");
            return Reply::Unusable(format!("{why:#}\n"));
        }
        // Before the node: what it tells of new routers must find its listeners.
        let new = Arc::new(configuration.clone());
        let listened = self.listeners.send(Arc::clone(&new)).is_ok();
        let applied = put(&self.commands, |reply| Command::Reload(Box::new(configuration), reply)).await;
        let (Some(outcome), true) = (applied, listened) else {
            return Reply::Error("the node is about to end".into());
        };
        // After the node: it must know a check before it hears of it.
        in_use.watches.set(&new.checks);
        in_use.configuration = new;
        Reply::Done(format!("{text}{outcome}"))
    }
}
