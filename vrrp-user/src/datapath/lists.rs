//! The address lists that one router's peers were heard with, as far as they are not its own. Read by the one full
//! decoder from messages that were judged valid; nothing is decided by them.

use std::net::IpAddr;

use vrrp_common::{
    abi::{Address, SENDERS},
    judge::digest,
    wire::{Advertisement, Family},
};

/// The last such list of each of a few senders.
#[derive(Debug, Default)]
pub(super) struct Lists(Vec<List>);

#[derive(Debug)]
struct List {
    sender: Address,
    digest: u64,
    addresses: Vec<IpAddr>,
}

impl Lists {
    /// Notes what a message lists, if that is not what `own` is the digest of. Beyond [`SENDERS`] whoever was noted
    /// first is forgotten.
    pub(super) fn note(&mut self, sender: Address, message: &[u8], family: Family, own: u64) {
        let Ok(advertisement) = Advertisement::parse(message, family) else { return };
        self.0.retain(|list| list.sender != sender);
        let digest = digest(advertisement.addresses().map(Address::from));
        if digest == own {
            return;
        }
        if self.0.len() == SENDERS {
            self.0.remove(0);
        }
        self.0.push(List { sender, digest, addresses: advertisement.addresses().collect() });
    }

    /// The list of a sender, if it is the one with this digest.
    pub(super) fn of(&self, sender: Address, digest: u64) -> Option<&[IpAddr]> {
        let list = self.0.iter().find(|list| (list.sender, list.digest) == (sender, digest))?;
        Some(&list.addresses)
    }
}
