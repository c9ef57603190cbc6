//! The kernel's packet as `Bytes`: bounds that the verifier can follow. Nothing is judged here.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::generated::{bpf_loop, bpf_skb_load_bytes, bpf_xdp_load_bytes},
    programs::{TcContext, XdpContext},
};
use vrrp_common::wire::{Bytes, PROTOCOL};

use crate::hide::hide;

/// More than any offset in an advertisement; the verifier wants a bound.
const MAX_OFFSET: usize = 0x1fff;
const ETHERTYPE_IPV4: u32 = 0x0800_u16.to_be() as u32;
const ETHERTYPE_IPV6: u32 = 0x86dd_u16.to_be() as u32;
/// `PACKET_OTHERHOST` of `linux/if_packet.h`: for another host's hardware address.
const OTHERHOST: u32 = 3;

/// What the kernel called the program with.
#[derive(Clone, Copy)]
pub struct Context(pub *mut c_void);

impl Context {
    /// Copies bytes of the packet to memory that has room for them; returns whether it did. `xdp` says which of the
    /// two kinds of context it is: the verifier knows it, and looks at one helper only.
    ///
    /// # Safety
    /// `to` is valid for `length` bytes, and the context is of that kind.
    #[inline(always)]
    pub unsafe fn copy(self, xdp: bool, offset: u32, to: *mut c_void, length: u32) -> bool {
        // SAFETY: as the caller promises.
        let result = unsafe {
            if xdp {
                bpf_xdp_load_bytes(self.0.cast(), offset, to, length)
            } else {
                bpf_skb_load_bytes(self.0, offset, to, length)
            }
        };
        result == 0
    }
}

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
        if kind == OTHERHOST || Self::linear(context).byte(context, offset)? != PROTOCOL {
            return None;
        }
        if context.data_end().wrapping_sub(context.data()) < length as usize {
            // Without memory for it what is linear already is looked at; it is refused if that is not enough.
            let _ = context.pull_data(length);
        }
        Some(Self::linear(context))
    }

    #[inline(always)]
    fn linear(context: &TcContext) -> Self {
        Self { data: context.data(), end: context.data_end() }
    }

    /// One byte, wherever it is: a helper costs as much as all of the rest for a packet that is none of ours.
    #[inline(always)]
    fn byte(&self, context: &TcContext, offset: usize) -> Option<u8> {
        self.at(offset).map(|[byte]| byte).or_else(|| context.load(offset).ok())
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

    #[inline(always)]
    fn fold<const N: usize, S: Copy>(
        &self,
        start: usize,
        count: usize,
        state: S,
        step: impl Fn(S, [u8; N]) -> S,
    ) -> Option<S> {
        if count == 0 {
            // Most messages have one address, and handing over costs as much as a turn.
            return Some(state);
        }
        Fold { state, packet: *self, start, ended: 0, step }.run(count)
    }
}

/// A loop that the kernel makes (`bpf_loop`, Linux 5.17), and what it works on. In an order that keeps zeros apart: two
/// in a row are a call of `memset`, byte by byte.
#[repr(C)]
struct Fold<S, F> {
    state: S,
    packet: Packet,
    start: usize,
    /// The packet ended before the loop did.
    ended: u64,
    step: F,
}

impl<S: Copy, F> Fold<S, F> {
    #[inline(always)]
    fn run<const N: usize>(mut self, count: usize) -> Option<S>
    where
        F: Fn(S, [u8; N]) -> S,
    {
        let turn: unsafe extern "C" fn(u64, *mut Self) -> i64 = Self::turn::<N>;
        // SAFETY: `turn` takes what is handed over here, which outlives the call.
        unsafe { bpf_loop(count as u32, turn as *mut c_void, (&raw mut self).cast(), 0) };
        (self.ended == 0).then_some(self.state)
    }

    /// The piece with this number; returns 1 to end the loop.
    ///
    /// # Safety
    /// `fold` is valid.
    unsafe extern "C" fn turn<const N: usize>(index: u64, fold: *mut Self) -> i64
    where
        F: Fn(S, [u8; N]) -> S,
    {
        // SAFETY: as the caller promises.
        let fold = unsafe { &mut *fold };
        let Some(piece) = fold.packet.at(fold.start.wrapping_add((index as usize).wrapping_mul(N))) else {
            fold.ended = 1;
            return 1;
        };
        fold.state = (fold.step)(fold.state, piece);
        0
    }
}
