//! Starting one program: a process group of its own, the rights of its user, nothing inherited.

use std::{
    ffi::CString,
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsFd, BorrowedFd},
};

use nix::{
    errno::Errno,
    fcntl::OFlag,
    sys::{
        prctl::set_pdeathsig,
        signal::{SigSet, Signal},
    },
    unistd::{self, Gid, Pid, Uid},
};

use super::message::Request;
use crate::sys::process::fork_child;

/// The exit status of a child that could not become the program; the reason is in its pipe.
const NOT_RUN: i32 = 127;

/// As much of a reason as is passed on; a name in it may be of any length.
const COMPLAINT_BYTES: u64 = 4096;

/// A started program, or what could not become one.
#[derive(Debug)]
pub(super) struct Launched {
    /// The leader of the run's process group, which has the same number.
    pub(super) pid: Pid,
    complaint: File,
}

impl Launched {
    /// Why the program did not start, if it did not. Only for a process that has ended: the answer of one
    /// that hangs before `exec` (a program on a dead NFS server) is not to be waited for.
    pub(super) fn complaint(&mut self) -> Option<String> {
        let mut text = Vec::new();
        match Read::take(&self.complaint, COMPLAINT_BYTES).read_to_end(&mut text) {
            Ok(0) => None,
            Ok(_) => Some(String::from_utf8_lossy(&text).into_owned()),
            Err(error) => Some(format!("cannot tell whether it ran: {error}")),
        }
    }
}

/// Forks a child that becomes the program; `null` is where its standard streams go.
///
/// # Errors
///
/// If there can be no child. What goes wrong in the child is told by [`Launched::complaint`].
pub(super) fn launch(request: &Request, null: BorrowedFd<'_>) -> io::Result<Launched> {
    // Non-blocking: see `complaint`. Close-on-exec: its closing is what says that the program runs.
    let (complaint, child_end) = unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    let spawner = unistd::getpid();
    let pid = fork_child(|| {
        let why = become_program(request, null, spawner);
        // An error: the pipe is full of an absurdly long name, or nobody reads any more.
        let _ = File::from(child_end).write_all(why.as_bytes());
        NOT_RUN
    })?;
    // The child does it too: whoever comes first, no signal to the group can miss it. It fails if the
    // child has already got as far as `exec`.
    let _ = unistd::setpgid(pid, pid);
    Ok(Launched { pid, complaint: File::from(complaint) })
}

/// Returns only if the program could not be started: the reason.
fn become_program(request: &Request, null: BorrowedFd<'_>, spawner: Pid) -> String {
    let program = request.command.first().map_or("", String::as_str);
    if let Err(error) = leave_home(null) {
        return format!("cannot run {program}: cannot prepare its process: {}", error.desc());
    }
    if let Err(error) = take_rights(request.uid, request.gid) {
        return format!(
            "cannot run {program}: cannot become user {} and group {}: {}",
            request.uid,
            request.gid,
            error.desc()
        );
    }
    // After the change of user, which clears it. A spawner that is killed takes its scripts along.
    if let Err(error) = set_pdeathsig(Signal::SIGKILL) {
        return format!("cannot run {program}: cannot tie it to the spawner: {}", error.desc());
    }
    if unistd::getppid() != spawner {
        return format!("cannot run {program}: the spawner process is gone");
    }
    execute(&request.command)
}

/// Own process group, no signal blocked, standard streams at `null`.
fn leave_home(null: BorrowedFd<'_>) -> nix::Result<()> {
    unistd::setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    unistd::dup2_stdin(null.as_fd())?;
    unistd::dup2_stdout(null.as_fd())?;
    unistd::dup2_stderr(null.as_fd())?;
    SigSet::empty().thread_set_mask()
}

/// Becomes the user, without supplementary groups, as keepalived does. A script of the spawner's own user
/// keeps what the spawner has: root's whole set of capabilities, `CAP_KILL` among them.
fn take_rights(uid: u32, gid: u32) -> nix::Result<()> {
    if unistd::geteuid().as_raw() == uid && unistd::getegid().as_raw() == gid {
        return Ok(());
    }
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    unistd::setgroups(&[])?;
    unistd::setresgid(gid, gid, gid)?;
    unistd::setresuid(uid, uid, uid)
}

/// Replaces this process by the program; returns the reason if it cannot.
fn execute(command: &[String]) -> String {
    let words: Result<Vec<CString>, _> = command.iter().map(|word| CString::new(word.as_bytes())).collect();
    let Ok(words) = words else {
        return "cannot run a command with a NUL character in it".to_owned();
    };
    let Some(program) = words.first() else {
        return "cannot run an empty command".to_owned();
    };
    let error = match unistd::execvp(program, &words) {
        Err(error) => error,
        Ok(never) => match never {},
    };
    let name = program.to_string_lossy();
    if error == Errno::ENOENT && name.contains('/') && std::path::Path::new(&*name).exists() {
        return format!("cannot run {name}: the interpreter in its first line does not exist");
    }
    format!("cannot run {name}: {}", error.desc())
}
