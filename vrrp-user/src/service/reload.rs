//! Reading the configuration again: checked as a whole first, and only what can be used reaches the node.

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

/// Reads the configuration as the node did at its start; `remaining` is there only if it is to be used.
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
        let Usable { configuration, partly, text } = match self.usable(reader(), &in_use.configuration) {
            Ok(usable) => usable,
            Err(why) => {
                tracing::error!("the configuration cannot be used; the node goes on as before");
                return Reply::Unusable(why);
            }
        };
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
        match partly {
            None => Reply::Done(format!("{text}{outcome}")),
            Some(which) => {
                tracing::error!("{which}; the others follow the configuration");
                Reply::Partly(format!("{which}\n\n{text}{outcome}"))
            }
        }
    }

    /// What can be used of a file by a node that runs `old`.
    ///
    /// # Errors
    /// None of it, and why.
    fn usable(&self, loaded: Loaded, old: &Configuration) -> Result<Usable, String> {
        for diagnostic in &loaded.diagnostics {
            tracing::warn!("{}", render_line(diagnostic, &loaded.sources));
        }
        let text = render(&loaded.diagnostics, &loaded.sources, false);
        let refused = |why: &str| {
            tracing::error!("{why}");
            format!("{text}{why}\n")
        };
        let (configuration, partly) = match (loaded.configuration, loaded.remaining) {
            (Some(configuration), _) => (configuration, None),
            (None, None) => return Err(text),
            (None, Some(rest)) => {
                let partial = rest.beside(old).map_err(|why| refused(&why))?;
                let which = partial.to_string();
                (partial.configuration, Some(which))
            }
        };
        if configuration.net_namespace != self.namespace {
            return Err(refused("`net_namespace` differs, and a node cannot move: restart it instead"));
        }
        Ok(Usable { configuration, partly, text })
    }
}

/// What can be used of a file.
struct Usable {
    configuration: Configuration,
    /// Which routers have errors, and what becomes of them; none if absent.
    partly: Option<String>,
    /// All that there is to say of the file.
    text: String,
}
