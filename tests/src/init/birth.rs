//! Making a host: its namespaces, then its mounts. Serving requests is `serve`'s.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{prctl, signal::Signal},
    unistd::sethostname,
};

use super::{DIRECTORY, serve::serve};

/// What a host is born with.
#[derive(Args, Clone, Debug)]
pub struct Host {
    /// Host name
    pub name: String,
    /// Directories that stay visible where the host's own /tmp or /run would hide them
    #[arg(long)]
    pub keep: Vec<PathBuf>,
}

/// Makes the namespaces and starts process 1 in them; returns when that has ended.
pub fn enter(host: &Host) -> Result<ExitCode> {
    let program = env::current_exe().context("own path")?;
    let spaces = CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    unshare(spaces).context("making namespaces (needs root)")?;
    let mut init = Command::new(program);
    init.arg("init").arg(&host.name);
    for keep in &host.keep {
        init.arg("--keep").arg(keep);
    }
    let status = init.status().context("starting process 1")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Process 1: gives the host its mounts and name, then serves until standard input ends.
pub fn run_as_init(host: &Host) -> Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL).context("tying the host to its parent")?;
    // The old /proc is still mounted and numbers processes as the Lab does.
    let pid = fs::read_link("/proc/self").context("reading /proc/self")?;
    let Some(pid) = pid.to_str().and_then(|text| text.parse().ok()).filter(|pid| *pid != 1) else {
        bail!("/proc/self names {pid:?}: not in a new PID namespace");
    };
    sethostname(&host.name).context("setting the host name")?;
    make_mounts(&host.keep)?;
    serve(pid)
}

fn make_mounts(keep: &[PathBuf]) -> Result<()> {
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).context("making mounts private")?;
    let staged = Path::new("/mnt");
    let keep: Vec<&PathBuf> = keep.iter().filter(|path| is_hidden(path)).collect();
    file_system("tmpfs", staged, Some("mode=755"))?;
    for (index, path) in keep.iter().enumerate() {
        bind(path, &staged.join(index.to_string()))?;
    }
    file_system("tmpfs", Path::new("/run"), Some("mode=755"))?;
    file_system("tmpfs", Path::new("/tmp"), Some("mode=1777"))?;
    for (index, path) in keep.iter().enumerate() {
        bind(&staged.join(index.to_string()), path)?;
    }
    file_system("proc", Path::new("/proc"), None)?;
    file_system("sysfs", Path::new("/sys"), None)?;
    file_system("bpf", Path::new("/sys/fs/bpf"), Some("mode=0700"))?;
    fs::create_dir(DIRECTORY).with_context(|| format!("creating {DIRECTORY}"))
}

fn is_hidden(path: &Path) -> bool {
    path.starts_with("/tmp") || path.starts_with("/run")
}

fn file_system(kind: &str, place: &Path, options: Option<&str>) -> Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some(kind), place, Some(kind), flags, options)
        .with_context(|| format!("mounting {kind} on {}", place.display()))
}

fn bind(from: &Path, to: &Path) -> Result<()> {
    let none: Option<&str> = None;
    fs::create_dir_all(to).with_context(|| format!("creating {}", to.display()))?;
    mount(Some(from), to, none, MsFlags::MS_BIND, none)
        .with_context(|| format!("binding {} to {}", from.display(), to.display()))
}
