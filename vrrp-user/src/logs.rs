//! Where log lines go: standard error, through a bounded queue, so that no thread waits for its reader.

use std::io;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, fmt};

/// Lines that may wait for a slow reader; what exceeds them is dropped rather than delay an advertisement.
const QUEUED_LINES: usize = 8192;

/// Starts logging at `level` ("info", "debug" ...; the variable `XVRRP_LOG` overrides it). The guard writes
/// what is still queued when it is dropped.
pub fn start(level: &str, color: bool) -> WorkerGuard {
    let (writer, guard) =
        NonBlockingBuilder::default().buffered_lines_limit(QUEUED_LINES).lossy(true).finish(io::stderr());
    let filter = EnvFilter::try_from_env("XVRRP_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    fmt().with_env_filter(filter).with_writer(writer).with_ansi(color).with_target(false).init();
    guard
}
