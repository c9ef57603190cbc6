//! A client's view, for Lab hosts: one request, a watch of answers, a fast ping; or a neighbour's junk. Says JSON.

use std::{
    io::{Write as _, stdout},
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};
use serde::Serialize;
use vrrp_tests::probe;

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One HTTP request: prints the answer, or why there was none
    Get { address: IpAddr },
    /// HTTP requests until killed: prints each change of outcome
    Watch {
        address: IpAddr,
        /// Milliseconds from one request to the next
        #[arg(long, default_value_t = 20)]
        period: u64,
        /// Milliseconds until a request has failed
        #[arg(long, default_value_t = 80)]
        timeout: u64,
    },
    /// ICMP echo until SIGTERM: prints what was seen after the first answer and at the end
    Ping {
        address: IpAddr,
        /// Microseconds from one probe to the next
        #[arg(long, default_value_t = 1000)]
        period: u64,
    },
    /// VRRP packets with any payload, one every 40 ms
    Junk {
        /// A host [default: the multicast group]
        #[arg(long)]
        to: Option<Ipv4Addr>,
        #[arg(long)]
        ttl: u32,
        #[arg(long)]
        count: u32,
        /// The payload in hexadecimal, with or without blanks
        message: String,
    },
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Get { address } => {
            let (Ok(text) | Err(text)) = probe::answer(address, Duration::from_millis(500));
            writeln!(stdout(), "{text}").context("printing")
        }
        Command::Watch { address, period, timeout } => {
            probe::watch(address, Duration::from_millis(period), Duration::from_millis(timeout), print)
        }
        Command::Ping { address, period } => {
            let mut terminate = SigSet::empty();
            terminate.add(Signal::SIGTERM);
            terminate.thread_block().context("blocking SIGTERM")?;
            let asked = SignalFd::with_flags(&terminate, SfdFlags::SFD_NONBLOCK).context("signalfd")?;
            let stop = || asked.read_signal().is_ok_and(|signal| signal.is_some());
            probe::ping(address, Duration::from_micros(period), stop, print)
        }
        Command::Junk { to, ttl, count, message } => probe::send_junk(to, ttl, count, &message),
    }
}

fn print<T: Serialize>(what: &T) -> Result<()> {
    let text = serde_json::to_string(what).context("writing JSON")?;
    let mut output = stdout().lock();
    writeln!(output, "{text}").and_then(|()| output.flush()).context("printing")
}
