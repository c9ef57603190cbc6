//! Where mail goes. Without a server or a receiver none is sent, as in keepalived, which does not say so.

use vrrp_common::time::Interval;

use crate::config::{
    context::Context,
    diagnostics::warning,
    draft::{Draft, MailDraft},
    host::Host,
    model::Mail,
    source::Span,
};

const TIMEOUT: Interval = Interval::from_secs(30);

pub(super) fn finish(draft: &Draft, host: &dyn Host, context: &mut Context<'_>) -> Option<Mail> {
    let mail = &draft.globals.mail;
    let Some((server, port)) = mail.server.clone().filter(|_| !mail.to.is_empty()) else {
        if let Some(span) = wish(draft) {
            let missing = if mail.server.is_none() { "`smtp_server`" } else { "receiver" };
            let none = warning(span, format!("no mail is sent: there is no {missing}"));
            context.push(none.help("global_defs { smtp_server HOST; notification_email { ADDRESS } }"));
        }
        return None;
    };
    Some(Mail {
        server,
        port,
        helo: mail.helo.clone().unwrap_or_else(|| host.name()),
        timeout: mail.timeout.unwrap_or(TIMEOUT),
        from: mail.from.clone().unwrap_or_else(|| format!("root@{}", host.name())),
        to: mail.to.iter().map(|given| given.value.clone()).collect(),
        faults: !mail.no_faults,
    })
}

/// Where mail is asked for first.
fn wish(draft: &Draft) -> Option<Span> {
    let MailDraft { alert, alert_vrrp, .. } = &draft.globals.mail;
    let own = draft.instances.iter().map(|one| one.notify.mail);
    let groups = draft.groups.iter().map(|one| one.notify.mail);
    let all = [*alert_vrrp, *alert].into_iter().chain(own).chain(groups);
    all.flatten().find(|given| given.value).map(|given| given.span)
}
