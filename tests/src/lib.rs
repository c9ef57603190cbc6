//! The Lab.
