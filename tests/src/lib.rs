//! The Lab: hosts in namespaces on one switch, the programs that run on them, and witnesses of what happened.
//!
//! Stories live in `tests/`; the node is only ever run here, never linked. Traffic is made with the project's codec.

mod attr;
pub mod bench;
pub mod conf;
pub mod demo;
pub mod init;
pub mod junk;
pub mod lab;
pub mod peers;
pub mod probe;
pub mod rights;
pub mod scenario;
pub mod story;
pub mod witness;

use std::{
    io::{Write as _, stderr},
    process::ExitCode,
};

pub use lab::{Host, Lab, Output, Process};
pub use story::{SOON, holds_for, story, wait_until, wait_until_every};

/// How a program of this crate ends: well, badly, or with a word on standard error.
pub fn exit_code(result: anyhow::Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // With nobody to read it, the exit code still tells.
            drop(writeln!(stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
