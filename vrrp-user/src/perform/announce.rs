//! Tells the neighbours where the virtual addresses are: gratuitous ARP and unsolicited neighbour
//! advertisements, a bounded number at a time. Which bursts there are is the schedule's business.

use std::{collections::VecDeque, fs, io, net::IpAddr, path::Path};

use vrrp_common::{
    election::Announcement,
    time::{Instant, Interval},
    wire::frame,
};

use super::schedule::{Schedule, Target};
use crate::{
    config::model::Announce,
    datapath::Slot,
    netlink::{Link, LinkTable},
    sys::packet::{BATCH, Sender},
};

/// How long a full queue is given to empty itself.
const FULL_QUEUE: Interval = Interval::from_millis(5);

/// How often in a row it is given that time before a frame is given up.
const PATIENCE: u32 = 20;

/// The longer of the two kinds of frame.
const FRAME_CAPACITY: usize = 86;

/// What was announced since the start, in frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnnounceCounts {
    /// Taken by the kernel.
    pub sent: u64,
    /// Refused by it; the address may be announced by a later round.
    pub failed: u64,
}

/// A frame that the kernel refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot announce {address} on interface number {interface}: {error}")]
pub struct AnnounceError {
    /// Whose address.
    pub slot: Slot,
    /// Which address.
    pub address: IpAddr,
    /// Where.
    pub interface: u32,
    /// What the kernel said.
    pub error: io::Error,
}

/// Announces the addresses of every router that holds its own.
#[derive(Debug)]
pub struct Announcer {
    socket: Sender,
    schedule: Schedule,
    /// Taken from the schedule and not yet sent.
    waiting: VecDeque<(Slot, Target)>,
    /// The interface's queue was full: not before this.
    pause: Option<Instant>,
    /// How often in a row it was.
    pauses: u32,
    counts: AnnounceCounts,
}

impl Announcer {
    /// An announcer with nothing to do.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_RAW`.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            socket: Sender::open()?,
            schedule: Schedule::default(),
            waiting: VecDeque::new(),
            pause: None,
            pauses: 0,
            counts: AnnounceCounts::default(),
        })
    }

    /// What was announced since the start.
    pub fn counts(&self) -> AnnounceCounts {
        self.counts
    }

    /// The router became Active: its addresses are announced as each is [`Self::confirmed`], and refreshed.
    pub fn start(&mut self, slot: Slot, settings: Announce, now: Instant) {
        self.stop(slot);
        self.schedule.start(slot, settings, now);
    }

    /// The router let go: nothing that was planned for it is sent.
    pub fn stop(&mut self, slot: Slot) {
        self.schedule.stop(slot);
        self.waiting.retain(|(waiting, _)| *waiting != slot);
    }

    /// These addresses are on the host now, each with the number of its interface. Nothing happens for a router
    /// that was not started, and for interfaces on which nobody asks for addresses (loopback, tunnels).
    pub fn confirmed(
        &mut self,
        slot: Slot,
        addresses: impl IntoIterator<Item = (IpAddr, u32)>,
        links: &LinkTable,
        now: Instant,
    ) {
        let mut forwarding = Forwarding::default();
        let targets = addresses.into_iter().filter_map(|(address, interface)| {
            let link = links.by_index(interface)?;
            let router = address.is_ipv6() && forwarding.of(link);
            Some(Target { interface, mac: link.mac?, address, router })
        });
        self.schedule.confirmed(slot, targets.collect(), now);
    }

    /// Announces all confirmed addresses of the router again, as the election asks.
    pub fn again(&mut self, slot: Slot, occasion: Announcement, now: Instant) {
        self.schedule.again(slot, occasion, now);
    }

    /// When [`Self::turn`] has something to do; a time that has passed means at once.
    pub fn deadline(&self) -> Option<Instant> {
        if self.waiting.is_empty() {
            return self.schedule.deadline();
        }
        Some(self.pause.unwrap_or_default())
    }

    /// Sends what is due, at most `budget` frames (and never more than 64), so that the caller can look after
    /// advertisements in between.
    ///
    /// # Errors
    /// The first frame that the kernel refused. Such frames are counted and skipped, the others go on; a full
    /// queue is waited for before that.
    pub fn turn(&mut self, now: Instant, budget: usize) -> Result<(), AnnounceError> {
        if self.pause.is_some_and(|until| until > now) {
            return Ok(());
        }
        self.pause = None;
        let budget = budget.min(BATCH);
        let missing = budget.saturating_sub(self.waiting.len());
        self.schedule.take(now, missing, &mut self.waiting);
        let frames: Vec<Frame> =
            self.waiting.iter().take(budget).map(|(_, target)| Frame::new(target)).collect();
        self.send(&frames, now)
    }

    /// Sends the frames, which are those of the first entries of `waiting`, and takes these off.
    fn send(&mut self, frames: &[Frame], now: Instant) -> Result<(), AnnounceError> {
        let mut rest = frames;
        let mut first_error = None;
        while !rest.is_empty() {
            match self.socket.send_batch(rest.iter().map(Frame::parts)) {
                Ok(sent) => {
                    self.counts.sent += sent as u64;
                    self.waiting.drain(..sent);
                    self.pauses = 0;
                    rest = &rest[sent..];
                }
                Err(error) if is_full(&error) && self.pauses < PATIENCE => {
                    self.pauses += 1;
                    self.pause = Some(now.after(FULL_QUEUE));
                    break;
                }
                Err(error) => {
                    let refused = self.skip(error);
                    first_error = first_error.or(refused);
                    rest = &rest[1..];
                }
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    fn skip(&mut self, error: io::Error) -> Option<AnnounceError> {
        self.counts.failed += 1;
        self.pauses = 0;
        let (slot, target) = self.waiting.pop_front()?;
        Some(AnnounceError { slot, address: target.address, interface: target.interface, error })
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::EAGAIN))
}

struct Frame {
    interface: u32,
    bytes: [u8; FRAME_CAPACITY],
    length: usize,
}

impl Frame {
    fn new(target: &Target) -> Self {
        let mut bytes = [0; FRAME_CAPACITY];
        let mut put = |frame: &[u8]| {
            bytes[..frame.len()].copy_from_slice(frame);
            frame.len()
        };
        let length = match target.address {
            IpAddr::V4(address) => put(&frame::gratuitous_arp(target.mac, address)),
            IpAddr::V6(address) => put(&frame::unsolicited_na(target.mac, address, target.router)),
        };
        Self { interface: target.interface, bytes, length }
    }

    fn parts(&self) -> (u32, &[u8]) {
        (self.interface, &self.bytes[..self.length])
    }
}

/// Whether the host forwards IPv6 that it receives on an interface, read once for each.
#[derive(Default)]
struct Forwarding(Vec<(u32, bool)>);

impl Forwarding {
    fn of(&mut self, link: &Link) -> bool {
        if let Some((_, forwarding)) = self.0.iter().find(|(known, _)| *known == link.ifindex) {
            return *forwarding;
        }
        let path = Path::new("/proc/sys/net/ipv6/conf").join(&link.name).join("forwarding");
        // Where it cannot be read there is no IPv6 to forward.
        let forwarding = fs::read_to_string(path).is_ok_and(|text| text.trim() != "0");
        self.0.push((link.ifindex, forwarding));
        forwarding
    }
}
