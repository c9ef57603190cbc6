//! Check scripts: the command, its user, and whether others can change it.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use vrrp_common::time::Interval;

use super::{count, user};
use crate::config::{
    context::Context,
    diagnostics::{error, notice, warning},
    draft::{Draft, GlobalDraft, ScriptDraft},
    model::{Credentials, Script},
    source::Span,
    values::quote,
    words,
};

/// The scripts of a configuration, and where each is found by its name.
pub(super) struct Scripts<'d> {
    /// Those that an instance tracks, in the file's order.
    pub(super) tracked: Vec<Script>,
    by_name: HashMap<&'d str, (usize, &'d ScriptDraft)>,
}

impl<'d> Scripts<'d> {
    /// Checks all scripts of the draft and keeps the tracked ones.
    pub(super) fn finish(draft: &'d Draft, context: &mut Context<'_>) -> Self {
        let names: HashSet<&str> =
            draft.instances.iter().flat_map(|instance| &instance.tracks).map(|track| &*track.name).collect();
        let mut scripts = Self { tracked: Vec::new(), by_name: HashMap::new() };
        for script in &draft.scripts {
            let finished = finish(script, &draft.globals, context);
            if names.contains(&*script.name) {
                scripts.by_name.entry(&script.name).or_insert((scripts.tracked.len(), script));
                scripts.tracked.push(finished);
            } else {
                let message = format!("no instance tracks {}; it is not run", quote(&script.name));
                context.push(warning(script.span, message).help("name it in a track_script block"));
            }
        }
        scripts
    }

    /// The index of a script among the tracked ones, and its settings.
    pub(super) fn find(&self, name: &str) -> Option<(usize, &'d ScriptDraft)> {
        self.by_name.get(name).copied()
    }
}

fn finish(script: &ScriptDraft, globals: &GlobalDraft, context: &mut Context<'_>) -> Script {
    let user = user::credentials(script.user.as_ref(), globals.script_user.as_ref(), script.span, context);
    let command = if let Some(span) = script.command {
        let command = command(span, context);
        check_program(&command, user, globals.script_security, span, context);
        command
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

/// The words to run. One quoted word is a command line of its own; shell syntax is given to a shell.
fn command(span: Span, context: &mut Context<'_>) -> Vec<String> {
    let raw = context.sources.slice(span);
    let Some((text, words)) = split(raw, span, context) else { return Vec::new() };
    if words.is_empty() {
        context.push(error(span, "the command is empty"));
    }
    let Some(sign) = words::shell_syntax(&text) else { return words };
    let shell = notice(span, format!("{} needs a shell: this is run by /bin/sh -c", quote(sign)));
    context.push(shell.help("keepalived hands such words to the program as arguments"));
    vec!["/bin/sh".into(), "-c".into(), text]
}

fn split(raw: &[u8], span: Span, context: &mut Context<'_>) -> Option<(String, Vec<String>)> {
    let words = split_words(raw, span, context)?;
    let [only] = words.as_slice() else {
        if words.len() > 1 {
            let bare = warning(span, "the whole command should be in double quotes");
            context.push(bare.help("keepalived runs only its first word otherwise; here all words are used"));
        }
        return Some((String::from_utf8_lossy(raw).into_owned(), words));
    };
    let words = split_words(only.as_bytes(), span, context)?;
    Some((only.clone(), words))
}

fn split_words(text: &[u8], span: Span, context: &mut Context<'_>) -> Option<Vec<String>> {
    let words = match words::split(text) {
        Ok(words) => words,
        Err(wrong) => {
            let help = "`#` and `!` start a comment everywhere but inside double quotes";
            context.push(error(span, format!("this command cannot be read: {wrong}")).help(help));
            return None;
        }
    };
    let words: Option<Vec<String>> = words.into_iter().map(|word| String::from_utf8(word).ok()).collect();
    if words.is_none() {
        context.push(error(span, "this command is not UTF-8"));
    }
    words
}

fn check_program(
    command: &[String],
    user: Credentials,
    security: bool,
    span: Span,
    context: &mut Context<'_>,
) {
    let [first, rest @ ..] = command else { return };
    check_one(first, user, security, span, context);
    // What the shell runs first is looked at too, if it is named by its path.
    if let [dash_c, text] = rest
        && dash_c == "-c"
        && let Some(inner) = text.split_whitespace().next()
        && inner.starts_with('/')
    {
        check_one(inner, user, security, span, context);
    }
}

fn check_one(program: &str, user: Credentials, security: bool, span: Span, context: &mut Context<'_>) {
    let found = context.host.program(program);
    if found.is_none() {
        let missing = warning(span, format!("{} cannot be run: there is no such program", quote(program)));
        context.push(missing.help("the check fails until there is one"));
    }
    let path = found.as_deref().unwrap_or_else(|| Path::new(program));
    if !path.is_absolute() {
        if program.contains('/') {
            let relative =
                warning(span, format!("{} depends on the directory that the node runs in", quote(program)));
            context.push(relative.help("write the whole path"));
        }
        return;
    }
    let Some(changeable) = (user.uid == 0).then(|| context.host.changeable(path)).flatten() else { return };
    let changeable = quote(&changeable.display().to_string());
    let message = format!("{changeable} can be changed by others than root, and this script runs as root");
    if security {
        let help = "make root its only writer, or name another `user` for the script";
        context.push(error(span, message).help(help));
    } else {
        context.push(warning(span, message).help("`enable_script_security` refuses such scripts"));
    }
}
