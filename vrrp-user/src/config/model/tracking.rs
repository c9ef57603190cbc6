//! What virtual routers track: scripts, files, processes, interfaces, and what each means to a router.

use vrrp_common::time::Interval;

use super::Credentials;

/// What one check means to one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
    /// Index into [`super::Configuration::checks`].
    pub check: usize,
    /// -254 to 254, for files any number: 0 means that failure is a fault.
    pub weight: i32,
    /// The adjustment changes its sign; with weight 0, success is the fault instead of failure.
    pub reverse: bool,
}

/// Something whose health is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// A program that is run again and again.
    Script(Script),
    /// A number in a file.
    File(TrackedFile),
    /// How many processes there are of a kind.
    Process(TrackedProcess),
    /// An interface, by its name: whether it is up.
    Interface(String),
}

/// What kind of check it is; kind and name together are its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckKind {
    /// [`Check::Script`].
    Script,
    /// [`Check::File`].
    File,
    /// [`Check::Process`].
    Process,
    /// [`Check::Interface`].
    Interface,
}

impl CheckKind {
    /// As status and log name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::File => "file",
            Self::Process => "process",
            Self::Interface => "interface",
        }
    }
}

impl Check {
    /// The name in the file.
    pub fn name(&self) -> &str {
        match self {
            Self::Script(script) => &script.name,
            Self::File(file) => &file.name,
            Self::Process(process) => &process.name,
            Self::Interface(name) => name,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> CheckKind {
        match self {
            Self::Script(_) => CheckKind::Script,
            Self::File(_) => CheckKind::File,
            Self::Process(_) => CheckKind::Process,
            Self::Interface(_) => CheckKind::Interface,
        }
    }

    /// Whether it is the same check, though perhaps with other settings.
    pub fn is(&self, kind: CheckKind, name: &str) -> bool {
        self.kind() == kind && self.name() == name
    }
}

/// A check script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The name in the file.
    pub name: String,
    /// Program and arguments; the program is an absolute path or is searched in PATH.
    pub command: Vec<String>,
    /// From one start to the next.
    pub interval: Interval,
    /// A run that takes longer has failed.
    pub timeout: Interval,
    /// Consecutive successes that turn a failing check good.
    pub rise: u32,
    /// Consecutive failures that turn a good check bad.
    pub fall: u32,
    /// Begin as failing rather than as unknown.
    pub init_fail: bool,
    /// The user and group that it runs as.
    pub user: Credentials,
}

/// A file that holds a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedFile {
    /// The name in the configuration.
    pub name: String,
    /// Where the file is.
    pub path: String,
    /// What is written into it at the start.
    pub init: Option<InitialValue>,
}

/// `init_file`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialValue {
    /// The number.
    pub value: i64,
    /// Whether it replaces what is there.
    pub overwrite: bool,
}

/// A kind of process, and how many there should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedProcess {
    /// The name in the configuration.
    pub name: String,
    /// The program's name (as in `/proc/PID/comm`), or its command line's first word where parameters or the
    /// whole command line are matched.
    pub program: String,
    /// Its parameters.
    pub parameters: Vec<String>,
    /// How they are matched; `None` looks at the program only.
    pub matching: Option<ParameterMatch>,
    /// Match the command line's first word rather than the program's name.
    pub full_command: bool,
    /// The fewest that are well.
    pub quorum: u32,
    /// The most that are.
    pub quorum_max: u32,
    /// From enough processes to well.
    pub fork_delay: Interval,
    /// From too few to not well.
    pub terminate_delay: Interval,
}

/// How a process's parameters are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterMatch {
    /// All of them.
    Exact,
    /// Those that are given are the first ones.
    Partial,
    /// As [`Self::Partial`], and the last one may go on.
    Initial,
}
