//! How many processes there are of a kind: the process table is read at a pace. Nothing is signalled.

use std::{fs, path::Path, time::Duration};

use tokio::{sync::mpsc, time::sleep};
use vrrp_common::time::Instant;

use super::{CheckId, CheckReport, Health, schedule::SLACK};
use crate::{
    config::model::{ParameterMatch, TrackedProcess},
    sys::clock,
};

/// From one look at the process table to the next.
const PACE: Duration = Duration::from_millis(250);
/// The kernel keeps no more of a program's name.
const NAME_LIMIT: usize = 15;

/// Counts the processes for ever; returns when nobody takes reports any more.
pub(super) async fn watch(checks: Vec<(CheckId, TrackedProcess)>, reports: mpsc::Sender<CheckReport>) {
    let mut counts: Vec<Count> = checks.into_iter().map(|(id, process)| Count::new(id, process)).collect();
    let commands = counts.iter().any(|count| count.process.looks_at_command());
    loop {
        let started = clock::now();
        let table = table(Path::new("/proc"), commands);
        for count in &mut counts {
            let report = count.look(&table, started);
            if reports.send(report).await.is_err() {
                return;
            }
        }
        sleep(PACE).await;
    }
}

/// A process as the table shows it.
#[derive(Debug, PartialEq, Eq)]
struct Running {
    name: String,
    command: Vec<String>,
}

/// Every process that runs; the dead that wait to be buried do not. `commands` says whether command lines are
/// wanted.
fn table(proc: &Path, commands: bool) -> Result<Vec<Running>, String> {
    let unreadable = |error| format!("cannot read the process table: {error}");
    let entries = fs::read_dir(proc).map_err(unreadable)?;
    let processes = entries.flatten().filter(|entry| {
        entry.file_name().to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
    });
    // One that ends meanwhile is not there any more.
    Ok(processes.filter_map(|entry| running(&entry.path(), commands)).collect())
}

fn running(folder: &Path, commands: bool) -> Option<Running> {
    let stat = fs::read(folder.join("stat")).ok()?;
    let (name, state) = name_and_state(&String::from_utf8_lossy(&stat))?;
    if matches!(state, 'Z' | 'X') {
        return None;
    }
    let command = if commands { fs::read(folder.join("cmdline")).ok()? } else { Vec::new() };
    let command = command.strip_suffix(&[0]).unwrap_or(&command);
    let words = command.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    Some(Running { name, command: if command.is_empty() { Vec::new() } else { words.collect() } })
}

/// `123 (a name) S ...`: the name may hold blanks and brackets.
fn name_and_state(stat: &str) -> Option<(String, char)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    Some((name.to_owned(), after.trim_start().chars().next()?))
}

impl TrackedProcess {
    fn looks_at_command(&self) -> bool {
        self.full_command || self.matching.is_some()
    }

    fn matches(&self, running: &Running) -> bool {
        if !self.looks_at_command() {
            return running.name == cut(base(&self.program));
        }
        let Some((program, parameters)) = running.command.split_first() else { return false };
        let same = *program == self.program || base(program) == self.program;
        same && self.matching.is_none_or(|how| self.parameters_match(parameters, how))
    }

    fn parameters_match(&self, found: &[String], how: ParameterMatch) -> bool {
        let wanted = &self.parameters;
        match (how, wanted.split_last()) {
            (_, None) => found.is_empty(),
            (ParameterMatch::Exact, _) => found == wanted,
            (ParameterMatch::Partial, _) => found.starts_with(wanted),
            (ParameterMatch::Initial, Some((last, before))) => {
                found.starts_with(before) && found.get(before.len()).is_some_and(|one| one.starts_with(last))
            }
        }
    }
}

/// A program's name without its folder.
fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

fn cut(name: &str) -> &str {
    name.get(..NAME_LIMIT).unwrap_or(name)
}

/// One check: its count, and since when it has been otherwise than its health says.
struct Count {
    id: CheckId,
    process: TrackedProcess,
    health: Health,
    otherwise: Option<Instant>,
    runs: u64,
}

impl Count {
    fn new(id: CheckId, process: TrackedProcess) -> Self {
        Self { id, process, health: Health::Pending, otherwise: None, runs: 0 }
    }

    fn look(&mut self, table: &Result<Vec<Running>, String>, now: Instant) -> CheckReport {
        self.runs += 1;
        let (enough, detail) = match table {
            Ok(table) => self.count(table),
            Err(why) => (false, why.clone()),
        };
        self.health = self.settle(if enough { Health::Healthy } else { Health::Failing }, now);
        let end = clock::now();
        CheckReport {
            check: self.id.clone(),
            health: self.health,
            detail,
            valid_until: end.after(SLACK),
            runs: self.runs,
            last_duration: end.since(now),
        }
    }

