//! Classic BPF programs for our sockets. They only thin out what wakes us; what counts is decided elsewhere.

use socket2::SockFilter;
use vrrp_common::wire::{self, Family};

const LOAD_WORD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const LOAD_HALF: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_ABS;
const LOAD_BYTE: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
const JUMP_IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const JUMP_IF_AT_LEAST: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;

const PACKET_TYPE: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE).cast_unsigned();
const INTERFACE: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_IFINDEX).cast_unsigned();
const ETHERTYPE: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PROTOCOL).cast_unsigned();
const VLAN_TAG: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_VLAN_TAG).cast_unsigned();
/// Of a tag, the number of the VLAN; zero is no VLAN but only a priority.
const VLAN_NUMBER: u32 = 0x0fff;
const WHOLE_PACKET: u32 = u32::MAX;

/// Passes packets of IP protocol 112 that the host received itself on the interface `ifindex`.
///
/// Not ours: what a switch flooded to another host (`PACKET_OTHERHOST`), what this host sent or looped back to
/// itself (the packet types above it), and what belongs to a VLAN. The socket sees all protocols of the interface.
pub(super) fn advertisements(ifindex: u32, family: Family, ethertype: u16) -> [SockFilter; 13] {
    // RFC 791 §3.1: Protocol is byte 9; RFC 8200 §3: Next Header is byte 6. Extension headers are not looked
    // through: an advertisement has none.
    let protocol = match family {
        Family::V4 => 9,
        Family::V6 => 6,
    };
    let protocol = (libc::SKF_NET_OFF + protocol).cast_unsigned();
    [
        statement(LOAD_HALF, ETHERTYPE),
        jump(JUMP_IF_EQUAL, ethertype.into(), 0, 10),
        statement(LOAD_WORD, PACKET_TYPE),
        jump(JUMP_IF_AT_LEAST, libc::PACKET_OTHERHOST.into(), 8, 0),
        statement(LOAD_WORD, INTERFACE),
        jump(JUMP_IF_EQUAL, ifindex, 0, 6),
        statement(LOAD_HALF, VLAN_TAG),
        statement(AND, VLAN_NUMBER),
        jump(JUMP_IF_EQUAL, 0, 0, 3),
        statement(LOAD_BYTE, protocol),
        jump(JUMP_IF_EQUAL, wire::PROTOCOL.into(), 0, 1),
        statement(RETURN, WHOLE_PACKET),
        statement(RETURN, 0),
    ]
}

/// Passes nothing: for sockets that only send, or only hold a membership, so that no queue ever fills.
pub(super) fn nothing() -> [SockFilter; 1] {
    [statement(RETURN, 0)]
}

fn statement(code: u32, operand: u32) -> SockFilter {
    jump(code, operand, 0, 0)
}

fn jump(code: u32, operand: u32, if_true: u8, if_false: u8) -> SockFilter {
    // Operation codes of classic BPF are 16 bits wide (struct sock_filter).
    SockFilter::new(code as u16, if_true, if_false, operand)
}
