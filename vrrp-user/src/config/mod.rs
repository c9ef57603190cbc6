//! keepalived.conf and the command line, read into one effective [`model::Configuration`].

pub mod model;
