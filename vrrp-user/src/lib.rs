//! xvrrp: a VRRP node. The binary is a shell around this library, so that tests can link all of it.

pub mod config;
