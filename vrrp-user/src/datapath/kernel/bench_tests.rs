//! A bench for the programs: one router, frames of our making, and the kernel that runs them (`BPF_PROG_TEST_RUN`).
//! Nothing is asserted here.

use aya::programs::{TestRun, TestRunOptions};
use bytemuck::Zeroable;
use nix::unistd::geteuid;
use vrrp_common::{
    abi::Standing,
    wire::{ChecksumForm, Family, Message, Version, frame},
};

use super::*;
use crate::config::model::{Network, Receive, UnicastPeer};

pub(super) const SLOT: u32 = 3;
pub(super) const VRID: u8 = 51;
/// The interface that the kernel runs them on: the namespace's own.
pub(super) const LOOPBACK: u32 = 1;

/// What the programs return: `XDP_PASS`, `XDP_DROP`; `TC_ACT_UNSPEC`, `TC_ACT_SHOT`.
pub(super) const PASS: [u32; 2] = [2, u32::MAX];
pub(super) const DROP: [u32; 2] = [1, 2];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Xdp,
    Tc,
}

/// The loaded programs with one router; its record and counters in plain memory beside them.
pub(super) struct Bench {
    pub(super) object: Object,
    pub(super) view: RouterView,
    family: Family,
}

impl Bench {
    /// None, loudly, without the rights to load programs.
    pub(super) fn new() -> Option<Self> {
        Self::load(false)
    }

    /// With programs that log, if wished for.
    pub(super) fn load(logs: bool) -> Option<Self> {
        if !geteuid().is_root() {
            let required =
                |name: &str| std::env::var(name).is_ok_and(|value| value == "true" || value == "1");
            assert!(
                !required("CI") && !required("XVRRP_REQUIRE_LAB"),
                "this test needs root rights to load BPF"
            );
            crate::testing::say("SKIPPED, needs root rights to load BPF");
            return None;
        }
        let mut bench = Self {
            object: Object::load(None, Owner::default(), logs).unwrap(),
            view: RouterView::zeroed(),
            family: Family::V4,
        };
        let station: [u8; 8] = bytemuck::cast(Station { mac: [0; 6], reserved: 0 });
        bench.object.stations.insert(LOOPBACK, station, 0).unwrap();
        bench.object.strangers.insert(LOOPBACK, object::nothing().unwrap(), 0).unwrap();
        bench.object.xdp().unwrap();
        bench.object.tc().unwrap();
        Some(bench)
    }

    /// A router that has heard nothing and is judged by `view`.
    pub(super) fn reset(&mut self, family: Family, view: RouterView) {
        let key = |family: Family| RouterKey { ifindex: LOOPBACK, vlan: 0, family: family as u8, vrid: VRID };
        self.object.shortcuts.vacate(&key(self.family));
        let _ = self.object.routers.remove(&bytemuck::cast::<_, [u8; 8]>(key(self.family)));
        self.object.routers.insert(bytemuck::cast::<_, [u8; 8]>(key(family)), SLOT, 0).unwrap();
        self.object.shortcuts.take(&key(family), Slot(SLOT));
        self.object.enter_view(Slot(SLOT), view);
        self.object.heard.write(SLOT, &Record::default());
        self.object.counts.set(SLOT, object::nothing().unwrap(), 0).unwrap();
        self.object.strangers.insert(LOOPBACK, object::nothing().unwrap(), 0).unwrap();
        (self.family, self.view) = (family, view);
    }

    /// Enters unicast peers, allowed with a TTL of 254 and 255, and the networks of `accept_from`.
    pub(super) fn listen(&mut self, peers: &[IpAddr], networks: &[Network]) {
        let peer = |address: &IpAddr| UnicastPeer { address: *address, min_ttl: 254, max_ttl: 255 };
        let binding = Binding {
            slot: Slot(SLOT),
            interface: LOOPBACK,
            vrid: VRID,
            family: self.family,
            group: ip("224.0.0.18"),
            view: self.view,
            peers: peers.iter().map(peer).collect(),
            accept_from: networks.to_vec(),
            receive: Receive::default(),
        };
        Listens::default().enter(&mut self.object, &binding).unwrap();
    }

    pub(super) fn run(&mut self, program: Program, frame: &[u8]) -> u32 {
        let options = TestRunOptions { data_in: Some(frame), ..TestRunOptions::default() };
        let result = match program {
            Program::Xdp => self.object.xdp().unwrap().test_run(options),
            Program::Tc => self.object.tc().unwrap().test_run(options),
        };
        result.unwrap_or_else(|error| panic!("{program:?} on {frame:02x?}: {error}")).return_value
    }

