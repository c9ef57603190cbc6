//! A spawner for one case, and eyes on processes.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use nix::{
    sys::wait::waitpid,
    unistd::{Pid, getegid, geteuid},
};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    time::sleep,
};
use vrrp_common::time::Interval;
use vrrp_user::{
    config::model::Credentials,
    spawner::{Process, Spawner},
};

pub(crate) const LONG: Interval = Interval::from_secs(20);
pub(crate) const SHORT: Interval = Interval::from_millis(200);

pub(crate) fn me() -> Credentials {
    Credentials { uid: geteuid().as_raw(), gid: getegid().as_raw() }
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// `sh -c` with the directory of the case as `$0`.
pub(crate) fn shell(script: &str, dir: &TempDir) -> Vec<String> {
    words(&["sh", "-c", script, dir.path().to_str().unwrap()])
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Runs `case` with a spawner and its process id; reaps the spawner afterwards.
pub(crate) fn with_spawner<F: Future<Output = ()>>(case: impl FnOnce(Spawner, i32) -> F) {
    let process = Process::start().unwrap();
    let pid = process.pid();
    runtime().block_on(async { case(process.attach().unwrap(), pid).await });
    // The runtime is gone, and the socket with it. An error: the spawner's end was the case, it is reaped.
    let _ = waitpid(Pid::from_raw(pid), None);
}

/// Waits until `condition` holds, at most 15 s.
pub(crate) async fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(15), "waited 15 s in vain: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits for a process id that a script writes to `name`.
pub(crate) async fn pid_in(dir: &TempDir, name: &str) -> i32 {
    let path: PathBuf = dir.path().join(name);
    let read = || fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n'));
    wait_until(&format!("{} is written", path.display()), || read().is_some()).await;
    read().unwrap().trim().parse().unwrap()
}

/// Whether the process runs; a zombie does not.
pub(crate) fn runs(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start().chars().next());
    !matches!(state.flatten(), None | Some('Z' | 'X'))
}

pub(crate) async fn wait_gone(pid: i32) {
    wait_until(&format!("process {pid} is gone"), || !runs(pid)).await;
}
