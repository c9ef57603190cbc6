//! Requests about macvlans, with their flags.

use rtnetlink::{
    packet_core::{NLM_F_CREATE, NLM_F_EXCL},
    packet_route::{
        RouteNetlinkMessage,
        link::{
            InfoData, InfoKind, InfoMacVlan, LinkAttribute, LinkFlags, LinkInfo, LinkMessage, MacVlanMode,
        },
    },
};

type Request = (RouteNetlinkMessage, u16);

/// Switched off, so that nothing happens on it before it is set up. Private: two of one interface never talk to
/// each other, and none to the interface below.
pub(super) fn create(name: &str, parent: u32, mac: [u8; 6]) -> Request {
    let mut message = LinkMessage::default();
    message.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::Link(parent),
        LinkAttribute::Address(mac.to_vec()),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::MacVlan),
            LinkInfo::Data(InfoData::MacVlan(vec![InfoMacVlan::Mode(MacVlanMode::Private)])),
        ]),
    ];
    (RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
}

/// What people, and who cleans up behind a node that died, know it by.
const ALIAS: &str = "xvrrp";

pub(super) fn switch_on(ifindex: u32) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = ifindex;
    message.attributes = vec![LinkAttribute::IfAlias(ALIAS.to_owned())];
    (message.header.flags, message.header.change_mask) = (LinkFlags::Up, LinkFlags::Up);
    (RouteNetlinkMessage::SetLink(message), 0)
}

pub(super) fn remove(ifindex: u32) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = ifindex;
    (RouteNetlinkMessage::DelLink(message), 0)
}
