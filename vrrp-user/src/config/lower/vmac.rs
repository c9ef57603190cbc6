//! The macvlans of virtual routers: their names and MAC addresses.

use std::collections::BTreeSet;

use vrrp_common::wire::Family;

use crate::config::{
    context::Context,
    diagnostics::{error, warning},
    draft::{GlobalDraft, InstanceDraft},
    model::{Instance, VirtualMac},
    values::quote,
};

/// The virtual MAC address of a router (RFC 9568 §7.3).
pub(super) fn virtual_mac(
    draft: &InstanceDraft,
    globals: &GlobalDraft,
    family: Family,
    vrid: u8,
    context: &mut Context<'_>,
) -> Option<VirtualMac> {
    let Some(given) = &draft.virtual_mac else {
        if draft.advertise_from_base {
            let alone = warning(draft.span, "`vmac_xmit_base` does nothing without `use_vmac`");
            context.push(alone.help("without it advertisements have the interface's own MAC address anyway"));
        }
        return None;
    };
    let prefix = globals.vmac_prefix.as_deref().unwrap_or("vrrp");
    let (mark, family) = match family {
        Family::V4 => ("", 1),
        Family::V6 => ("6", 2),
    };
    Some(VirtualMac {
        interface: given.interface.clone().unwrap_or_else(|| format!("{prefix}{mark}.{vrid}")),
        mac: given.mac.unwrap_or([0x00, 0x00, 0x5e, 0x00, family, vrid]),
        advertise_from_base: draft.advertise_from_base,
    })
}

/// Routers of the same number on several interfaces get names of their own; names that were given must differ.
pub(super) fn tell_apart(drafts: &[InstanceDraft], instances: &mut [Instance], context: &mut Context<'_>) {
    let mut used = BTreeSet::new();
    for instance in instances {
        let draft = drafts.iter().find(|draft| draft.name == instance.name);
        let given = draft.and_then(|draft| draft.virtual_mac.as_ref());
        let (Some(own), Some(given)) = (&mut instance.virtual_mac, given) else { continue };
        let name = own.interface.clone();
        if given.interface.is_some() && used.contains(&name) {
            let twice = error(given.span, format!("two virtual routers use the macvlan {}", quote(&name)));
            context.push(twice.help("give each its own name"));
        }
        let mut number = 0;
        while !used.insert(own.interface.clone()) && given.interface.is_none() {
            number += 1;
            own.interface = format!("{name}.{number}");
        }
    }
}
