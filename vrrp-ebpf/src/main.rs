//! The kernel's programs: those that hear advertisements, entries for XDP and tc over one function, and the guard. What
//! counts is decided in `vrrp_common::judge`, what follows from it in the daemon.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch, core_intrinsics)]
#![allow(internal_features, reason = "the target's atomic operations are behind them")]

mod atomic;
mod guard;
mod hear;
mod hide;
mod maps;
mod packet;
mod say;

use aya_ebpf::{
    bindings::{TC_ACT_SHOT, TC_ACT_UNSPEC, xdp_action},
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};

use crate::{
    guard::Way,
    hear::Fate,
    packet::{Context, Packet},
};

/// Ingress of a driver. Sees a frame before the kernel has looked at it, so what is for another host is told by
/// the hardware address, and a VLAN tag that the hardware took off is not seen at all.
#[xdp(frags)]
pub fn xvrrp_xdp(context: XdpContext) -> u32 {
    hear_by_xdp::<false>(&context)
}

/// The same with a log line for each advertisement, which costs microseconds.
#[xdp(frags)]
pub fn xvrrp_xdp_log(context: XdpContext) -> u32 {
    hear_by_xdp::<true>(&context)
}

#[inline(always)]
fn hear_by_xdp<const LOG: bool>(context: &XdpContext) -> u32 {
    let packet = Packet::of_xdp(context);
    // SAFETY: the context is valid for as long as the program runs.
    let ifindex = unsafe { (*context.ctx).ingress_ifindex };
    match hear::frame::<LOG>(&packet, ifindex, Context(context.ctx.cast())) {
        Fate::Pass => xdp_action::XDP_PASS,
        Fate::Drop => xdp_action::XDP_DROP,
    }
}

/// Ingress of tc, attached by tcx or clsact. "Unspecified" leaves the packet to the programs behind this one.
#[classifier]
pub fn xvrrp_tc(context: TcContext) -> i32 {
    hear_by_tc::<false>(&context)
}

/// The same with a log line for each advertisement.
#[classifier]
pub fn xvrrp_tc_log(context: TcContext) -> i32 {
    hear_by_tc::<true>(&context)
}

#[inline(always)]
fn hear_by_tc<const LOG: bool>(context: &TcContext) -> i32 {
    let Some(packet) = Packet::of_tc(context) else { return TC_ACT_UNSPEC };
    // SAFETY: the context is valid for as long as the program runs.
    let (ifindex, vlan) = unsafe { ((*context.skb.skb).ifindex, (*context.skb.skb).vlan_tci) };
    match hear::packet::<LOG>(packet, ifindex, vlan & hear::TAG, Context(context.skb.skb.cast())) {
        Fate::Pass => TC_ACT_UNSPEC,
        Fate::Drop => TC_ACT_SHOT,
    }
}

/// Ingress of every Ethernet interface.
#[classifier]
pub fn xvrrp_guard_in(context: TcContext) -> i32 {
    guard(&context, Way::In)
}

/// Egress of every Ethernet interface.
#[classifier]
pub fn xvrrp_guard_out(context: TcContext) -> i32 {
    guard(&context, Way::Out)
}

#[inline(always)]
fn guard(context: &TcContext, way: Way) -> i32 {
    if guard::passes(context, way) { TC_ACT_UNSPEC } else { TC_ACT_SHOT }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // Unreachable: the build refuses an object that could come here.
    loop {}
}

// Dual, because helpers of the kernel ask for a GPL-compatible program.
#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