    fn count(&self, table: &[Running]) -> (bool, String) {
        let found = table.iter().filter(|running| self.process.matches(running)).count();
        let process = &self.process;
        let enough = (process.quorum as usize..=process.quorum_max as usize).contains(&found);
        let wanted = match (process.quorum, process.quorum_max) {
            (fewest, u32::MAX) => format!("at least {fewest}"),
            (fewest, most) => format!("{fewest} to {most}"),
        };
        (enough, format!("{found} running, {wanted} wanted"))
    }

    /// The health that follows from what is found at `now`: a change counts when it has lasted for its delay, and
    /// the first look counts at once.
    fn settle(&mut self, found: Health, now: Instant) -> Health {
        if found == self.health || self.health == Health::Pending {
            self.otherwise = None;
            return found;
        }
        let delay = match found {
            Health::Healthy => self.process.fork_delay,
            _ => self.process.terminate_delay,
        };
        let since = *self.otherwise.get_or_insert(now);
        if now.since(since) < delay {
            return self.health;
        }
        self.otherwise = None;
        found
    }
}

#[cfg(test)]
mod tests {
    use vrrp_common::time::Interval;

    use super::*;

    fn process(program: &str, parameters: &[&str], matching: Option<ParameterMatch>) -> TrackedProcess {
        TrackedProcess {
            name: "p".into(),
            program: program.into(),
            parameters: parameters.iter().map(|one| (*one).to_owned()).collect(),
            matching,
            full_command: false,
            quorum: 1,
            quorum_max: u32::MAX,
            fork_delay: Interval::ZERO,
            terminate_delay: Interval::ZERO,
        }
    }

    fn check(process: &TrackedProcess, name: &str, command: &[&str], expected: bool) {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let running = Running { name: name.into(), command };
        assert_eq!(process.matches(&running), expected, "{process:?} {running:?}");
    }

    #[test]
    fn names_match_as_a_whole_and_as_far_as_the_kernel_keeps_them() {
        check(&process("ssh", &[], None), "ssh", &[], true);
        check(&process("ssh", &[], None), "sshd", &[], false);
        check(&process("/usr/sbin/nginx", &[], None), "nginx", &[], true);
        check(&process("a-name-that-is-longer", &[], None), "a-name-that-is-", &[], true);
    }

    #[test]
    fn parameters_match_in_three_ways() {
        use ParameterMatch::{Exact, Initial, Partial};
        let command = ["/bin/sleep", "77", "-x"];
        for (parameters, how, expected) in [
            (&["77", "-x"][..], Exact, true),
            (&["77"], Exact, false),
            (&["77"], Partial, true),
            (&["7"], Partial, false),
            (&["7"], Initial, true),
            (&["77", "-"], Initial, true),
            (&["77", "-x", "y"], Initial, false),
            (&[], Exact, false),
        ] {
            check(&process("sleep", parameters, Some(how)), "sleep", &command, expected);
        }
        check(&process("sleep", &[], Some(Partial)), "sleep", &["sleep"], true);
    }

    #[test]
    fn a_name_may_hold_anything() {
        assert_eq!(name_and_state("12 (a) b (c) S 1 2"), Some(("a) b (c".into(), 'S')));
        assert_eq!(name_and_state("12 x"), None);
    }

    #[test]
    fn this_process_is_in_the_table_and_the_dead_are_not() {
        let me = fs::read_to_string("/proc/self/comm").unwrap();
        let table = table(Path::new("/proc"), true).unwrap();
        assert!(table.iter().any(|running| running.name == me.trim_end()));
    }

    #[test]
    fn a_change_counts_when_it_has_lasted() {
        let second = |at| Instant::from_nanos(at * 1_000_000_000);
        let slow = TrackedProcess {
            fork_delay: Interval::from_secs(2),
            terminate_delay: Interval::from_secs(3),
            ..process("p", &[], None)
        };
        let mut count =
            Count::new(CheckId { kind: crate::config::model::CheckKind::Process, name: "p".into() }, slow);
        let mut seen = String::new();
        for (at, found) in "HFFFFFHFHHHH".chars().enumerate() {
            let found = if found == 'H' { Health::Healthy } else { Health::Failing };
            count.health = count.settle(found, second(at as u64));
            seen.push(if count.health == Health::Healthy { 'H' } else { 'F' });
        }
        assert_eq!(seen, "HHHHFFFFFFHH");
    }
}
