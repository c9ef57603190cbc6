//! The files that a node writes when it is asked by signal, for programs that read keepalived's.

use std::path::PathBuf;

/// Where, and in which layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dumps {
    /// `state_dump_file`: settings and states as text.
    pub data: PathBuf,
    /// `stats_dump_file`: counters as text.
    pub statistics: PathBuf,
    /// `json_dump_file`: both as JSON.
    pub json: PathBuf,
    /// `json_version`, 1 or 2: a list of routers, or an object that has it.
    pub json_version: u8,
}

impl Default for Dumps {
    fn default() -> Self {
        Self {
            data: "/tmp/keepalived.data".into(),
            statistics: "/tmp/keepalived.stats".into(),
            json: "/tmp/keepalived.json".into(),
            json_version: 1,
        }
    }
}
