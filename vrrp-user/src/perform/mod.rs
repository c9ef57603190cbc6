//! Effects: one file for each thing that the node does to the world. When it is done is decided elsewhere.

pub mod announce;
mod pace;
mod schedule;
pub mod transmit;

#[cfg(test)]
mod announce_tests;
#[cfg(test)]
mod transmit_tests;
