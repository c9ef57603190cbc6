//! Somebody else's programs in tc: they end the way of every packet through it, as other agents' programs do with theirs.

use std::os::fd::OwnedFd;

use anyhow::{Context as _, Result};
use nix::{net::if_::if_nametoindex, unistd::pause};

use crate::attr::{self, Attr};

const LINK_CREATE: u32 = 28;
const TCX_INGRESS: u32 = 46;
const TCX_EGRESS: u32 = 47;
/// `BPF_F_BEFORE` and `BPF_F_AFTER`: of all that are there.
const FIRST: u32 = 1 << 3;
const LAST: u32 = 1 << 4;
/// `TCX_PASS`: the packet goes on, and no other program sees it.
const PASS: i32 = 0;

/// Attaches one at ingress and one at egress of an interface, before all others or behind them, until killed; says so
/// when they are there.
pub fn intrude(interface: &str, first: bool, say: impl FnOnce() -> Result<()>) -> Result<()> {
    let ifindex = if_nametoindex(interface).with_context(|| interface.to_owned())?;
    let order = if first { FIRST } else { LAST };
    let attached = [TCX_INGRESS, TCX_EGRESS].map(|hook| -> Result<OwnedFd> {
        let program = attr::program(attr::TC, PASS)?;
        let link = Attr::default().fd(0, &program).word(4, ifindex).word(8, hook).word(12, order);
        link.open(LINK_CREATE).context("attaching a program in tc")
    });
    let _links = attached.into_iter().collect::<Result<Vec<_>>>()?;
    say()?;
    pause();
    Ok(())
}
