//! The machine that figures are of.

use std::{fs, process::Command};

use serde::{Deserialize, Serialize};

/// What a reader needs to know of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Machine {
    /// Processor.
    pub(super) processor: String,
    /// How many of them.
    pub(super) processors: usize,
    /// Kernel release.
    pub(super) kernel: String,
    /// `xvrrp --version`.
    pub(super) xvrrp: String,
    /// `keepalived --version`, first line.
    pub(super) keepalived: String,
}

impl Machine {
    /// This one.
    pub(super) fn here() -> Self {
        let unknown = || "unknown".to_owned();
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let xvrrp = crate::lab::binary("xvrrp").ok();
        Self {
            processor: model.map_or_else(unknown, |(_, name)| name.to_owned()),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| unknown(), |text| text.trim().to_owned()),
            xvrrp: xvrrp.and_then(|path| version(Command::new(path))).unwrap_or_else(unknown),
            keepalived: version(Command::new("keepalived")).unwrap_or_else(|| "no keepalived".to_owned()),
        }
    }
}

/// keepalived tells of itself on standard error.
fn version(mut command: Command) -> Option<String> {
    let output = command.arg("--version").output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).ok()?.lines().next().map(str::to_owned)
}
