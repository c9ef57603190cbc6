//! What is tracked: scripts, files, processes and interfaces that at least one instance or group names.

use std::collections::{HashMap, HashSet};

use vrrp_common::time::Interval;

use super::{command, count, user};
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{Draft, FileDraft, GlobalDraft, ProcessDraft, ScriptDraft, TrackDraft, TrackKind},
    model::{Check, InitialValue, ParameterMatch, Script, TrackedFile, TrackedProcess},
    source::Span,
    values::quote,
};

/// The checks of a configuration, and where each is found by its name.
pub(super) struct Checks<'d> {
    /// Those that are tracked: scripts, files, processes, interfaces.
    pub(super) tracked: Vec<Check>,
    by_name: HashMap<(TrackKind, &'d str), Known>,
    names: HashSet<(TrackKind, &'d str)>,
}

/// A check that entries can name.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// Among the tracked ones.
    pub(super) index: usize,
    /// For entries that give none.
    pub(super) weight: i32,
    /// For entries that do not say.
    pub(super) reverse: bool,
}

impl<'d> Checks<'d> {
    /// Checks all that the draft has and keeps what is tracked.
    pub(super) fn finish(draft: &'d Draft, context: &mut Context<'_>) -> Self {
        let entries = || {
            let own = draft.instances.iter().flat_map(|instance| &instance.tracks);
            own.chain(draft.groups.iter().flat_map(|group| &group.tracks))
        };
        let names = entries().map(|entry| (entry.kind, &*entry.name)).collect();
        let mut checks = Self { tracked: Vec::new(), by_name: HashMap::new(), names };
        for script in &draft.scripts {
            let finished = Check::Script(finish_script(script, &draft.globals, context));
            checks.keep((TrackKind::Script, &script.name, script.span), finished, script, context);
        }
        for file in &draft.files {
            let finished = Check::File(finish_file(file, context));
            checks.keep((TrackKind::File, &file.name, file.span), finished, file, context);
        }
        for process in &draft.processes {
            let finished = Check::Process(finish_process(process, context));
            checks.keep((TrackKind::Process, &process.name, process.span), finished, process, context);
        }
        for entry in entries().filter(|entry| entry.kind == TrackKind::Interface) {
            checks.keep_interface(entry, context);
        }
        checks
    }

    fn keep(
        &mut self,
        (kind, name, span): (TrackKind, &'d str, Span),
        check: Check,
        weights: &dyn Weighted,
        context: &mut Context<'_>,
    ) {
        if !self.names.contains(&(kind, name)) {
            let message = format!("no instance tracks {}; it is not watched", quote(name));
            let help = format!("name it in a {} block", keyword(kind));
            context.push(warning(span, message).help(help));
            return;
        }
        let (weight, reverse) = weights.weight();
        self.by_name.entry((kind, name)).or_insert(Known { index: self.tracked.len(), weight, reverse });
        self.tracked.push(check);
    }

    fn keep_interface(&mut self, entry: &'d TrackDraft, context: &mut Context<'_>) {
        let key = (TrackKind::Interface, &*entry.name);
        if self.by_name.contains_key(&key) {
            return;
        }
        context.expect_interface(&entry.name, entry.span);
        self.by_name.insert(key, Known { index: self.tracked.len(), weight: 0, reverse: false });
        self.tracked.push(Check::Interface(entry.name.clone()));
    }

    /// What an entry names.
    pub(super) fn find(&self, kind: TrackKind, name: &str) -> Option<Known> {
        self.by_name.get(&(kind, name)).copied()
    }
}

/// The block whose entries name checks of a kind.
pub(super) fn keyword(kind: TrackKind) -> &'static str {
    match kind {
        TrackKind::Script => "track_script",
        TrackKind::File => "track_file",
        TrackKind::Process => "track_process",
        TrackKind::Interface => "track_interface",
    }
}

/// What has a weight for entries that give none.
trait Weighted {
    fn weight(&self) -> (i32, bool);
}

impl Weighted for ScriptDraft {
    fn weight(&self) -> (i32, bool) {
        (self.weight, self.reverse)
    }
}

impl Weighted for FileDraft {
    fn weight(&self) -> (i32, bool) {
        (self.weight, self.reverse)
    }
}

impl Weighted for ProcessDraft {
    fn weight(&self) -> (i32, bool) {
        (self.weight, self.reverse)
    }
}

fn finish_script(script: &ScriptDraft, globals: &GlobalDraft, context: &mut Context<'_>) -> Script {
    let user = user::credentials(script.user.as_ref(), globals.script_user.as_ref(), script.span, context);
    let command = if let Some(span) = script.command {
        command::checked(span, user, globals.script_security, context)
    } else {
        let none = error(script.span, format!("{} has no command", quote(&script.name)));
        context.missing(none.help("script COMMAND [ARGUMENT ...]"));
        Vec::new()
    };
    let interval = script.interval.unwrap_or(Interval::from_secs(1));
    Script {
        name: script.name.clone(),
        command,
        interval,
        timeout: script.timeout.unwrap_or(interval),
        rise: count(script.rise, 1),
        fall: count(script.fall, 1),
        init_fail: script.init_fail,
        user,
    }
}

fn finish_file(file: &FileDraft, context: &mut Context<'_>) -> TrackedFile {
    if file.path.is_none() {
        let none = error(file.span, format!("{} has no `file`", quote(&file.name)));
        context.missing(none.help("file PATH"));
    }
    TrackedFile {
        name: file.name.clone(),
        path: file.path.as_ref().map_or_else(String::new, |path| path.value.clone()),
        init: file.init.map(|(value, overwrite)| InitialValue { value, overwrite }),
    }
}

fn finish_process(process: &ProcessDraft, context: &mut Context<'_>) -> TrackedProcess {
    let quorum = count(process.quorum, 1);
    let quorum_max = count(process.quorum_max, u32::MAX);
    if quorum > quorum_max && process.quorum.is_some() {
        let none = error(process.span, format!("{} can never be well", quote(&process.name)));
        context.push(none.help("`quorum_max` is below `quorum`"));
    }
    if process.command.is_empty() {
        let none = error(process.span, format!("{} has no `process`", quote(&process.name)));
        context.missing(none.help("process PROGRAM [PARAMETER ...]"));
    }
    let (program, parameters) = match process.command.split_first() {
        Some((program, parameters)) => (program.clone(), parameters.to_vec()),
        None => (String::new(), Vec::new()),
    };
    let given = (!parameters.is_empty()).then_some(ParameterMatch::Exact);
    TrackedProcess {
        name: process.name.clone(),
        program,
        matching: process.parameters.or(given),
        parameters,
        full_command: process.full_command,
        // Without processes at all there is no quorum to reach: `quorum_max 0` alone means "none may run".
        quorum: if quorum_max == 0 { 0 } else { quorum },
        quorum_max,
        fork_delay: process.fork_delay.unwrap_or(Interval::ZERO),
        terminate_delay: process.terminate_delay.unwrap_or(Interval::ZERO),
    }
}
