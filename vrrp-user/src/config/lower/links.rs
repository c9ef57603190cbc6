//! Delays of links: one for each interface, and shorter than the time in which the peers take over.

use vrrp_common::time::Interval;

use crate::config::{
    context::Context,
    diagnostics::warning,
    draft::Given,
    model::{Instance, LinkDelay},
    values::quote,
};

/// The delays, the last one for each interface.
pub(super) fn delays(
    given: &[Given<LinkDelay>],
    instances: &[Instance],
    context: &mut Context<'_>,
) -> Vec<LinkDelay> {
    let mut delays: Vec<LinkDelay> = Vec::new();
    for Given { value, span } in given {
        if let Some(other) = delays.iter_mut().find(|other| other.interface == value.interface) {
            let name = quote(&value.interface);
            let twice = warning(*span, format!("{name} is given twice; the last delays count"));
            context.push(twice.help("remove the one that is not meant"));
            other.clone_from(value);
        } else {
            delays.push(value.clone());
        }
        let on_it = |instance: &&Instance| instance.interface == value.interface;
        if let Some(instance) = instances.iter().filter(on_it).find(|one| value.down >= patience(one)) {
            let message =
                format!("the peers of {} may take over while it still counts as up", quote(&instance.name));
            let help = format!("a delay for down below {}, or more `down_timer_adverts`", patience(instance));
            context.push(warning(*span, message).help(help));
        }
    }
    delays
}

/// One interval less than the peers wait.
fn patience(instance: &Instance) -> Interval {
    instance.advertisement_interval.times(u64::from(instance.down_timer_adverts).saturating_sub(1))
}
