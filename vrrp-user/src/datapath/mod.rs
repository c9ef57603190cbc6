//! Where advertisements come in.

/// The node's number of a virtual router, from zero; the index of its records on every datapath.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);
