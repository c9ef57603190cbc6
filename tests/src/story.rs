//! How a test is told: a lab, the things that it needs, and waiting for states instead of sleeping.

use std::{
    mem,
    panic::{self, AssertUnwindSafe},
    sync::{PoisonError, RwLock},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    lab::Lab,
    rights::{self, Needs},
};

/// What comes at once on an idle machine may take this long on a busy one. Only failures wait so long.
pub const SOON: Duration = Duration::from_secs(15);

/// How often a state is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Held by every story while it is told, and by one that is told alone for itself.
static COMPANY: RwLock<()> = RwLock::new(());

/// Runs a story in a lab of its own. Where the machine cannot run it, says so loudly and passes, or fails
/// where that must not happen (see [`rights`]). A failure shows every log.
///
/// Many stories share a few processors, and with them peers that have no real-time priority: keepalived that gets no
/// processor for half a second really is late. One that fails in company is told once more alone, and standard error
/// says so whether or not it is captured; what fails alone fails.
pub fn story(name: &str, needs: Needs<'_>, mut tell: impl FnMut(&Lab) -> Result<()>) -> Result<()> {
    if !rights::can_run(name, needs)? {
        return Ok(());
    }
    let Err(why) = in_company(name, &mut tell) else { return Ok(()) };
    rights::say(&format!("TOLD AGAIN, ALONE: {name}: it failed beside other stories: {why}"))?;
    let _alone = COMPANY.write().unwrap_or_else(PoisonError::into_inner);
    told(name, &mut tell, print)
}

/// The error is in words: an assertion has said its own already.
fn in_company(name: &str, tell: &mut impl FnMut(&Lab) -> Result<()>) -> Result<(), String> {
    let _company = COMPANY.read().unwrap_or_else(PoisonError::into_inner);
    match panic::catch_unwind(AssertUnwindSafe(|| told(name, tell, say))) {
        Ok(end) => end.map_err(|error| format!("{error:#}")),
        Err(_) => Err("an assertion failed".to_owned()),
    }
}

fn told(name: &str, tell: &mut impl FnMut(&Lab) -> Result<()>, report: fn(&str)) -> Result<()> {
    let lab = Lab::new(name)?;
    let logs = LogsOnFailure { lab: &lab, report };
    tell(&lab)?;
    mem::forget(logs);
    Ok(())
}

/// Waits until a condition holds; what it was and how long it took too long is the error.
pub fn wait_until(limit: Duration, what: &str, condition: impl FnMut() -> Result<bool>) -> Result<()> {
    wait_until_every(LOOK_EVERY, limit, what, condition)
}

/// As [`wait_until`], for a condition that is costly to look at: stories that run beside it need the processor.
pub fn wait_until_every(
    every: Duration,
    limit: Duration,
    what: &str,
    condition: impl FnMut() -> Result<bool>,
) -> Result<()> {
    if poll_until(limit, every, condition).with_context(|| format!("waiting until {what}"))? {
        return Ok(());
    }
    bail!("not within {limit:?}: {what}");
}

/// Watches for a while that a condition goes on to hold.
pub fn holds_for(time: Duration, what: &str, mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
    let broken = poll_until(time, LOOK_EVERY, || Ok(!condition()?))?;
    ensure!(!broken, "no longer so: {what}");
    Ok(())
}

/// Whether a condition held within the limit.
pub(crate) fn poll_until(
    limit: Duration,
    every: Duration,
    mut condition: impl FnMut() -> Result<bool>,
) -> Result<bool> {
    let end = Instant::now() + limit;
    loop {
        if condition()? {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(false);
        }
        thread::sleep(every);
    }
}

/// Says what every program said, unless it is forgotten: on errors as on failed assertions.
struct LogsOnFailure<'a> {
    lab: &'a Lab,
    report: fn(&str),
}

impl Drop for LogsOnFailure<'_> {
    fn drop(&mut self) {
        (self.report)(&self.lab.logs());
    }
}

#[expect(clippy::print_stderr, reason = "the test is failing; this is its report")]
fn print(logs: &str) {
    eprintln!("{logs}");
}

/// The test may still pass, and what it prints is swallowed then.
#[expect(
    clippy::let_underscore_must_use,
    reason = "the story's own error matters more than a lost report of it"
)]
fn say(logs: &str) {
    let _ = rights::say(logs);
}
