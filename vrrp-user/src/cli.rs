//! The command line: what can be typed, and which command it starts. No command's work is done here.

mod keepalived;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{ArgAction, Args, ColorChoice, Parser, Subcommand};

use crate::{commands, config::Options, identity::InstanceName, state};

const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("XVRRP_COMMIT"),
    ", kernel object ",
    env!("XVRRP_OBJECT_ID"),
    ")"
);

/// A VRRP node: two or more hosts share an address, exactly one owns it.
#[derive(Debug, Parser)]
#[command(name = "xvrrp", version = VERSION, max_term_width = 100)]
pub struct Cli {
    /// Say more (repeat for even more).
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Say only what went wrong.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the node in the foreground until SIGTERM or SIGINT.
    Run(Box<Run>),
    /// Read a configuration file and report everything that is wrong with it (exit code 3 if unusable).
    Check(Check),
    /// Show what a running node knows and why it did what it did.
    Status(Status),
    /// Look whether this host can run a node well, and in which way (exit code 1 if there is a problem).
    Doctor(Doctor),
    /// Show what happened lately: transitions and refused packets, with who, why and how many.
    Events(Status),
    /// End a running node: it resigns, and nothing of it stays.
    Stop(Stop),
    /// Remove every trace of a node that was killed: addresses, programs, maps, files.
    Cleanup(Cleanup),
    /// Let the running node read its configuration again; a file that cannot be used changes nothing (exit
    /// code 3). A node that runs with --keep-going goes on as before with the routers that have errors, and only
    /// with those (exit code 4).
    Reload(Reload),
    /// Give the addresses of a virtual router or group away: it resigns and stands behind every other router.
    StepDown(Order),
    /// Take the addresses of a virtual router or group to this host, before every other router.
    Take(Order),
}

/// Which of the nodes of this network namespace is meant.
#[derive(Debug, Default, Args)]
pub struct Which {
    /// The node's name: nodes that run beside each other need different ones.
    #[arg(long, value_name = "NAME", default_value = InstanceName::DEFAULT)]
    pub instance: InstanceName,
    /// The node's Unix socket [default: /run/xvrrp/control.sock, or NAME.sock there].
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
}

impl Which {
    /// The node's Unix socket.
    pub fn control(&self) -> PathBuf {
        let name = match self.instance.as_str() {
            InstanceName::DEFAULT => "control",
            other => other,
        };
        let usual = || Path::new(state::DIRECTORY).join(name).with_extension("sock");
        self.control.clone().unwrap_or_else(usual)
    }
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Configuration file [default: /etc/xvrrp/xvrrp.conf, else /etc/keepalived/keepalived.conf].
    #[arg(short = 'f', long = "file", value_name = "FILE", conflicts_with = "Options")]
    pub file: Option<PathBuf>,
    /// Lines that begin with `@ID` hold where this is ID [default: the host's short name].
    #[arg(short = 'i', long, value_name = "ID")]
    pub config_id: Option<String>,
    /// Run the virtual routers that can work when others have errors. On a reload the others go on as before.
    #[arg(long)]
    pub keep_going: bool,
    /// Log every advertisement that the kernel's programs judge, and why it does not count. Costs microseconds each.
    #[arg(long)]
    pub bpf_log: bool,
    /// The network namespace to run in, whatever the file says; keepalived's command line has an option for it.
    #[arg(skip)]
    pub namespace: Option<String>,
    /// Which node this is.
    #[command(flatten)]
    pub which: Which,
    /// The router's settings, when there is no file.
    #[command(flatten)]
    pub options: Option<Options>,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Configuration file [default: as for `run`].
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Lines that begin with `@ID` hold where this is ID [default: the host's short name].
    #[arg(short = 'i', long, value_name = "ID")]
    pub config_id: Option<String>,
    /// Print the effective configuration: every value, default or not, and where it comes from.
    #[arg(long)]
    pub print: bool,
    /// Print diagnostics and effective configuration as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Interfaces to look at [default: every Ethernet interface that is up].
    #[arg(value_name = "IFACE")]
    pub interfaces: Vec<String>,
    /// Print JSON, the stable form for programs.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `status` and of `events`.
#[derive(Debug, Args)]
pub struct Status {
    /// Print JSON, the stable form for programs.
    #[arg(long)]
    pub json: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub which: Which,
}

/// Arguments of `cleanup`.
#[derive(Debug, Args)]
pub struct Cleanup {
    /// After whom to clean up.
    #[command(flatten)]
    pub which: Which,
}

/// Arguments of `stop`.
#[derive(Debug, Args)]
pub struct Stop {
    /// Leave addresses and leases to the next node, as for an upgrade: if that starts within the lease (about three
    /// advertisement intervals), nobody notices.
    #[arg(long)]
    pub keep: bool,
    /// Whom to end.
    #[command(flatten)]
    pub which: Which,
}

/// Arguments of `reload`.
#[derive(Debug, Args)]
pub struct Reload {
    /// Whom to tell.
    #[command(flatten)]
    pub which: Which,
}

/// Arguments of `step-down` and of `take`.
#[derive(Debug, Args)]
pub struct Order {
    /// The virtual router or the group.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// How long it holds, such as 90s, 10m or 1h [default: until another order or a restart].
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    pub seconds: Option<u64>,
    /// Whom to tell.
    #[command(flatten)]
    pub which: Which,
}

/// A time in whole seconds, minutes or hours.
fn seconds(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => 0,
    };
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    seconds.filter(|seconds| *seconds > 0).ok_or_else(|| "write 90s, 10m or 1h".to_owned())
}

/// Parses the command line, runs the command, and prints an error once with all its causes.
pub fn main() -> ExitCode {
    if keepalived::is_meant() {
        return keepalived::main().unwrap_or_else(|error| failed(&error));
    }
    let cli = Cli::parse();
    let style = commands::Style { color: cli.color, verbose: cli.verbose, quiet: cli.quiet };
    let outcome = match &cli.command {
        Command::Run(arguments) => commands::run::run(arguments, style),
        Command::Check(arguments) => commands::check::run(arguments, style),
        Command::Status(arguments) => commands::status::run(arguments, style),
        Command::Doctor(arguments) => commands::doctor::run(arguments, style),
        Command::Events(arguments) => commands::events::run(arguments, style),
        Command::Stop(arguments) => commands::stop::run(arguments),
        Command::Cleanup(arguments) => commands::cleanup::run(arguments, style),
        Command::Reload(arguments) => commands::reload::run(arguments, style),
        Command::StepDown(arguments) => commands::order::step_down(arguments, style),
        Command::Take(arguments) => commands::order::take(arguments, style),
    };
    outcome.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    #[allow(clippy::print_stderr, reason = "the one place where a failed command says why")]
    {
        eprintln!("xvrrp: {error:#}");
    }
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_have_units() {
        for (text, expected) in [
            ("90", Some(90)),
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("1h", Some(3600)),
            ("0s", None),
            ("m", None),
            ("1d", None),
            ("-1m", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(seconds(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_file_and_a_file_less_router_exclude_each_other() {
        let typed =
            ["xvrrp", "run", "-f", "x.conf", "--interface", "eth0", "--vrid", "51", "--vip", "192.0.2.1/24"];
        let error = Cli::try_parse_from(typed).unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::ArgumentConflict);
    }
}
