//! How the node runs, besides what its routers do.

use vrrp_common::time::Interval;

/// When the routers start, and how the threads that keep time are scheduled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// `vrrp_startup_delay`: from the start of the node to that of its routers.
    pub start_delay: Interval,
    /// `vrrp_delay_after_boot`: from the start of the host to that of the routers.
    pub boot_delay: Interval,
    /// `vrrp_rt_priority`, 1 to 99; the daemon's own choice if absent.
    pub realtime: Option<u8>,
    /// `vrrp_priority`, -20 to 19: the nice value where there is no real-time priority.
    pub nice: Option<i8>,
    /// `vrrp_cpu_affinity`, numbers from 0; all CPUs if empty.
    pub cpus: Vec<usize>,
}
