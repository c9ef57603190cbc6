//! What the kernel programs and the daemon share: wire format, packet judgement and election.
//!
//! Nothing here can do I/O, ask for the time or allocate: the crate is `no_std` without `alloc`, so it
//! cannot name any of them. Bytes and instants come in as arguments; verdicts and actions go out.
//!
//! Data flows one way: bytes → [`judge`] → record ([`abi::Heard`]) → [`election::Input`] →
//! [`election::VirtualRouter`] → [`election::Action`] → effects (in the daemon).
#![no_std]
#![forbid(unsafe_code)]

pub mod abi;
pub mod election;
pub mod judge;
pub mod time;
pub mod wire;
