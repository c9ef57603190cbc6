//! The node end to end: the real binary on Lab hosts, real keepalived beside it, tcpdump and tshark as
//! witnesses. One binary, so that stories that mostly wait run side by side.

mod accept_from;
mod adopt;
mod bad_input;
mod checks;
mod checksum;
mod crash;
mod doctor;
mod events;
mod excluded;
mod faults;
mod flood;
mod frr;
mod guard;
mod guard_faults;
mod heard;
mod junk;
mod keepalived;
mod many;
mod namespace;
mod owners;
mod pair;
mod pins;
mod preemption;
mod routing;
mod scenario;
mod shutdown;
mod startup;
mod supervised;
mod takeover;
mod unicast;
mod virtual_mac;
mod wakes;
