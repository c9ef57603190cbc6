//! The node end to end: the real binary on Lab hosts, real keepalived beside it, tcpdump and tshark as
//! witnesses. One binary, so that stories that mostly wait run side by side.

mod bad_input;
mod checks;
mod crash;
mod faults;
mod frr;
mod junk;
mod keepalived;
mod pair;
mod preemption;
mod scenario;
mod shutdown;
mod takeover;
