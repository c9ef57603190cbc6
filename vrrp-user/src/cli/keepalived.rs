//! The command line of keepalived, for init scripts and units that call us by that name.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::{ColorChoice, Command, CommandFactory as _, Parser};

use super::{Check, Run, Which};
use crate::{commands, dump::Dump};

const FILE: &str = "/etc/keepalived/keepalived.conf";

/// keepalived's options. Those without a field that is read have no effect here.
#[derive(Debug, Parser)]
#[command(name = "keepalived", disable_version_flag = true)]
#[allow(clippy::struct_excessive_bools, reason = "as many switches as keepalived has")]
struct Options {
    /// Configuration file.
    #[arg(short = 'f', long = "use-file", value_name = "FILE", default_value = FILE)]
    file: PathBuf,
    /// Lines that begin with `@ID` hold where this is ID.
    #[arg(short = 'i', long = "config-id", value_name = "ID")]
    config_id: Option<String>,
    /// Stay in the foreground.
    #[arg(short = 'n', long = "dont-fork")]
    foreground: bool,
    /// Where the process number is written.
    #[arg(short = 'p', long = "pid", value_name = "FILE", default_value = "/run/keepalived.pid")]
    pid: PathBuf,
    /// Check the configuration and end: 0 usable, 3 no such file, 4 not usable. What is wrong is written to FILE.
    #[arg(short = 't', long = "config-test", value_name = "FILE", num_args = 0..=1, require_equals = true)]
    test: Option<Option<PathBuf>>,
    /// Log to the console, as is always done here.
    #[arg(short = 'l', long = "log-console")]
    console: bool,
    /// Log details, as is always done here.
    #[arg(short = 'D', long = "log-detail")]
    detail: bool,
    /// Print the number of a signal: STOP, RELOAD, DATA, STATS, `STATS_CLEAR`, JSON or TDUMP.
    #[arg(long, value_name = "NAME")]
    signum: Option<String>,
    /// Run VRRP alone, as is always done here.
    #[arg(short = 'P', long = "vrrp")]
    vrrp: bool,
    /// Run the checkers alone: there are none here.
    #[arg(short = 'C', long = "check")]
    checkers: bool,
    /// Network namespace to run in, whatever the file says.
    #[arg(short = 's', long = "namespace", value_name = "NAME")]
    namespace: Option<String>,
    /// Print the version, in keepalived's form and to standard error as it does.
    #[arg(short = 'v', long)]
    version: bool,
    #[command(flatten)]
    unused: Unused,
}

/// Options that change nothing here.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "as many switches as keepalived has")]
struct Unused {
    #[arg(long, hide = true)]
    all: bool,
    #[arg(short = 'B', long = "no_bfd", hide = true)]
    no_bfd: bool,
    #[arg(short = 'd', long, hide = true)]
    dump_conf: bool,
    #[arg(short = 'S', long, hide = true)]
    log_facility: Option<String>,
    #[arg(short = 'g', long, num_args = 0..=1, require_equals = true, hide = true)]
    log_file: Option<Option<PathBuf>>,
    #[arg(long, num_args = 0..=1, require_equals = true, hide = true)]
    flush_log_file: Option<Option<String>>,
    #[arg(short = 'G', long, hide = true)]
    no_syslog: bool,
    #[arg(short = 'X', long, hide = true)]
    release_vips: bool,
    #[arg(short = 'V', long, hide = true)]
    dont_release_vrrp: bool,
    #[arg(short = 'I', long, hide = true)]
    dont_release_ipvs: bool,
    #[arg(short = 'R', long, hide = true)]
    dont_respawn: bool,
    #[arg(short = 'r', long = "vrrp_pid", hide = true)]
    vrrp_pid: Option<PathBuf>,
    #[arg(short = 'c', long = "checkers_pid", hide = true)]
    checkers_pid: Option<PathBuf>,
    #[arg(short = 'b', long = "bfd_pid", hide = true)]
    bfd_pid: Option<PathBuf>,
    #[arg(short = 'a', long, hide = true)]
    address_monitoring: bool,
    #[arg(short = 'e', long, hide = true)]
    all_config: bool,
    #[arg(short = 'x', long, hide = true)]
    snmp: bool,
    #[arg(short = 'A', long, hide = true)]
    snmp_agent_socket: Option<String>,
    #[arg(short = 'u', long, hide = true)]
    umask: Option<String>,
    #[arg(short = 'm', long, hide = true)]
    core_dump: bool,
    #[arg(short = 'M', long, num_args = 0..=1, require_equals = true, hide = true)]
    core_dump_pattern: Option<Option<String>>,
    #[arg(long, hide = true)]
    no_mem_check: bool,
    #[arg(long, hide = true)]
    ignore_sigint: bool,
}

/// The keepalived whose files, signals and arguments these are.
const LIKE: &str = "2.2.7";

/// The exit codes of its configuration test.
const NO_FILE: u8 = 3;
const UNUSABLE: u8 = 4;

/// Whether the program was called by keepalived's name.
pub(super) fn is_meant() -> bool {
    let program = std::env::args_os().next().map(PathBuf::from);
    program.is_some_and(|program| program.file_name().is_some_and(|name| name == "keepalived"))
}

