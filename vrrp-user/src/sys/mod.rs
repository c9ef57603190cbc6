//! The system calls that need `unsafe`, and the clock. Nothing here decides anything.

pub mod clock;
pub mod process;
pub mod watch;
