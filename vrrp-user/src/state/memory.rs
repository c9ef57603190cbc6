//! What changes seldom, in a JSON file: whose slots these are, their addresses, the checks' results, adoptions.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read},
    net::IpAddr,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::trust;
use crate::{
    config::model::{CheckKind, Routing, VirtualAddress},
    datapath::Slot,
    files,
    netlink::DesiredRouter,
};

/// Raised with every change that an older reader would misunderstand.
const VERSION: u32 = 1;
/// Differs after each start of the host; all times count from there.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What one daemon leaves to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Every router that it ran.
    pub routers: Vec<RouterMemory>,
    /// Every route and rule that it sets.
    pub routing: Vec<Routing>,
    /// What its checks said last, those that have not reported left out.
    pub checks: Vec<CheckMemory>,
    /// When daemons adopted lately, nanoseconds since the host's start.
    pub adoptions: Vec<u64>,
}

/// A router by what makes it the same one on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterMemory {
    /// Its place in maps and leases.
    pub slot: u32,
    /// Name of the interface.
    pub interface: String,
    /// 4 or 6.
    pub family: u8,
    /// 1 to 255.
    pub vrid: u8,
    /// Whether the host says that the addresses are its own (priority 255).
    pub owner: bool,
    /// The addresses that it puts on the host.
    pub addresses: Vec<PlaceMemory>,
    /// How it speaks.
    pub voice: Voice,
}

/// How a router speaks, for a daemon that has to say farewell for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    /// Whether it speaks VRRPv2, else VRRPv3.
    pub v2: bool,
    /// Advertisement_Interval in nanoseconds.
    pub interval: u64,
    /// The MAC address that it advertises with, if that is not the interface's.
    pub mac: Option<[u8; 6]>,
    /// The configured source address.
    pub source: Option<IpAddr>,
    /// Multicast group.
    pub group: IpAddr,
    /// Unicast peers; empty for multicast.
    pub peers: Vec<IpAddr>,
    /// TTL or hop limit of unicast.
    pub ttl: u8,
    /// VRRPv2 password.
    pub password: Option<[u8; 8]>,
    /// What it advertises, in that order.
    pub addresses: Vec<IpAddr>,
}

impl Memory {
    /// These routes and rules in a router's place, under the number `slot`, to be removed.
    pub fn unrouted(slot: Slot, routing: impl Iterator<Item = Routing>) -> DesiredRouter {
        DesiredRouter {
            slot,
            held: false,
            acquisitions: 0,
            owner: false,
            interface: String::new(),
            addresses: Arc::default(),
            routing: routing.collect(),
            virtual_mac: None,
        }
    }
}

impl RouterMemory {
    /// The router under the number `slot`, letting go of these of its addresses.
    pub fn released<'a>(&self, slot: Slot, places: impl Iterator<Item = &'a PlaceMemory>) -> DesiredRouter {
        DesiredRouter {
            slot,
            held: false,
            acquisitions: 0,
            owner: self.owner,
            interface: self.interface.clone(),
            addresses: places.map(VirtualAddress::from).collect(),
            routing: Arc::default(),
            virtual_mac: None,
        }
    }
}

impl From<&PlaceMemory> for VirtualAddress {
    fn from(place: &PlaceMemory) -> Self {
        Self {
            address: place.address,
            prefix: place.prefix,
            broadcast: None,
            device: Some(place.interface.clone()),
            scope: 0,
            label: None,
            detect_duplicates: false,
        }
    }
}

/// An address on the host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlaceMemory {
    /// The address.
    pub address: IpAddr,
    /// Prefix length.
    pub prefix: u8,
    /// Name of the interface.
    pub interface: String,
}

/// What a check said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckMemory {
    /// "script", "file", "process" or "interface".
    pub kind: String,
    /// Its name in the configuration, unique within its kind.
    pub name: String,
    /// "healthy" or else failing.
    pub healthy: bool,
    /// The number that a file held.
    pub value: Option<i32>,
}

