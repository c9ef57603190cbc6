//! What state, priority, preemption and strict mode mean together.

use vrrp_common::time::Interval;

use crate::config::{
    context::Context,
    diagnostics::{Diagnostic, notice, warning},
    draft::{GlobalDraft, InstanceDraft, OWNER, State},
    source::Span,
};

/// What `state`, `priority` and the preemption settings mean together.
pub(super) struct Standing {
    pub(super) priority: u8,
    pub(super) preempt: bool,
    pub(super) preempt_delay: Interval,
    pub(super) strict: bool,
}

impl Standing {
    pub(super) fn of(draft: &InstanceDraft, globals: &GlobalDraft, context: &mut Context<'_>) -> Self {
        let strict = draft.strict.or(globals.strict).filter(|strict| strict.value).map(|strict| strict.span);
        let master = draft.state.filter(|(state, _)| *state == State::Master).map(|(_, span)| span);
        let priority = draft.base_priority();
        warn_of_default_owner(draft, master, context);
        strict.into_iter().for_each(|strict| notice_strict(strict, context));
        // Strict mode leaves `state MASTER` to owners (2.2.7: "State MASTER must match being address owner").
        let master = master.filter(|_| strict.is_none() || priority == OWNER);
        let preempt = preempt(draft, master, context);
        let preempt_delay = preempt_delay(draft, master, strict, context);
        Self { priority, preempt, preempt_delay, strict: strict.is_some() }
    }
}

fn preempt(draft: &InstanceDraft, master: Option<Span>, context: &mut Context<'_>) -> bool {
    let Some(given) = draft.preempt.filter(|preempt| !preempt.value) else { return true };
    let Some(master) = master else { return false };
    context.push(master_clears("nopreempt", given.span, master));
    true
}

fn preempt_delay(
    draft: &InstanceDraft,
    master: Option<Span>,
    strict: Option<Span>,
    context: &mut Context<'_>,
) -> Interval {
    let Some(given) = draft.preempt_delay.filter(|delay| delay.value != Interval::ZERO) else {
        return Interval::ZERO;
    };
    let cleared = match (master, strict) {
        (None, None) => return given.value,
        (Some(master), _) => master_clears("preempt_delay", given.span, master),
        (None, Some(strict)) => {
            let message = "`preempt_delay` does nothing in strict mode, as in keepalived";
            warning(given.span, message).related(strict, "strict mode").help("remove the one or the other")
        }
    };
    context.push(cleared);
    Interval::ZERO
}

fn master_clears(keyword: &str, span: Span, master: Span) -> Diagnostic {
    let message = format!("`{keyword}` does nothing with `state MASTER`, as in keepalived");
    warning(span, message).related(master, "set here").help("write `state BACKUP` on all routers")
}

fn notice_strict(span: Span, context: &mut Context<'_>) {
    context.notice_once("strict", || {
        notice(span, "strict mode is kept in part").help(
            "not enforced: differing address lists are accepted, and losing advertisements are answered; enforced: \
             no authentication, no preempt_delay, no announcements on a losing advertisement, and the addresses do \
             not answer, not even to ping, without `accept`",
        )
    });
}

fn warn_of_default_owner(draft: &InstanceDraft, master: Option<Span>, context: &mut Context<'_>) {
    if let Some(span) = master.filter(|_| !draft.given.contains(&"priority")) {
        let message = "`state MASTER` without `priority` means priority 255, as in keepalived";
        let help = "255 says that this host owns the addresses; write the priority that is meant";
        context.push(warning(span, message).help(help));
    }
}
