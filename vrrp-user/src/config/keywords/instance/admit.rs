//! `accept_from`, our own keyword: the networks that advertisements may come from.

use crate::config::{
    context::Context,
    diagnostics::warning,
    draft::InstanceDraft,
    statement::Statement,
    values::{self, quote},
};

const HELP: &str = "networks such as 192.0.2.0/29 or fe80::/10, and single addresses";

/// Reads one line of the block.
pub(super) fn add_networks(instance: &mut InstanceDraft, line: &Statement, context: &mut Context<'_>) {
    for word in std::iter::once(&line.keyword).chain(&line.arguments) {
        let Some(network) = context.ok(values::network(word), HELP) else {
            instance.admission_refused = true;
            continue;
        };
        if network.address != network.masked().address {
            let message = format!("{} is in the network {}", quote(&word.text()), network.masked());
            context.push(warning(word.span, message).help("all of the network is accepted"));
        }
        instance.admitted.push(network.masked());
    }
}
