//! A neighbour that sends VRRP at a steady pace: a well-behaved Active of many routers, or one of several kinds of
//! flood. Says how many left and how late it was.

use std::{net::IpAddr, thread, time::Duration};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use vrrp_common::{
    time::Interval,
    wire::{ChecksumForm, Family, Message, Version, frame},
};

use super::{Nanos, now, packets::Packets};

/// Frames are sent once in this time at most: as many as are due.
const TICK: Duration = Duration::from_micros(200);

/// The most frames at once.
const MOST: u64 = 1024;
/// The longest sleep: whether to stop is asked after it.
const NAP: Duration = Duration::from_millis(20);

/// What a neighbour sends, all of it VRRPv3 with multicast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Kind {
    /// Good advertisements of priority 200, for every router in turn
    Active,
    /// For our router, with a wrong checksum
    Junk,
    /// Good ones, for a router that nobody here has
    Unknown,
    /// Good ones of priority 1: they lose
    Losing,
    /// Good ones, of priority 50 and 150 in turn
    Alternating,
    /// Farewells (priority 0) of somebody who never was Active
    Farewell,
}

/// Whom the traffic is for, and who it comes from.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// What.
    pub kind: Kind,
    /// Virtual router identifiers, from 1.
    pub vrids: std::ops::RangeInclusive<u8>,
    /// In which families.
    pub families: Vec<Family>,
    /// What the advertisements say of their interval.
    pub interval: Duration,
    /// The last number of the host that sends.
    pub host: u8,
}

/// What became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Frames that left.
    pub frames: u64,
    /// Frames that the kernel did not take.
    pub refused: u64,
    /// For how long, nanoseconds.
    pub span: Nanos,
    /// How late a frame was at worst, nanoseconds.
    pub worst_lateness: Nanos,
}

impl Traffic {
    /// Sends `rate` frames a second, evenly, until `stop` says so.
    pub fn send(&self, rate: u32, mut stop: impl FnMut() -> bool) -> Result<Sent> {
        let frames = self.frames()?;
        let socket = Packets::sender()?;
        let start = now();
        let mut sent = Sent::default();
        let mut next = 0_u64;
        while !stop() {
            let elapsed = now() - start;
            let due = elapsed * u64::from(rate) / 1_000_000_000 + 1;
            if due > next {
                let lateness = elapsed.saturating_sub(next * 1_000_000_000 / u64::from(rate));
                sent.worst_lateness = sent.worst_lateness.max(lateness);
            }
            // Who cannot keep up sends less, not later and later.
            next = next.max(due.saturating_sub(MOST));
            let batch = (next..due).map(|number| &*frames[(number % frames.len() as u64) as usize]);
            let taken = socket.send(batch) as u64;
            sent.frames += taken;
            sent.refused += due - next - taken;
            next = due;
            let until = next * 1_000_000_000 / u64::from(rate);
            let pause = Duration::from_nanos(until.saturating_sub(now() - start));
            thread::sleep(pause.clamp(TICK, NAP));
        }
        sent.span = now() - start;
        Ok(sent)
    }

    /// One of each, in the order of sending. Public so that a program can be run on them without a network.
    pub fn frames(&self) -> Result<Vec<Vec<u8>>> {
        let priorities: &[u8] = match self.kind {
            Kind::Active => &[200],
            Kind::Junk | Kind::Unknown | Kind::Losing => &[1],
            Kind::Alternating => &[50, 150],
            Kind::Farewell => &[0],
        };
        let mut frames = Vec::new();
        for family in &self.families {
            for vrid in self.vrids.clone() {
                for priority in priorities {
                    frames.push(self.frame(*family, vrid, *priority)?);
                }
            }
        }
        ensure!(!frames.is_empty(), "nothing to send");
        Ok(frames)
    }

    fn frame(&self, family: Family, vrid: u8, priority: u8) -> Result<Vec<u8>> {
        let (source, group): (IpAddr, IpAddr) = match family {
            Family::V4 => ([192, 0, 2, self.host].into(), [224, 0, 0, 18].into()),
            Family::V6 => {
                // What the kernel makes of 02:00:00:00:00:host.
                let source = [0xfe80, 0, 0, 0, 0, 0x00ff, 0xfe00, u16::from(self.host)].into();
                (source, [0xff02, 0, 0, 0, 0, 0, 0, 0x12].into())
            }
        };
        let message = Message {
            version: Version::V3,
            family,
            vrid,
            priority,
            interval: Interval::from_nanos(u64::try_from(self.interval.as_nanos()).context("interval")?),
            password: None,
            addresses: &addresses(family, vrid),
        };
        let mut buffer = vec![0; 128];
        let mac = [2, 0, 0, 0, 0, self.host];
        let length = frame::advertisement(mac, source, group, &message, ChecksumForm::Pseudo, &mut buffer);
        buffer.truncate(length.context("an interval, a router and an address that VRRP can say")?);
        if self.kind == Kind::Junk {
            let last = buffer.last_mut().context("a frame is not empty")?;
            *last ^= 0xff;
        }
        Ok(buffer)
    }
}

/// The addresses of a router: see `bench::routers`, which says the same in a configuration file. The last is one that
/// a client can ask for.
pub fn addresses(family: Family, vrid: u8) -> Vec<IpAddr> {
    let number = u16::from(vrid);
    match family {
        Family::V4 => vec![[198, 51, 100, vrid].into()],
        Family::V6 => {
            vec![[0xfe80, 0, 0, 0, 0, 0, 1, number].into(), [0x2001, 0xdb8, 0, 0, 0, 0, 1, number].into()]
        }
    }
}
