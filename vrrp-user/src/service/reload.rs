//! Reading the configuration again: checked as a whole first, and only a good one reaches the node.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use super::put;
use crate::{
    config::{Loaded, model::Configuration, render, render_line},
    control::Reply,
    node::Command,
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
    watches: Mutex<Watches>,
}

impl Reloader {
    pub(super) fn new(
        (reader, namespace): (Option<Reader>, Option<String>),
        commands: mpsc::Sender<Command>,
        listeners: mpsc::UnboundedSender<Arc<Configuration>>,
        watches: Watches,
    ) -> Self {
        Self { reader, namespace, commands, listeners, watches: Mutex::new(watches) }
    }

    /// Reads, checks, and applies the difference. A file that cannot be used changes nothing.
    pub(super) async fn reload(&self) -> Reply {
        let mut watches = self.watches.lock().await;
        let Some(reader) = &self.reader else {
            return Reply::Error(
                "this node was started without a file; there is nothing to read again".into(),
            );
        };
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
        // Before the node: what it tells of new routers must find its listeners.
        let listened = self.listeners.send(Arc::new(configuration.clone())).is_ok();
        let checks = configuration.checks.clone();
        let applied = put(&self.commands, |reply| Command::Reload(Box::new(configuration), reply)).await;
        let (Some(outcome), true) = (applied, listened) else {
            return Reply::Error("the node is about to end".into());
        };
        // After the node: it must know a check before it hears of it.
        watches.set(&checks);
        Reply::Done(format!("{text}{outcome}"))
    }
}
