//! A Lab host from the inside: the program `lab-host` makes the namespaces and then is their process 1.
//!
//! It is driven by one JSON line a request on standard input and answers with one on standard output. The
//! end of its input is the end of the host: the kernel then kills every process of the PID namespace, and
//! with the last one all namespaces, mounts and links go. So nothing outlives the test process, however it
//! ends, and nothing about a host has a name outside of it.

mod birth;
mod serve;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use birth::{Host, enter, run_as_init};

/// The directory inside a host that the Lab keeps its files in; a tmpfs, seen by no other host.
pub const DIRECTORY: &str = "/run/lab";

/// What a host can be asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Start a program.
    Spawn(Program),
    /// Send a signal.
    Signal {
        /// Process identifier as the host sees it.
        pid: i32,
        /// Signal number.
        signal: i32,
        /// Send it to the process group, not only to the process.
        group: bool,
    },
    /// Ask whether a program that was started here still runs.
    Status {
        /// Process identifier as the host sees it.
        pid: i32,
    },
}

/// A program to start, with its own process group and no standard input.
#[derive(Debug, Serialize, Deserialize)]
pub struct Program {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Added to the environment.
    pub env: Vec<(String, String)>,
    /// File for standard output.
    pub stdout: PathBuf,
    /// File for standard error; may be the same one.
    pub stderr: PathBuf,
}

/// What a host answers.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The host is there.
    Ready {
        /// Identifier of its process 1 as the Lab sees it.
        pid: i32,
    },
    /// A program was started.
    Started {
        /// Process identifier as the host sees it.
        pid: i32,
    },
    /// The program runs.
    Running,
    /// The program has ended.
    Ended(Exit),
    /// Done as asked.
    Done,
    /// Not done, and why.
    Failed(String),
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}
