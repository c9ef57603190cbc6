//! What is tracked and what moves together, as it was given.

use vrrp_common::time::Interval;

use super::{Given, NotifyDraft};
use crate::config::{model::ParameterMatch, source::Span};

/// What an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::config) enum TrackKind {
    Script,
    File,
    Process,
    Interface,
}

/// An entry of `track_script`, `track_file`, `track_process` or `track_interface`.
#[derive(Clone, Debug)]
pub(in crate::config) struct TrackDraft {
    pub(in crate::config) kind: TrackKind,
    pub(in crate::config) name: String,
    pub(in crate::config) span: Span,
    pub(in crate::config) weight: Option<i32>,
    pub(in crate::config) reverse: Option<bool>,
}

/// A `track_file` block of the outermost level.
#[derive(Debug)]
pub(in crate::config) struct FileDraft {
    pub(in crate::config) name: String,
    /// Where its name stands.
    pub(in crate::config) span: Span,
    pub(in crate::config) path: Option<Given<String>>,
    pub(in crate::config) weight: i32,
    pub(in crate::config) reverse: bool,
    /// `init_file`: the value, and whether it replaces what is there.
    pub(in crate::config) init: Option<(i64, bool)>,
}

impl FileDraft {
    pub(in crate::config) fn new(name: String, span: Span) -> Self {
        Self { name, span, path: None, weight: 1, reverse: false, init: None }
    }
}

/// A `vrrp_track_process` block.
#[derive(Debug)]
pub(in crate::config) struct ProcessDraft {
    pub(in crate::config) name: String,
    /// Where its name stands.
    pub(in crate::config) span: Span,
    /// Program and parameters.
    pub(in crate::config) command: Vec<String>,
    pub(in crate::config) parameters: Option<ParameterMatch>,
    pub(in crate::config) full_command: bool,
    pub(in crate::config) weight: i32,
    pub(in crate::config) reverse: bool,
    pub(in crate::config) quorum: Option<i64>,
    pub(in crate::config) quorum_max: Option<i64>,
    pub(in crate::config) fork_delay: Option<Interval>,
    pub(in crate::config) terminate_delay: Option<Interval>,
}

impl ProcessDraft {
    pub(in crate::config) fn new(name: String, span: Span) -> Self {
        Self {
            name,
            span,
            command: Vec::new(),
            parameters: None,
            full_command: false,
            weight: 0,
            reverse: false,
            quorum: None,
            quorum_max: None,
            fork_delay: None,
            terminate_delay: None,
        }
    }
}

/// A `vrrp_sync_group`.
#[derive(Debug)]
pub(in crate::config) struct GroupDraft {
    pub(in crate::config) name: String,
    /// Where its name stands.
    pub(in crate::config) span: Span,
    pub(in crate::config) members: Vec<Given<String>>,
    pub(in crate::config) tracks: Vec<TrackDraft>,
    pub(in crate::config) notify: NotifyDraft,
    /// `sync_group_tracking_weight`.
    pub(in crate::config) weights: bool,
}

impl GroupDraft {
    pub(in crate::config) fn new(name: String, span: Span) -> Self {
        Self {
            name,
            span,
            members: Vec::new(),
            tracks: Vec::new(),
            notify: NotifyDraft::default(),
            weights: false,
        }
    }
}
