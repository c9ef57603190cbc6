//! Keywords that name programs and pipes to be told of transitions: of instances, groups and the node.

use std::marker::PhantomData;

use super::{
    Grammar::{Line, Switch},
    Keyword,
    script::user_name_of,
};
use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{FifoDraft, Given, GlobalDraft, GroupDraft, InstanceDraft, NotifyDraft, ProgramDraft},
    statement::Statement,
};

/// What tells of its transitions.
pub(super) trait Notifies: 'static {
    fn notify(&mut self) -> &mut NotifyDraft;
}

impl Notifies for InstanceDraft {
    fn notify(&mut self) -> &mut NotifyDraft {
        &mut self.notify
    }
}

impl Notifies for GroupDraft {
    fn notify(&mut self) -> &mut NotifyDraft {
        &mut self.notify
    }
}

/// The rows for one kind of block.
pub(super) struct Rows<T>(PhantomData<T>);

const COMMAND: &str = "COMMAND [USER [GROUP]]";

impl<T: Notifies> Rows<T> {
    pub(super) const TRANSITIONS: &'static [Keyword<T>] = &[
        Keyword::works(
            "notify_master",
            "",
            Line(COMMAND, |it, line, context| it.notify().master = program(line, context)),
            "run on becoming Active",
        ),
        Keyword::works(
            "notify_backup",
            "",
            Line(COMMAND, |it, line, context| it.notify().backup = program(line, context)),
            "run on becoming Backup",
        ),
        Keyword::works(
            "notify_fault",
            "",
            Line(COMMAND, |it, line, context| it.notify().fault = program(line, context)),
            "run on a fault",
        ),
        Keyword::works(
            "notify_stop",
            "",
            Line(COMMAND, |it, line, context| it.notify().stop = program(line, context)),
            "run at stop",
        ),
        Keyword::works(
            "notify",
            "",
            Line(COMMAND, |it, line, context| it.notify().every = program(line, context)),
            "run on every transition, with INSTANCE or GROUP, name, state and priority as last arguments",
        ),
        Keyword::works(
            "notify_priority_changes",
            "vrrp_notify_priority_changes",
            Switch(|it, on| it.notify().priority_changes = Some(on.value)),
            "tell the pipes of priorities too",
        ),
        Keyword::works(
            "smtp_alert",
            "smtp_alert_vrrp",
            Switch(|it, on| it.notify().mail = Some(on)),
            "tell of transitions by mail",
        ),
    ];
}

/// What an instance has besides.
pub(super) const INSTANCE_ONLY: &[Keyword<InstanceDraft>] = &[
    Keyword::works(
        "notify_deleted",
        "",
        Line("[COMMAND [USER [GROUP]]]", |instance, line, context| {
            let named = !line.arguments.is_empty();
            instance.notify.deleted = Some(named.then(|| program(line, context)).flatten());
        }),
        "tell of an instance that a reload removed as DELETED, and run this then",
    ),
    Keyword::works(
        "notify_master_rx_lower_pri",
        "",
        Line(COMMAND, |instance, line, context| instance.notify.lower_priority = program(line, context)),
        "run when an Active hears an advertisement of lower priority",
    ),
];

/// The pipes of `global_defs`.
pub(super) const FIFOS: &[Keyword<GlobalDraft>] = &[
    Keyword::works(
        "notify_fifo",
        "",
        Line("PATH [USER [GROUP]]", |globals, line, context| fifo(&mut globals.fifos[0], line, context)),
        "a pipe that every transition is written to",
    ),
    Keyword::works(
        "notify_fifo_script",
        "",
        Line(COMMAND, |globals, line, context| globals.fifos[0].script = program(line, context)),
        "the program that reads notify_fifo; it is given the path as its last argument",
    ),
    Keyword::works(
        "vrrp_notify_fifo",
        "",
        Line("PATH [USER [GROUP]]", |globals, line, context| fifo(&mut globals.fifos[1], line, context)),
        "another such pipe",
    ),
    Keyword::works(
        "vrrp_notify_fifo_script",
        "",
        Line(COMMAND, |globals, line, context| globals.fifos[1].script = program(line, context)),
        "the program that reads vrrp_notify_fifo",
    ),
    Keyword::works(
        "fifo_write_vrrp_states_on_reload",
        "off",
        Switch(|globals, on| globals.fifo_states_on_reload = on.value),
        "write every state to the pipes again when the file was read again",
    ),
    Keyword::works(
        "vrrp_notify_priority_changes",
        "off",
        Switch(|globals, on| globals.priority_changes = on.value),
        "tell the pipes of priorities too",
    ),
];

/// Reads `COMMAND [USER [GROUP]]`: the command is one word, which quotes may hold together.
fn program(line: &Statement, context: &mut Context<'_>) -> Option<ProgramDraft> {
    let Some((command, user)) = line.arguments.split_first() else {
        let keyword = line.keyword.text();
        let none = error(line.keyword.span, format!("`{keyword}` needs a command"));
        context.push(none.help("write a program and its arguments, in double quotes"));
        return None;
    };
    Some(ProgramDraft { command: command.span, user: user_name_of(user, context) })
}

fn fifo(fifo: &mut FifoDraft, line: &Statement, context: &mut Context<'_>) {
    let Some((path, user)) = line.arguments.split_first() else {
        let keyword = line.keyword.text();
        let none = warning(line.keyword.span, format!("`{keyword}` needs a path; there is no pipe"));
        context.push(none.help("write where the pipe is to be, such as /run/vrrp.fifo"));
        return;
    };
    fifo.path = Some(Given { value: path.text().into_owned(), span: path.span });
    fifo.owner = user_name_of(user, context);
}
