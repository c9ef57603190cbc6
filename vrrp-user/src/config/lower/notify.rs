//! Who is told of transitions: programs and pipes. A program that cannot be run keeps no router from running.

use std::path::PathBuf;

use super::{command, user};
use crate::config::{
    context::Context,
    diagnostics::warning,
    draft::{FifoDraft, GlobalDraft, NotifyDraft, ProgramDraft, UserName},
    model::{Credentials, Fifo, Notify, Program},
};

/// The programs of an instance or of a group.
pub(super) fn notify(draft: &NotifyDraft, globals: &GlobalDraft, context: &mut Context<'_>) -> Notify {
    let mut program = |draft: &Option<ProgramDraft>| program(draft.as_ref()?, globals, context);
    Notify {
        active: program(&draft.master),
        backup: program(&draft.backup),
        fault: program(&draft.fault),
        stop: program(&draft.stop),
        tells_deleted: draft.deleted.is_some(),
        deleted: draft.deleted.as_ref().and_then(&mut program),
        every: program(&draft.every),
        losing: program(&draft.lower_priority),
        mail: draft.mail.map_or_else(|| globals.mail.is_usual(), |given| given.value),
        priority_changes: draft.priority_changes.unwrap_or(globals.priority_changes),
    }
}

/// The pipes of the node; the same one twice is one.
pub(super) fn fifos(globals: &GlobalDraft, context: &mut Context<'_>) -> Vec<Fifo> {
    let mut fifos: Vec<Fifo> = Vec::new();
    for draft in &globals.fifos {
        let Some(fifo) = fifo(draft, globals, context) else { continue };
        if let (Some(_), Some(path)) = (fifos.iter().find(|other| other.path == fifo.path), &draft.path) {
            let twice = warning(path.span, "this pipe is named twice; every transition is written once");
            context.push(twice.help("keep one of the two"));
            continue;
        }
        fifos.push(fifo);
    }
    fifos
}

fn fifo(draft: &FifoDraft, globals: &GlobalDraft, context: &mut Context<'_>) -> Option<Fifo> {
    let Some(path) = &draft.path else {
        if let Some(script) = &draft.script {
            let none = warning(script.command, "there is no pipe for this program; it is not run");
            context.push(none.help("name the pipe: `notify_fifo PATH` beside `notify_fifo_script`"));
        }
        return None;
    };
    Some(Fifo {
        path: PathBuf::from(&path.value),
        owner: draft.owner.as_ref().and_then(|name| owner(name, context)),
        reader: draft.script.as_ref().and_then(|script| program(script, globals, context)),
    })
}

fn owner(name: &UserName, context: &mut Context<'_>) -> Option<Credentials> {
    let owner = user::known(name, context);
    let roots =
        |why| warning(name.span, format!("{why}; the pipe is root's")).help("name a user of this host");
    owner.map_err(|why| context.push(roots(why))).ok()
}

fn program(draft: &ProgramDraft, globals: &GlobalDraft, context: &mut Context<'_>) -> Option<Program> {
    let user = match &draft.user {
        Some(name) => match user::known(name, context) {
            Ok(user) => user,
            Err(why) => {
                let not_run = warning(name.span, format!("{why}; the command is not run, as in keepalived"));
                let help = "a command with arguments stands in double quotes; behind it stand user and group";
                context.push(not_run.help(help));
                return None;
            }
        },
        None => user::credentials(None, globals.script_user.as_ref(), draft.command, context),
    };
    let command = command::checked(draft.command, user, globals.script_security, context);
    (!command.is_empty()).then_some(Program { command, user })
}
