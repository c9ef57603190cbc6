//! How things are measured: processes, the kernel's programs, what a client sees.

pub(super) mod bpf;
pub(super) mod cgroup;
pub(super) mod observer;
pub(super) mod process;
