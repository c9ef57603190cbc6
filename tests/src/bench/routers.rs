//! The virtual routers that a node is given, as a configuration file in keepalived's language.

use std::{fmt::Write as _, net::IpAddr, ops::RangeInclusive, time::Duration};

use vrrp_common::wire::Family;

use crate::probe::addresses;

/// Both families.
pub(super) const BOTH: &[Family] = &[Family::V4, Family::V6];
/// IPv4 alone.
pub(super) const V4: &[Family] = &[Family::V4];
/// IPv6 alone.
pub(super) const V6: &[Family] = &[Family::V6];

/// Some virtual routers, all alike: VRRPv3 by multicast.
#[derive(Clone, Debug)]
pub(super) struct Routers {
    /// Their identifiers, in each family and on each interface.
    pub(super) vrids: RangeInclusive<u8>,
    /// Their families.
    pub(super) families: &'static [Family],
    /// `Advertisement_Interval`.
    pub(super) interval: Duration,
    /// Interfaces `eth0` and on.
    pub(super) interfaces: u8,
    /// Further IPv4 addresses of each router, below 250.
    pub(super) extra: u16,
    /// Whether they need [`SERVICE`], and a script looks for it every second.
    pub(super) has_service: bool,
}

/// The process that routers may need.
pub(super) const SERVICE: &str = "lab-service";

impl Routers {
    /// The one that a client asks for.
    pub(super) const fn one(interval: Duration) -> Self {
        Self { vrids: 51..=51, families: V4, interval, interfaces: 1, extra: 0, has_service: false }
    }

    /// So many in each of these families.
    pub(super) const fn many(count: u8, families: &'static [Family], interval: Duration) -> Self {
        Self { vrids: 1..=count, families, interval, interfaces: 1, extra: 0, has_service: false }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.vrids.clone().count() * self.families.len() * usize::from(self.interfaces)
    }

    /// How many addresses they have.
    pub(super) fn addresses(&self) -> usize {
        let of_family = |family: &Family| if *family == Family::V4 { 1 + usize::from(self.extra) } else { 2 };
        let of_vrid: usize = self.families.iter().map(of_family).sum();
        of_vrid * self.vrids.clone().count() * usize::from(self.interfaces)
    }

    /// Advertisements a second of all of them.
    pub(super) fn rate(&self) -> f64 {
        self.count() as f64 / self.interval.as_secs_f64()
    }

    /// The address of the first router that a client can ask for.
    pub(super) fn asked_for(&self) -> IpAddr {
        let family = self.families.first().copied().unwrap_or(Family::V4);
        let all = addresses(family, *self.vrids.start());
        *all.last().expect("a router has addresses")
    }

    /// The name of the first router.
    pub(super) fn first(&self) -> String {
        name(0, self.families.first().copied().unwrap_or(Family::V4), *self.vrids.start())
    }

    /// The file, after what `globals` says in `global_defs`.
    pub(super) fn config(&self, priority: u8, globals: &str) -> String {
        let mut text = format!("global_defs {{\n  script_user root\n{globals}}}\n");
        if self.has_service {
            text += &format!(
                "vrrp_script service {{\n  script \"/usr/bin/killall -0 {SERVICE}\"\n  interval 1\n}}\n"
            );
        }
        for interface in 0..self.interfaces {
            for family in self.families {
                for vrid in self.vrids.clone() {
                    text += &self.instance(interface, *family, vrid, priority);
                }
            }
        }
        text
    }

    fn instance(&self, interface: u8, family: Family, vrid: u8, priority: u8) -> String {
        let Self { interval, extra, .. } = self;
        let list: Vec<IpAddr> =
            if interface == 0 { addresses(family, vrid) } else { vec![[198, 18, interface, vrid].into()] };
        let mut text = format!(
            "vrrp_instance {} {{\n  state BACKUP\n  interface eth{interface}\n  virtual_router_id {vrid}\n  \
             version 3\n  priority {priority}\n  advert_int {}\n  virtual_ipaddress {{\n",
            name(interface, family, vrid),
            interval.as_secs_f64(),
        );
        let more = (1..=*extra).map(|number| IpAddr::from([198, 19, vrid, number as u8]));
        for address in list.into_iter().chain(more) {
            let written = writeln!(text, "    {address}");
            debug_assert!(written.is_ok(), "a String takes all text");
        }
        let tracks = if self.has_service { "  track_script {\n    service\n  }\n" } else { "" };
        text + "  }\n" + tracks + "}\n"
    }
}

fn name(interface: u8, family: Family, vrid: u8) -> String {
    format!("VI_{interface}_{}_{vrid}", family as u8)
}