impl CheckMemory {
    /// Whether it is of this check.
    pub fn is(&self, kind: CheckKind, name: &str) -> bool {
        self.kind == kind.word() && self.name == name
    }
}

/// The version first: what another one's memory looks like is not known here.
#[derive(Serialize, Deserialize)]
struct Sheet<M> {
    version: u32,
    boot: String,
    memory: M,
}

pub(super) fn recall(path: &Path) -> io::Result<Option<Memory>> {
    let mut file = match OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    trust(&file, path)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let sheet: Sheet<serde_json::Value> = serde_json::from_str(&text)?;
    if sheet.version != VERSION || sheet.boot != boot()? {
        return Ok(None);
    }
    Ok(Some(serde_json::from_value(sheet.memory)?))
}

pub(super) fn remember(path: &Path, memory: &Memory) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(&Sheet { version: VERSION, boot: boot()?, memory })?;
    let new = path.with_extension("new");
    files::replace(path, &new, &text)
}

fn boot() -> io::Result<String> {
    Ok(fs::read_to_string(BOOT_ID)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use vrrp_common::wire::Family;

    use super::*;
    use crate::config::model::{Action, Network, Range, Rule};

    fn memory() -> Memory {
        Memory {
            routers: vec![RouterMemory {
                slot: 3,
                interface: "eth0".to_owned(),
                family: 4,
                vrid: 51,
                owner: false,
                addresses: vec![PlaceMemory {
                    address: "192.0.2.100".parse().unwrap(),
                    prefix: 32,
                    interface: "eth0".to_owned(),
                }],
                voice: Voice {
                    v2: true,
                    interval: 1_000_000_000,
                    mac: Some([0, 0, 0x5e, 0, 1, 51]),
                    source: None,
                    group: "224.0.0.18".parse().unwrap(),
                    peers: vec!["192.0.2.2".parse().unwrap()],
                    ttl: 255,
                    password: Some(*b"1234\0\0\0\0"),
                    addresses: vec!["192.0.2.100".parse().unwrap()],
                },
            }],
            routing: vec![Routing::Rule(Rule {
                family: Family::V6,
                priority: 99,
                from: None,
                to: Some(Network { address: "2001:db8::".parse().unwrap(), length: 32 }),
                input: None,
                output: None,
                mark: Some((5, 0xff)),
                inverted: false,
                tos: 0x10,
                protocol: Some(17),
                source_ports: None,
                destination_ports: Some(Range { first: 53, last: 53 }),
                users: None,
                action: Action::Table(7),
                realms: None,
                suppressed_length: Some(0),
                suppressed_group: None,
            })],
            checks: vec![CheckMemory {
                kind: "script".into(),
                name: "chk_nginx".to_owned(),
                healthy: true,
                value: None,
            }],
            adoptions: vec![1_000_000_000],
        }
    }

    #[test]
    fn what_is_remembered_is_recalled() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("memory.json");
        assert_eq!(recall(&path).unwrap(), None);
        remember(&path, &Memory::default()).unwrap();
        remember(&path, &memory()).unwrap();
        assert_eq!(recall(&path).unwrap(), Some(memory()));
    }

    #[test]
    fn another_version_and_another_boot_are_nobodys_memory() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("memory.json");
        for (version, boot) in [(VERSION + 1, boot().unwrap()), (VERSION, "yesterday".to_owned())] {
            let sheet = Sheet { version, boot, memory: serde_json::json!({ "nothing": "that we know" }) };
            fs::write(&path, serde_json::to_string(&sheet).unwrap()).unwrap();
            assert_eq!(recall(&path).unwrap(), None);
        }
    }

    #[test]
    fn half_a_file_and_a_file_of_others_are_errors() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("memory.json");
        remember(&path, &memory()).unwrap();
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert!(recall(&path).is_err());
        fs::write(&path, &text).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        assert!(recall(&path).unwrap_err().to_string().contains("nobody else may write to"));
    }
}
