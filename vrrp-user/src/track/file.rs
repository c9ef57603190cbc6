//! A number in a file: read when the file changes, and now and then in case that was missed.

use std::{fs, io, os::fd::OwnedFd, path::Path, time::Duration};

use nix::{
    sys::inotify::{AddWatchFlags, InitFlags, Inotify},
    unistd,
};
use tokio::{
    io::unix::AsyncFd,
    sync::mpsc,
    time::{sleep, timeout},
};
use vrrp_common::time::Interval;

use super::{CheckId, CheckReport, Health, schedule::SLACK};
use crate::{
    config::model::TrackedFile,
    sys::{clock, watch},
};

/// How often the file is read even if nothing was told: its directory may have been replaced.
const LOOK: Duration = Duration::from_secs(1);
/// From emptying a file to writing it.
const WRITING: Duration = Duration::from_millis(20);
/// As much of the file as is read: any number fits.
const LONGEST: u64 = 128;

/// Reads the file for ever; returns when nobody takes reports any more.
pub(super) async fn watch(id: CheckId, file: TrackedFile, reports: mpsc::Sender<CheckReport>) {
    if let Err(error) = initialize(&file) {
        tracing::warn!("{id}: cannot write {}: {error}", file.path);
    }
    let mut changes = Changes::of(Path::new(&file.path));
    let mut value = 0;
    for runs in 1.. {
        let started = clock::now();
        let (health, detail) = match read_complete(Path::new(&file.path)).await {
            Ok((number, detail)) => {
                value = number;
                (Health::Value(number), detail)
            }
            // As keepalived: the last number holds.
            Err(text) => (Health::Value(value), format!("{text}; the last number, {value}, holds")),
        };
        let now = clock::now();
        let valid_until = now.after(Interval::from_secs(1)).after(SLACK);
        let (check, last_duration) = (id.clone(), now.since(started));
        let report = CheckReport { check, health, detail, valid_until, runs, last_duration };
        if reports.send(report).await.is_err() {
            return;
        }
        changes.wait().await;
    }
}

fn initialize(file: &TrackedFile) -> io::Result<()> {
    match file.init {
        Some(init) if init.overwrite || !Path::new(&file.path).exists() => {
            fs::write(&file.path, format!("{}\n", init.value))
        }
        _ => Ok(()),
    }
}

/// As [`read`]; a file that is empty because somebody is about to write it is given the time for that.
async fn read_complete(path: &Path) -> Result<(i32, String), String> {
    if fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        sleep(WRITING).await;
    }
    read(path)
}

/// The number at the beginning of the file, and what to say of it. A file that is not there, or begins with no
/// number, counts as 0, as in keepalived; one that is out of range is an error.
fn read(path: &Path) -> Result<(i32, String), String> {
    let text = match fs::File::open(path) {
        Ok(file) => {
            let mut text = Vec::new();
            match io::Read::read_to_end(&mut io::Read::take(file, LONGEST), &mut text) {
                Ok(_) => text,
                Err(error) => return Ok((0, format!("cannot be read ({error}): counts as 0"))),
            }
        }
        Err(error) => return Ok((0, format!("{error}: counts as 0"))),
    };
    let text = String::from_utf8_lossy(&text);
    match number(&text) {
        None => Ok((0, "holds no number: counts as 0".to_owned())),
        Some(value) => match i32::try_from(value) {
            Ok(value) => Ok((value, format!("holds {value}"))),
            Err(_) => Err(format!("holds {value}, which is out of range")),
        },
    }
}

/// The number that a text begins with, as C reads it: blanks, a sign, decimal, `0x` hexadecimal or `0` octal.
fn number(text: &str) -> Option<i64> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let hexadecimal = hexadecimal.filter(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit()));
    let (radix, digits) = match hexadecimal {
        Some(rest) => (16, rest),
        None if digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    let mut found = digits.chars().map_while(|digit| digit.to_digit(radix)).peekable();
    found.peek()?;
    let value =
        found.fold(0i64, |sum, digit| sum.saturating_mul(i64::from(radix)).saturating_add(i64::from(digit)));
    Some(if negative { -value } else { value })
}

/// Tells when something happens to a file, or in its directory under its name.
struct Changes(Option<AsyncFd<OwnedFd>>);

impl Changes {
    fn of(path: &Path) -> Self {
        let watching = Self::watching(path);
        Self(watching.inspect_err(|error| tracing::debug!("{}: {error}", path.display())).ok())
    }

    fn watching(path: &Path) -> io::Result<AsyncFd<OwnedFd>> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        // Not when it is made or written to: it is told again when it is complete.
        let events = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVE | AddWatchFlags::IN_DELETE;
        inotify.add_watch(directory.unwrap_or_else(|| Path::new(".")), events)?;
        watch::watch(inotify.into())
    }

    /// Waits for a change, at most [`LOOK`].
    async fn wait(&mut self) {
        let Some(inotify) = &self.0 else { return sleep(LOOK).await };
        // The time is over, or the file is read once more than needed: either way it is read.
        if let Ok(Ok(mut ready)) = timeout(LOOK, inotify.readable()).await {
            let mut events = [0; 4096];
            // What they say does not matter: the file is read anyway.
            while unistd::read(inotify.get_ref(), &mut events).is_ok_and(|length| length > 0) {}
            ready.clear_ready();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What keepalived 2.2.7 makes of these.
    #[test]
    fn numbers_are_read_as_c_reads_them() {
        for (text, expected) in [
            ("5\n", Some(5)),
            ("  -3 abc", Some(-3)),
            ("+7", Some(7)),
            ("0x10", Some(16)),
            ("010", Some(8)),
            ("0", Some(0)),
            ("0x", Some(0)),
            ("08", Some(0)),
            ("99999999999", Some(99_999_999_999)),
            ("junk7", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(number(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_there_counts_as_zero_and_what_is_out_of_range_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(read(&path).map(|(value, _)| value), Ok(0));
        fs::write(&path, "99999999999").unwrap();
        assert!(read(&path).unwrap_err().contains("99999999999"));
        fs::write(&path, "-200\n").unwrap();
        assert_eq!(read(&path).map(|(value, _)| value), Ok(-200));
    }
}
