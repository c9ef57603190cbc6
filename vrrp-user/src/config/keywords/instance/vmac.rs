//! `use_vmac`.

use crate::config::{
    context::Context,
    diagnostics::{error, notice, warning},
    draft::{InstanceDraft, VirtualMacDraft},
    statement::Statement,
    values::{self, quote},
};

/// `[NAME] [MAC] [netlink_notify_msg] [group N]`, in any order as far as they can be told apart.
pub(super) fn set_virtual_mac(instance: &mut InstanceDraft, line: &Statement, context: &mut Context<'_>) {
    let mut draft = VirtualMacDraft { span: line.keyword.span, interface: None, mac: None };
    let mut words = line.arguments.iter();
    while let Some(word) = words.next() {
        let text = word.text();
        if text == "netlink_notify_msg" || text == "group" {
            let unused = notice(word.span, format!("{} has no effect here", quote(&text)));
            context.push(unused.help("the macvlan is made as it needs to be"));
            if text == "group" {
                words.next();
            }
        } else if text.contains(':') {
            draft.mac = mac(&text);
            if draft.mac.is_none() {
                let wrong = error(word.span, format!("{} is not a MAC address of one host", quote(&text)));
                context.push(wrong.help("six bytes such as 00:00:5e:00:01:33; without it the RFC's is used"));
            }
        } else if draft.interface.is_none() {
            draft.interface = context.ok(values::interface(word), "the name of a macvlan, such as vrrp.51");
        } else {
            context.push(
                warning(word.span, format!("{} is ignored", quote(&text))).help("use_vmac [NAME] [MAC]"),
            );
        }
    }
    instance.virtual_mac = Some(draft);
}

/// Six bytes in hexadecimal; not a group's address, nor none.
fn mac(text: &str) -> Option<[u8; 6]> {
    let bytes: Vec<u8> =
        text.split(':').map(|byte| u8::from_str_radix(byte, 16)).collect::<Result<_, _>>().ok()?;
    let mac: [u8; 6] = bytes.try_into().ok()?;
    (mac != [0; 6] && mac[0] & 1 == 0).then_some(mac)
}
