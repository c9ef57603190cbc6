//! Packets of protocol 112 with any payload.

use std::{
    net::{Ipv4Addr, SocketAddr},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use socket2::{Domain, Protocol, Socket, Type};

const VRRP: i32 = 112;
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
const PERIOD: Duration = Duration::from_millis(40);

/// Sends them through `eth0`, to the group unless a host is named.
pub fn send_junk(to: Option<Ipv4Addr>, ttl: u32, count: u32, hexadecimal: &str) -> Result<()> {
    let digits: String = hexadecimal.split_whitespace().collect();
    ensure!(digits.is_ascii() && digits.len().is_multiple_of(2), "{hexadecimal:?} is no sequence of bytes");
    let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
    let payload = bytes.collect::<Result<Vec<u8>, _>>().with_context(|| hexadecimal.to_owned())?;
    let socket =
        Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(VRRP))).context("opening a raw socket")?;
    socket.bind_device(Some(b"eth0")).context("binding to eth0")?;
    socket.set_multicast_ttl_v4(ttl).context("setting the TTL")?;
    socket.set_ttl_v4(ttl).context("setting the TTL of unicast")?;
    socket.set_multicast_loop_v4(false).context("turning the loop off")?;
    let to = SocketAddr::from((to.unwrap_or(GROUP), 0)).into();
    for number in 0..count {
        if number > 0 {
            thread::sleep(PERIOD);
        }
        let sent = socket.send_to(&payload, &to).context("sending")?;
        ensure!(sent == payload.len(), "only {sent} of {} bytes were sent", payload.len());
    }
    Ok(())
}
