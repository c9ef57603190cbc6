//! Process 1 at work: starts programs, passes on signals, reaps everything.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{BufRead as _, StdinLock, Write as _, stdin, stdout},
    os::{fd::AsFd as _, unix::process::CommandExt as _},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{SigSet, Signal, kill, killpg},
        signalfd::{SfdFlags, SignalFd},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use super::{Exit, Program, Reply, Request};

/// Programs that were started here: `None` while they run.
type Programs = HashMap<i32, Option<Exit>>;

pub(super) fn serve(pid: i32) -> Result<()> {
    let mut children = SigSet::empty();
    children.add(Signal::SIGCHLD);
    children.thread_block().context("blocking SIGCHLD")?;
    let deaths = SignalFd::with_flags(&children, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
        .context("making a signalfd")?;
    let mut requests = stdin().lock();
    let mut programs = Programs::new();
    answer(&Reply::Ready { pid })?;
    loop {
        let (asked, died) = wait(&requests, &deaths)?;
        if died {
            while deaths.read_signal().context("reading the signalfd")?.is_some() {}
            reap(&mut programs)?;
        }
        if asked && !serve_one(&mut requests, &mut programs)? {
            return Ok(());
        }
    }
}

fn wait(requests: &StdinLock<'_>, deaths: &SignalFd) -> Result<(bool, bool)> {
    let mut sources =
        [PollFd::new(requests.as_fd(), PollFlags::POLLIN), PollFd::new(deaths.as_fd(), PollFlags::POLLIN)];
    match poll(&mut sources, PollTimeout::NONE) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error).context("waiting"),
    }
    Ok((sources[0].any().unwrap_or(false), sources[1].any().unwrap_or(false)))
}

/// False when there are no more requests. The Lab sends one at a time, so none hides in the buffer.
fn serve_one(requests: &mut StdinLock<'_>, programs: &mut Programs) -> Result<bool> {
    let mut line = String::new();
    if requests.read_line(&mut line).context("reading a request")? == 0 {
        return Ok(false);
    }
    let request = serde_json::from_str(&line).with_context(|| format!("request {line:?}"))?;
    let reply = carry_out(request, programs).unwrap_or_else(|error| Reply::Failed(format!("{error:#}")));
    answer(&reply)?;
    Ok(true)
}

fn carry_out(request: Request, programs: &mut Programs) -> Result<Reply> {
    match request {
        Request::Spawn(program) => {
            let pid = start(&program)?;
            programs.insert(pid, None);
            Ok(Reply::Started { pid })
        }
        Request::Signal { pid, signal, group } => {
            let signal = Signal::try_from(signal).context("signal number")?;
            let pid = Pid::from_raw(pid);
            if group { killpg(pid, signal) } else { kill(pid, signal) }
                .with_context(|| format!("sending {signal} to {pid}"))?;
            Ok(Reply::Done)
        }
        Request::Status { pid } => Ok(match programs.get(&pid) {
            Some(Some(exit)) => Reply::Ended(*exit),
            Some(None) => Reply::Running,
            None => Reply::Failed(format!("process {pid} was not started here")),
        }),
    }
}

fn start(program: &Program) -> Result<i32> {
    let (name, arguments) = program.argv.split_first().context("no program named")?;
    let child = Command::new(name)
        .args(arguments)
        .envs(program.env.iter().map(|(key, value)| (key, value)))
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log(&program.stdout)?)
        .stderr(log(&program.stderr)?)
        .spawn()
        .with_context(|| format!("starting {name}"))?;
    Ok(child.id().cast_signed())
}

fn log(path: &Path) -> Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.with_context(|| format!("opening {}", path.display()))
}

/// Takes every death there is: a SIGCHLD may stand for many, and orphans come here too.
fn reap(programs: &mut Programs) -> Result<()> {
    loop {
        let (pid, exit) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => (pid, Exit::Code(code)),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, Exit::Signal(signal as i32)),
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(()),
            Ok(_) => continue,
            Err(error) => return Err(error).context("reaping"),
        };
        if let Some(program) = programs.get_mut(&pid.as_raw()) {
            *program = Some(exit);
        }
    }
}

fn answer(reply: &Reply) -> Result<()> {
    let mut line = serde_json::to_string(reply).context("writing a reply")?;
    line.push('\n');
    let mut output = stdout().lock();
    output.write_all(line.as_bytes()).and_then(|()| output.flush()).context("sending a reply")
}
