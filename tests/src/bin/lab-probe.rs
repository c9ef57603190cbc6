//! A client's view, for Lab hosts: one request, a watch of answers, a fast ping; or a neighbour's junk,
//! or what else may be on a host. Says JSON.

use std::{
    io::{Write as _, stdout},
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};
use serde::Serialize;
use vrrp_common::wire::Family;
use vrrp_tests::probe::{self, Mac, Traffic};

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
    /// Ask for an address in two ways and hear who advertises, until SIGTERM: prints everything at the end
    Observe {
        /// Whom to ask for [default: nobody]
        #[arg(long)]
        address: Option<IpAddr>,
        /// Microseconds from one question to the next
        #[arg(long, default_value_t = 1000)]
        period: u64,
    },
    /// VRRP at a steady pace until SIGTERM: prints how much left
    Send {
        #[arg(long, value_enum)]
        kind: probe::Kind,
        /// Frames a second, of all routers together
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        rate: u32,
        /// The first and the last virtual router
        #[arg(long, num_args = 2, default_values_t = [51, 51])]
        vrids: Vec<u8>,
        /// 4, 6 or both
        #[arg(long, value_delimiter = ',', default_value = "4")]
        families: Vec<u8>,
        /// Milliseconds that they say is their interval
        #[arg(long, default_value_t = 1000)]
        interval: u64,
        /// The last number of this host's addresses
        #[arg(long)]
        host: u8,
    },
    /// Echo requests to each host by its hardware address, and ARP or neighbour solicitation to all, until SIGTERM:
    /// prints who answered after the first answer and at the end
    Owners {
        address: IpAddr,
        /// The address that asks
        #[arg(long)]
        source: IpAddr,
        /// Its hardware address
        #[arg(long)]
        own: Mac,
        /// Microseconds from one round to the next
        #[arg(long, default_value_t = 1000)]
        period: u64,
        hosts: Vec<Mac>,
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
    /// A supervisor's notify socket: prints what it is told, line by line, until killed
    Supervise { socket: PathBuf },
    /// Holds one thread of a process still until killed
    Hold { process: i32, thread: String },
    /// Programs in tc that keep every packet from those behind them, until killed
    Intrude {
        interface: String,
        /// Before all that are there [default: behind them]
        #[arg(long)]
        first: bool,
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
            probe::ping(address, Duration::from_micros(period), until_terminated()?, print)
        }
        Command::Observe { address, period } => {
            let ready = || print(&"ready");
            print(&probe::observe(address, Duration::from_micros(period), until_terminated()?, ready)?)
        }
        Command::Send { kind, rate, vrids, families, interval, host } => {
            let family = |number: &u8| if *number == 6 { Family::V6 } else { Family::V4 };
            let [first, last] = vrids[..] else { bail!("--vrids takes two numbers") };
            let traffic = Traffic {
                kind,
                vrids: first..=last,
                families: families.iter().map(family).collect(),
                interval: Duration::from_millis(interval),
                host,
            };
            print(&traffic.send(rate, until_terminated()?)?)
        }
        Command::Owners { address, source, own, period, hosts } => {
            let period = Duration::from_micros(period);
            probe::owners((address, source), own, &hosts, period, until_terminated()?, print)
        }
        Command::Junk { to, ttl, count, message } => probe::send_junk(to, ttl, count, &message),
        Command::Supervise { socket } => probe::listen(&socket, say),
        Command::Hold { process, thread } => probe::hold(process, &thread, || say("held")),
        Command::Intrude { interface, first } => probe::intrude(&interface, first, || say("there")),
    }
}

/// Tells whether SIGTERM has come.
fn until_terminated() -> Result<impl FnMut() -> bool> {
    let mut terminate = SigSet::empty();
    terminate.add(Signal::SIGTERM);
    terminate.thread_block().context("blocking SIGTERM")?;
    let asked = SignalFd::with_flags(&terminate, SfdFlags::SFD_NONBLOCK).context("signalfd")?;
    Ok(move || asked.read_signal().is_ok_and(|signal| signal.is_some()))
}

fn say(line: &str) -> Result<()> {
    let mut output = stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).context("printing")
}

fn print<T: Serialize>(what: &T) -> Result<()> {
    say(&serde_json::to_string(what).context("writing JSON")?)
}
