//! xvrrp: a VRRP node. The binary is a shell around this library, so that tests can link all of it.

pub mod config;
pub mod datapath;
pub mod netlink;
pub mod perform;
pub mod rights;
pub mod spawner;
pub mod sys;
#[cfg(test)]
mod testing;
pub mod track;
