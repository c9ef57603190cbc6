//! A neighbour that sends what it should not: VRRP messages byte by byte, to the multicast group or to a host.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};

use crate::{Host, lab::binary};

/// Sends IPv4 packets with protocol 112 to 224.0.0.18, `count` of them, one every 40 ms: this TTL, and these
/// bytes in hexadecimal as their payload. Nothing is added or corrected.
pub fn send(from: &Host, ttl: u8, message: &str, count: u32) -> Result<()> {
    send_to(from, Ipv4Addr::new(224, 0, 0, 18), ttl, message, count)
}

/// As [`send`], to a host.
pub fn send_to(from: &Host, to: Ipv4Addr, ttl: u8, message: &str, count: u32) -> Result<()> {
    let probe = binary("lab-probe")?;
    let probe = probe.to_str().context("the path of lab-probe is not UTF-8")?;
    let [to, ttl, count] = [to.to_string(), ttl.to_string(), count.to_string()];
    from.check(&[probe, "junk", "--to", &to, "--ttl", &ttl, "--count", &count, message]).map(drop)
}
