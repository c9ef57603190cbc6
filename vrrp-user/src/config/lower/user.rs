//! Who scripts run as.

use crate::config::{
    context::Context, diagnostics::error, draft::UserName, model::Credentials, source::Span, values::quote,
};

/// The user that scripts run as if the file names none and the host has it (keepalived's manual, "Scripts").
const DEFAULT_USER: &str = "keepalived_script";

const ROOT: Credentials = Credentials { uid: 0, gid: 0 };

/// Looks a user, and a group, up; `Err` says why that was in vain.
pub(super) fn known(name: &UserName, context: &Context<'_>) -> Result<Credentials, String> {
    let mut credentials = found("user", &name.user, context.host.user(&name.user))?;
    if let Some(group) = &name.group {
        credentials.gid = found("group", group, context.host.group(group))?;
    }
    Ok(credentials)
}

fn found<V>(what: &str, name: &str, found: Result<Option<V>, String>) -> Result<V, String> {
    let name = quote(name);
    match found {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(format!("there is no {what} {name} on this host")),
        Err(reason) => Err(format!("cannot look up the {what} {name}: {reason}")),
    }
}

fn resolve(name: &UserName, context: &mut Context<'_>) -> Option<Credentials> {
    let help = "the node would not know whose rights the script has";
    known(name, context).map_err(|why| context.push(error(name.span, why).help(help))).ok()
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
        return resolve(name, context).unwrap_or(ROOT);
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
