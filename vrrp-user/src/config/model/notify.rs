//! Who is told of transitions, and what moves together.

use std::path::PathBuf;

use super::Credentials;

/// Virtual routers that are Active together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name in the file.
    pub name: String,
    /// Indices into [`super::Configuration::instances`], in the file's order.
    pub members: Vec<usize>,
    /// Who is told of the group's transitions.
    pub notify: Notify,
}

/// A command and who runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Program and arguments.
    pub command: Vec<String>,
    /// The user and group that it runs as.
    pub user: Credentials,
}

/// The programs that are run on transitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// On becoming Active.
    pub active: Option<Program>,
    /// On becoming Backup.
    pub backup: Option<Program>,
    /// On a fault.
    pub fault: Option<Program>,
    /// At stop.
    pub stop: Option<Program>,
    /// When the instance is gone after a reload.
    pub deleted: Option<Program>,
    /// `notify_deleted` was given: a removed instance is told of as deleted, not as faulty.
    pub tells_deleted: bool,
    /// On every transition, after the others, with what, who, state and priority as further arguments.
    pub every: Option<Program>,
    /// When an Active hears an advertisement of lower priority.
    pub losing: Option<Program>,
    /// Whether mail tells of its transitions.
    pub mail: bool,
    /// Whether the pipes are told of priorities too.
    pub priority_changes: bool,
}

/// A pipe that is told of every transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fifo {
    /// Where it is; it is made if it is not there.
    pub path: PathBuf,
    /// Whose it is.
    pub owner: Option<Credentials>,
    /// The program that reads it; it is given the path as its last argument.
    pub reader: Option<Program>,
}
