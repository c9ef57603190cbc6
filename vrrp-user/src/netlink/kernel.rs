//! The netlink conversation: requests and their answers, notifications. What is asked for is decided elsewhere.

use std::{io, net::IpAddr, pin::pin};

use futures_util::{Stream, StreamExt};
use rtnetlink::{
    Handle, MulticastGroup,
    packet_core::{
        NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage,
        NetlinkPayload,
    },
    packet_route::{
        AddressFamily, RouteNetlinkMessage,
        address::{AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, CacheInfo},
        link::LinkMessage,
    },
    sys::AsyncSocket,
};

use super::{
    LinkTable,
    plan::{Action, Operation},
};
use crate::{config::model::VirtualAddress, sys};

/// How often a list that changed while it was read is read again.
const DUMP_ATTEMPTS: usize = 10;

type Message = NetlinkMessage<RouteNetlinkMessage>;
type Notifications = Box<dyn Stream<Item = Message> + Unpin>;

/// Two connections: notifications carry the sequence numbers of other programs' requests, so they must not
/// arrive where our answers do.
pub(super) struct Kernel {
    requests: Handle,
    monitor: Handle,
    notifications: Notifications,
}

/// What the kernel told without being asked.
pub(super) enum Notification {
    /// Something changed.
    Change(RouteNetlinkMessage),
    /// Notifications were lost: everything has to be read again.
    Overrun,
}

impl Kernel {
    /// Opens the connections and listens for changes from now on, with room for `receive_buffer` bytes of
    /// notifications. To be called inside a tokio runtime.
    pub(super) fn connect(receive_buffer: i32) -> io::Result<Self> {
        let (mut connection, requests, _) = rtnetlink::new_connection()?;
        connection.set_forward_ack(true);
        connection.set_forward_done(true);
        tokio::spawn(connection);
        let groups = [MulticastGroup::Link, MulticastGroup::Ipv4Ifaddr, MulticastGroup::Ipv6Ifaddr];
        let (monitor, notifications) = listen(&groups, receive_buffer)?;
        Ok(Self { requests, monitor, notifications })
    }

    /// Reads every link and every address.
    ///
    /// A list that changed while it was read may lack an entry, so it is read again. On a host that never rests
    /// the attempts are laid over each other: no entry is missing from all, and what was removed meanwhile is
    /// notified of.
    pub(super) async fn snapshot(&mut self) -> io::Result<LinkTable> {
        let mut table = LinkTable::default();
        for _ in 0..DUMP_ATTEMPTS {
            let links = RouteNetlinkMessage::GetLink(LinkMessage::default());
            let addresses = RouteNetlinkMessage::GetAddress(AddressMessage::default());
            let mut whole = true;
            for question in [links, addresses] {
                let note = |message| {
                    table.apply(&message);
                };
                whole &= self.dump(question, note).await?;
            }
            if whole {
                break;
            }
        }
        Ok(table)
    }

    /// Puts a question for a list, and returns whether nothing changed meanwhile.
    pub(super) async fn dump(
        &mut self,
        question: RouteNetlinkMessage,
        mut each: impl FnMut(RouteNetlinkMessage),
    ) -> io::Result<bool> {
        let mut whole = true;
        let mut answers = ask(&mut self.requests, question, NLM_F_DUMP)?;
        while let Some(message) = answers.next().await {
            whole &= message.header.flags & NLM_F_DUMP_INTR == 0;
            match message.payload {
                NetlinkPayload::InnerMessage(inner) => each(inner),
                NetlinkPayload::Done(_) => return Ok(whole),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                _ => {}
            }
        }
        Err(lost())
    }

    /// Makes all requests, one behind the other without waiting, and returns the kernel's answers in order.
    pub(super) async fn execute(
        &mut self,
        requests: impl IntoIterator<Item = (RouteNetlinkMessage, u16)>,
    ) -> io::Result<Vec<io::Result<()>>> {
        let mut pending = Vec::new();
        for (request, flags) in requests {
            pending.push(ask(&mut self.requests, request, flags | NLM_F_ACK)?);
        }
        let mut results = Vec::with_capacity(pending.len());
        for answers in pending {
            results.push(acknowledged(answers).await?);
        }
        Ok(results)
    }

    /// Reads all notifications of changes that were made before this call.
    ///
    /// Notifications and answers on one socket come in the order in which the kernel wrote them, so the answer
    /// to a harmless question marks the place.
    pub(super) async fn catch_up(&mut self, mut each: impl FnMut(Notification)) -> io::Result<()> {
        let mut marker = LinkMessage::default();
        marker.header.index = 1;
        let answers = ask(&mut self.monitor, RouteNetlinkMessage::GetLink(marker), NLM_F_ACK)?;
        let mut answers = pin!(answers);
        loop {
            tokio::select! {
                biased;
                message = self.notifications.next() => {
                    let Some(notification) = message.map(notification) else { return Err(lost()) };
                    let Some(notification) = notification else { continue };
                    // The mark may be lost too.
                    let overrun = matches!(notification, Notification::Overrun);
                    each(notification);
                    if overrun {
                        return Ok(());
                    }
                }
                answer = answers.next() => match answer.map(|message| message.payload) {
                    Some(NetlinkPayload::InnerMessage(inner)) => each(Notification::Change(inner)),
                    Some(_) => return Ok(()),
                    None => return Err(lost()),
                },
            }
        }
    }

