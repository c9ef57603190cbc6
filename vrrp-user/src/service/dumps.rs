//! Files that are written when a signal asks for them: what goes into them is asked for here.

use tokio::{sync::mpsc, time::timeout};

use super::{ANSWER_TIME, put, reload::Reloader};
use crate::{
    dump::{Dump, Dumper, Source},
    node::Command,
};

/// Asks the node for its snapshot and hands over what is to be written.
pub(super) async fn write(
    dumper: &mut Dumper,
    dump: Dump,
    commands: &mpsc::Sender<Command>,
    reloader: &Reloader,
) {
    let Ok(Some(status)) = timeout(ANSWER_TIME, put(commands, Command::Status)).await else {
        return tracing::warn!("{} was asked for, and the protocol thread does not answer", dump.name());
    };
    let (configuration, running) = reloader.in_use().await;
    dumper.dump(dump, Source { configuration: &configuration, status: &status, running: &running });
}
