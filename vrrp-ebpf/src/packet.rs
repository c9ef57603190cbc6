//! The kernel's packet as `Bytes`: bounds that the verifier can follow. Nothing is judged here.

use aya_ebpf::programs::{TcContext, XdpContext};
use vrrp_common::wire::{Bytes, PROTOCOL};

use crate::hide::hide;

/// More than any offset in an advertisement; the verifier wants a bound.
const MAX_OFFSET: usize = 0x1fff;
const ETHERTYPE_IPV4: u32 = 0x0800_u16.to_be() as u32;
const ETHERTYPE_IPV6: u32 = 0x86dd_u16.to_be() as u32;
/// `PACKET_OTHERHOST` of `linux/if_packet.h`: for another host's hardware address.
const OTHERHOST: u32 = 3;

/// The linear part of a packet.
#[derive(Clone, Copy)]
pub struct Packet {
    data: usize,
    end: usize,
}

impl Packet {
    #[inline(always)]
    pub fn of_xdp(context: &XdpContext) -> Self {
        Self { data: context.data(), end: context.data_end() }
    }

    /// A packet of protocol 112 for this host, the whole of it made linear first: drivers put payload elsewhere.
    /// Everything else costs no more than a look at its headers.
    #[inline(always)]
    pub fn of_tc(context: &TcContext) -> Option<Self> {
        // SAFETY: the context is valid for as long as the program runs.
        let (protocol, kind, length) = unsafe {
            let skb = context.skb.skb;
            ((*skb).protocol, (*skb).pkt_type, (*skb).len)
        };
        let offset = match protocol {
            ETHERTYPE_IPV4 => 14 + 9,
            ETHERTYPE_IPV6 => 14 + 6,
            _ => return None,
        };
        if kind == OTHERHOST || context.load::<u8>(offset) != Ok(PROTOCOL) {
            return None;
        }
        // Without memory for it what is linear already is looked at; it is refused if that is not enough.
        let _ = context.pull_data(length);
        Some(Self { data: context.data(), end: context.data_end() })
    }
}

impl Bytes for Packet {
    /// See the trait for why it is inlined, bounded and hidden.
    #[inline(always)]
    fn at<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let offset = hide(offset);
        if offset > MAX_OFFSET {
            return None;
        }
        let start = self.data.wrapping_add(offset);
        if start.wrapping_add(N) > hide(self.end) {
            return None;
        }
        // SAFETY: the N bytes from `start` lie before the packet's end.
        Some(unsafe { (start as *const [u8; N]).read_unaligned() })
    }
}
