//! xvrrp: a VRRP node. The binary is a shell around this library, so that tests can link all of it.
//!
//! Three threads: *protocol* ([`node`]: timers, packets, elections, transmission), *address* ([`netlink`]) and
//! *service* ([`service`]: checks, control socket, signals); scripts run in a process of their own
//! ([`spawner`]). The protocol thread waits for none of them.

pub mod acceptance;
pub mod cli;
pub mod commands;
pub mod config;
pub mod control;
pub mod daemon;
pub mod datapath;
pub mod doctor;
pub mod dump;
pub mod files;
pub mod guard;
pub mod identity;
pub mod logs;
mod namespace;
pub mod netlink;
pub mod node;
pub mod notify;
pub mod perform;
pub mod pins;
pub mod rights;
pub mod service;
pub mod spawner;
pub mod state;
pub mod status;
pub mod supervise;
pub mod sys;
#[cfg(test)]
mod testing;
pub mod track;
pub mod undo;
pub mod worker;