    pub(super) fn heard(&self) -> Heard {
        self.object.heard.heard(SLOT)
    }

    /// Counted for the router, and for nobody.
    pub(super) fn counted(&self) -> [Counters; 2] {
        let mut own = object::sum(&self.object.counts.get(&SLOT, 0).unwrap());
        own.accept(&self.heard());
        [own, object::sum(&self.object.strangers.get(&LOOPBACK, 0).unwrap())]
    }

    pub(super) fn events(&mut self) -> Vec<u32> {
        let mut slots = Vec::new();
        while let Some(item) = self.object.events.next() {
            slots.push(bytemuck::pod_read_unaligned::<Event>(&item).slot);
        }
        slots
    }
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A router and who advertises to it.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) family: Family,
    pub(super) version: Version,
    pub(super) source: IpAddr,
    pub(super) group: IpAddr,
    pub(super) view: RouterView,
}

impl Scene {
    pub(super) fn v4(version: Version) -> Self {
        let group = ip("224.0.0.18");
        let v2 = version == Version::V2;
        let view = RouterView {
            standing: Standing::new(100, false, true, false),
            source: ip("192.0.2.2").into(),
            group: group.into(),
            digest: 0,
            password: if v2 { *b"secret\0\0" } else { [0; 8] },
            interval: if v2 { 1_000_000_000 } else { 0 },
            version: version as u8,
            auth_type: u8::from(v2),
            serial: 0,
            flags: 0,
        };
        Self { family: Family::V4, version, source: ip("192.0.2.1"), group, view }
    }

    pub(super) fn v6() -> Self {
        let group = ip("ff02::12");
        let view =
            RouterView { source: ip("fe80::2").into(), group: group.into(), ..Self::v4(Version::V3).view };
        Self { family: Family::V6, version: Version::V3, source: ip("fe80::1"), group, view }
    }

    pub(super) fn flagged(mut self, flags: u16) -> Self {
        self.view.flags = flags;
        self
    }

    pub(super) fn listed(&self) -> Vec<IpAddr> {
        match self.family {
            Family::V4 => vec![ip("192.0.2.10")],
            Family::V6 => vec![ip("fe80::10"), ip("2001:db8::10")],
        }
    }

    pub(super) fn frame(&self) -> Vec<u8> {
        self.frame_of(&self.listed())
    }

    pub(super) fn frame_of(&self, addresses: &[IpAddr]) -> Vec<u8> {
        let message = Message {
            version: self.version,
            vrid: VRID,
            priority: 150,
            interval: Interval::from_secs(1),
            family: self.family,
            password: (self.version == Version::V2).then_some(*b"secret\0\0"),
            addresses,
        };
        let mut buffer = vec![0; 4200];
        let form = if self.version == Version::V2 { ChecksumForm::Message } else { ChecksumForm::Pseudo };
        let length =
            frame::advertisement([2, 0, 0, 0, 0, 1], self.source, self.group, &message, form, &mut buffer);
        buffer.truncate(length.unwrap());
        buffer
    }

    /// Where the message begins.
    pub(super) fn offset(&self) -> usize {
        if self.family == Family::V4 { 34 } else { 54 }
    }
}

pub(super) type Change<'a> = dyn Fn(&mut Vec<u8>) + 'a;

pub(super) fn set(at: usize, bytes: &[u8]) -> impl Fn(&mut Vec<u8>) + 'static {
    let bytes = bytes.to_vec();
    move |frame| frame[at..at + bytes.len()].copy_from_slice(&bytes)
}

/// Changes a word of the message and its checksum with it (RFC 1624 §3).
pub(super) fn mended(scene: &Scene, at: usize, bytes: [u8; 2]) -> impl Fn(&mut Vec<u8>) + 'static {
    let offset = scene.offset();
    move |frame| {
        let word = |frame: &[u8], at: usize| u32::from(frame[at]) << 8 | u32::from(frame[at + 1]);
        let old = word(frame, offset + at);
        frame[offset + at..offset + at + 2].copy_from_slice(&bytes);
        let sum = (!word(frame, offset + 6) & 0xffff) + (!old & 0xffff) + word(frame, offset + at);
        let sum = (sum & 0xffff) + (sum >> 16);
        let sum = !((sum & 0xffff) + (sum >> 16));
        frame[offset + 6..offset + 8].copy_from_slice(&(sum as u16).to_be_bytes());
    }
}

/// An advertisement of another priority.
pub(super) fn mended_frame(scene: &Scene, priority: u8) -> Vec<u8> {
    let mut frame = scene.frame();
    let count = frame[scene.offset() + 3];
    mended(scene, 2, [priority, count])(&mut frame);
    frame
}