/// Does what keepalived's command line asks for.
pub(super) fn main() -> Result<ExitCode> {
    let options = Options::parse_from(attached(std::env::args_os()));
    let style = commands::Style { color: ColorChoice::Auto, verbose: 0, quiet: false };
    if options.version {
        #[allow(
            clippy::print_stderr,
            reason = "exporters and scripts read it there, as keepalived writes it"
        )]
        {
            eprint!("{}", version());
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(name) = &options.signum {
        return signal_number(name);
    }
    if let Some(diagnostics) = &options.test {
        return test(diagnostics.as_deref(), &options, style);
    }
    if options.checkers && !options.vrrp {
        bail!("`-C` asks for the checkers of IPVS alone; there are none here");
    }
    let run = Run {
        file: Some(options.file.clone()),
        config_id: options.config_id.clone(),
        keep_going: false,
        bpf_log: false,
        namespace: options.namespace.clone(),
        which: Which::default(),
        options: None,
    };
    let command = || commands::run::run(&run, style);
    commands::background::run(&options.pid, options.foreground, command)
}

/// Programs take the second word of the first line, and decide by it which files and signals there are: it is the
/// keepalived that these are like. The rest is for people.
fn version() -> String {
    format!("Keepalived v{LIKE} (as far as VRRP goes; this is xvrrp {})\n\n", super::VERSION)
}

fn signal_number(name: &str) -> Result<ExitCode> {
    let dump = Dump::ALL.into_iter().find(|dump| dump.name() == name);
    let number = match (dump, name) {
        (Some(dump), _) => dump.signal(),
        (_, "STOP") => libc::SIGTERM,
        (_, "RELOAD") => libc::SIGHUP,
        (_, "TDUMP") => libc::SIGRTMAX(),
        _ => bail!("unknown signal {name}: STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON or TDUMP"),
    };
    commands::print(&format!("{number}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// `-tFILE` as `--config-test=FILE`, also behind other letters in one word: only `-t=FILE` would be read otherwise.
fn attached(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let options = Options::command();
    arguments.flat_map(|argument| split(&argument, &options).unwrap_or_else(|| vec![argument])).collect()
}

/// The rest of a word belongs to its first letter with a value. Where that may be left out, it follows at once.
fn split(argument: &OsStr, options: &Command) -> Option<Vec<OsString>> {
    let letters = argument.to_str()?.strip_prefix('-').filter(|letters| !letters.starts_with('-'))?;
    let valued = |letter| {
        let mut own = options.get_arguments().filter(|own| own.get_short() == Some(letter));
        own.find(|own| own.get_action().takes_values())
    };
    let (at, option) = letters.char_indices().find_map(|(at, letter)| Some((at, valued(letter)?)))?;
    let name = option.get_long().filter(|_| option.is_require_equals_set())?;
    let value = letters.get(at + 1..).filter(|value| !value.is_empty())?;
    let before = (at > 0).then(|| format!("-{}", &letters[..at]).into());
    Some(before.into_iter().chain([format!("--{name}={value}").into()]).collect())
}

fn test(diagnostics: Option<&Path>, options: &Options, style: commands::Style) -> Result<ExitCode> {
    if let Some(path) = diagnostics {
        write_errors_to(path)?;
    }
    if fs::metadata(&options.file).is_err() {
        #[allow(clippy::print_stderr, reason = "it is for the person at the terminal, or for the file")]
        {
            eprintln!("{}: there is no such file", options.file.display());
        }
        return Ok(ExitCode::from(NO_FILE));
    }
    let (file, config_id) = (Some(options.file.clone()), options.config_id.clone());
    let check = Check { file, config_id, print: false, json: false };
    let outcome = commands::check::run(&check, style).context("cannot check the configuration")?;
    Ok(if outcome == ExitCode::SUCCESS { outcome } else { ExitCode::from(UNUSABLE) })
}

/// Standard error goes to the end of a file that only its owner may read, as keepalived has it.
fn write_errors_to(path: &Path) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    let cannot = || format!("cannot write diagnostics to {}; `-f` names the configuration", path.display());
    let file = options.open(path).with_context(cannot)?;
    nix::unistd::dup2_stderr(&file).with_context(cannot)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// mehdy/keepalived-exporter splits the first line at blanks, and leaves out the `v`.
    #[test]
    fn the_version_is_found_where_exporters_look_for_it() {
        let version = version();
        let (first, _) = version.split_once('\n').unwrap();
        assert_eq!(first.split(' ').nth(1), Some("v2.2.7"));
        assert!(first.contains("xvrrp"), "{first}");
    }

    #[test]
    fn what_units_and_init_scripts_pass_is_understood() {
        Options::command().debug_assert();
        for line in [
            "keepalived --dont-fork",
            "keepalived -D",
            "keepalived -n -l -D -f /etc/k.conf -i main -p /run/k.pid",
            "keepalived -P -D -S 1",
            "keepalived -D --log-facility=1 --flush-log-file -G",
            "keepalived -nlPD --vrrp_pid /run/v.pid",
            "keepalived -t",
            "keepalived --config-test=/tmp/errors -f /etc/k.conf",
            "keepalived -g=/var/log/k.log",
        ] {
            let parsed = Options::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
        }
        let parsed = Options::try_parse_from(["keepalived", "-t", "-f", "/x"]).unwrap();
        assert_eq!((parsed.test, parsed.file), (Some(None), PathBuf::from("/x")));
    }
    #[test]
    fn values_that_may_be_left_out_follow_their_letter_at_once() {
        for (line, expected) in [
            ("keepalived -t/tmp/e -f x", "keepalived --config-test=/tmp/e -f x"),
            ("keepalived -t=e -nt", "keepalived --config-test==e -nt"),
            ("keepalived -nDtfile -gl", "keepalived -nD --config-test=file --log-file=l"),
            ("keepalived -t -ft.conf -nit", "keepalived -t -ft.conf -nit"),
            ("keepalived --signum=t t", "keepalived --signum=t t"),
        ] {
            let read = attached(line.split(' ').map(OsString::from));
            assert_eq!(read.join(OsStr::new(" ")), expected, "{line}");
        }
    }
}