    /// Waits for the next notification.
    pub(super) async fn notified(&mut self) -> io::Result<Notification> {
        next(&mut self.notifications).await
    }
}

/// Changes of routes and rules. A host may have a million routes that are not ours, so this is opened only where
/// some are.
pub(super) struct RoutingWatch(Notifications);

impl RoutingWatch {
    /// Listens from now on. To be called inside a tokio runtime.
    pub(super) fn open() -> io::Result<Self> {
        let groups = [
            MulticastGroup::Ipv4Route,
            MulticastGroup::Ipv6Route,
            MulticastGroup::Ipv4Rule,
            MulticastGroup::Ipv6Rule,
        ];
        Ok(Self(listen(&groups, super::RECEIVE_BUFFER)?.1))
    }

    /// Waits for the next notification.
    pub(super) async fn next(&mut self) -> io::Result<Notification> {
        next(&mut self.0).await
    }
}

/// A connection that hears what these groups tell, and can be asked.
fn listen(groups: &[MulticastGroup], receive_buffer: i32) -> io::Result<(Handle, Notifications)> {
    let (mut connection, handle, notifications) = rtnetlink::new_multicast_connection(groups)?;
    connection.set_forward_ack(true);
    sys::set_receive_buffer(connection.socket_mut().socket_ref(), receive_buffer)?;
    tokio::spawn(connection);
    Ok((handle, Box::new(notifications.map(|(message, _)| message))))
}

async fn next(notifications: &mut Notifications) -> io::Result<Notification> {
    loop {
        let message = notifications.next().await.ok_or_else(lost)?;
        if let Some(notification) = notification(message) {
            return Ok(notification);
        }
    }
}

fn notification(message: Message) -> Option<Notification> {
    match message.payload {
        NetlinkPayload::InnerMessage(inner) => Some(Notification::Change(inner)),
        NetlinkPayload::Overrun(_) => Some(Notification::Overrun),
        _ => None,
    }
}

fn ask(
    handle: &mut Handle,
    request: RouteNetlinkMessage,
    flags: u16,
) -> io::Result<impl Stream<Item = Message> + Unpin + use<>> {
    let mut message = NetlinkMessage::from(request);
    message.header.flags = NLM_F_REQUEST | flags;
    handle.request(message).map_err(|_| lost())
}

/// The outer error means that there is no kernel to talk to any more, the inner one is its answer.
async fn acknowledged(mut answers: impl Stream<Item = Message> + Unpin) -> io::Result<io::Result<()>> {
    while let Some(message) = answers.next().await {
        if let NetlinkPayload::Error(answer) = message.payload {
            return Ok(if answer.code.is_none() { Ok(()) } else { Err(answer.to_io()) });
        }
    }
    Err(lost())
}

fn lost() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the netlink connection to the kernel was lost")
}

/// What an operation asks of the kernel, and the flags of the request.
pub(super) fn request(operation: &Operation) -> (RouteNetlinkMessage, u16) {
    let message = address_message(operation);
    match operation.action {
        Action::Add { .. } => (RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL),
        Action::Remove { .. } => (RouteNetlinkMessage::DelAddress(message), 0),
    }
}

/// What the table will hold once the kernel has agreed; its own notification may come later.
pub(super) fn consequence(operation: &Operation) -> RouteNetlinkMessage {
    request(operation).0
}

fn address_message(operation: &Operation) -> AddressMessage {
    let address = operation.place.address;
    let mut message = AddressMessage::default();
    message.header.index = operation.ifindex;
    message.header.family = match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    message.attributes = vec![AddressAttribute::Local(address), AddressAttribute::Address(address)];
    match &operation.action {
        Action::Add { spec, .. } => {
            message.header.prefix_len = spec.prefix;
            message.header.scope = spec.scope.into();
            describe(spec, &mut message);
        }
        Action::Remove { prefix, .. } => message.header.prefix_len = *prefix,
    }
    message
}

fn describe(spec: &VirtualAddress, message: &mut AddressMessage) {
    if spec.address.is_ipv4() {
        message.attributes.extend(spec.broadcast.map(AddressAttribute::Broadcast));
        message.attributes.extend(spec.label.clone().map(AddressAttribute::Label));
        return;
    }
    if !spec.detect_duplicates {
        message.header.flags = AddressHeaderFlags::Nodad;
        message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
    }
    if spec.prefix == 128 {
        // As keepalived: valid for ever but not preferred, so that the host does not choose a virtual address
        // as the source of its own connections.
        let mut lifetime = CacheInfo::default();
        (lifetime.ifa_preferred, lifetime.ifa_valid) = (0, u32::MAX);
        message.attributes.push(AddressAttribute::CacheInfo(lifetime));
    }
}
