//! Who is told of transitions, as it was given.

use super::{Given, UserName};
use crate::config::source::Span;

/// A command and the user that it runs as.
#[derive(Clone, Debug)]
pub(in crate::config) struct ProgramDraft {
    /// Where the command stands.
    pub(in crate::config) command: Span,
    pub(in crate::config) user: Option<UserName>,
}

/// The programs that an instance or a group names.
#[derive(Debug, Default)]
pub(in crate::config) struct NotifyDraft {
    pub(in crate::config) master: Option<ProgramDraft>,
    pub(in crate::config) backup: Option<ProgramDraft>,
    pub(in crate::config) fault: Option<ProgramDraft>,
    pub(in crate::config) stop: Option<ProgramDraft>,
    /// `notify_deleted`: said, and the program if one is named.
    pub(in crate::config) deleted: Option<Option<ProgramDraft>>,
    pub(in crate::config) every: Option<ProgramDraft>,
    pub(in crate::config) lower_priority: Option<ProgramDraft>,
    pub(in crate::config) priority_changes: Option<bool>,
    /// `smtp_alert`.
    pub(in crate::config) mail: Option<Given<bool>>,
}

/// A pipe and the program that reads it.
#[derive(Debug, Default)]
pub(in crate::config) struct FifoDraft {
    pub(in crate::config) path: Option<Given<String>>,
    pub(in crate::config) owner: Option<UserName>,
    pub(in crate::config) script: Option<ProgramDraft>,
}
