//! The election on a simulated LAN: the real state machine on two to five hosts, a simulated kernel and clock
//! for each, and a world's clock that jumps from event to event. Named stories first, then random schedules.
//!
//! After every event the promises that VRRP itself makes are checked. An *owner* is a host whose addresses
//! answer, as its kernel decides: the lease has not run out, and no better advertisement was received since it
//! was granted. Whether the daemon lives does not matter to the kernel.
//!
//! (i) **Two owners only while a beating advertisement is missing.** If X and Y are both open, then the last
//!     advertisement of one of them beats the other's standing and has not reached the other's kernel: it is
//!     under way or was lost. It was also lost if its receiver was off, not eligible or has started anew
//!     since, or if an older priority 0 of the same sender overtook it. Or the priorities changed after the
//!     last advertisement of the one that now outranks, so that the beating one is not due yet (an interval at
//!     most). The overlap ends with the delivery, not with the daemon's next wake.
//! (ii) **A successor never meets the old owner.** When S opens its addresses, no other host A is open whose
//!     daemon crashed or is stopped and whose last advertisement restarted S's timer. (S must have followed
//!     it: a router that preempts A, or one that owns the addresses and starts, does not wait for A; then (i)
//!     holds.)
//! (iii) **One owner after calm.** Calm begins when nothing is lost or disturbed any more, what had been sent
//!     before has arrived, every daemon has had its first turn since, and one whose kernel had refused
//!     packets has come to its next advertisement. From Active_Down_Interval (the longest of any router) +
//!     largest delay + largest lateness after that there is at least one owner, and two only while a better
//!     one's advertisement is under way. Only preemption, by routers that may, changes the owner from then on.
//!     At the end the owner is Active, nobody else is, and no preempting router has a higher priority.
//! (iv) **Order.** After `Timer` the deadline lies in the future. Acquire and Release take turns, Grant and
//!     Acquire come only while Active, and the addresses are closed before Release and before priority 0. Who is not eligible takes no part. Equal inputs give
//!     equal actions: every schedule is played twice.
//!
//! And **cadence**: an Active whose daemon runs never leaves more than an interval (and its lateness) between
//! two advertisements, and never sends more than three an interval, whatever it receives.
//!
//! `XVRRP_SIM_SEED=n` plays one schedule and prints what happens; `XVRRP_SIM_SCHEDULES=n` plays more of them.

mod clock;
mod host;
mod kernel;
mod lan;
mod promises;
mod random;
mod rng;
mod schedule;
mod stories;
mod trouble;
mod turn;
mod world;
