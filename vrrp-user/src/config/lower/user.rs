//! Who scripts run as.

use crate::config::{
    context::Context, diagnostics::error, draft::UserName, model::Credentials, source::Span, values::quote,
};

/// The user that scripts run as if the file names none and the host has it (keepalived's manual, "Scripts").
const DEFAULT_USER: &str = "keepalived_script";

const ROOT: Credentials = Credentials { uid: 0, gid: 0 };

impl UserName {
    fn resolve(&self, context: &mut Context<'_>) -> Option<Credentials> {
        let user = context.host.user(&self.user);
        let mut credentials = self.known("user", &self.user, user, context)?;
        if let Some(name) = &self.group {
            let group = context.host.group(name);
            credentials.gid = self.known("group", name, group, context)?;
        }
        Some(credentials)
    }

    fn known<V>(
        &self,
        what: &str,
        name: &str,
        found: Result<Option<V>, String>,
        context: &mut Context<'_>,
    ) -> Option<V> {
        let name = quote(name);
        let message = match found {
            Ok(Some(value)) => return Some(value),
            Ok(None) => format!("there is no {what} {name} on this host"),
            Err(reason) => format!("cannot look up the {what} {name}: {reason}"),
        };
        context.push(error(self.span, message).help("the node would not know whose rights the script has"));
        None
    }
}

/// The user of a script: its own, else the node's, else [`DEFAULT_USER`] if there is one, else root. One that
/// cannot be told is reported, and root stands in for it so that checking can go on.
pub(super) fn credentials(
    own: Option<&UserName>,
    global: Option<&UserName>,
    place: Span,
    context: &mut Context<'_>,
) -> Credentials {
    if let Some(name) = own.or(global) {
        return name.resolve(context).unwrap_or(ROOT);
    }
    match context.host.user(DEFAULT_USER) {
        Ok(user) => user.unwrap_or(ROOT),
        Err(reason) => {
            let unknown = error(place, format!("cannot look up the user `{DEFAULT_USER}`: {reason}"));
            context.push(unknown.help("name the user of the script with `user` or `script_user`"));
            ROOT
        }
    }
}
