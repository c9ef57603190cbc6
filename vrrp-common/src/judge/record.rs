//! What was heard, and when: verdicts become the record that the daemon reads. Elections happen elsewhere.

use super::Verdict;
use crate::{
    abi::{Heard, RouterView, Stamp},
    time::Instant,
    wire::ChecksumForm,
};

/// Notes an advertisement that was received at `at`, and says whether the daemon should be woken for it.
///
/// It should if it is news to the election: a resignation, anything while the router is Active, a losing
/// advertisement that it asked to see ([`crate::abi::Standing::watch_losing`]), or another sender, priority,
/// interval or list than the last of its kind. A Backup's steady advertisement wakes nobody.
///
/// Times only grow: an advertisement that was overtaken by a later one is counted and moves nothing.
pub fn record(heard: &mut Heard, view: &RouterView, verdict: &Verdict, at: Instant) -> bool {
    count(heard, verdict);
    if verdict.resigned {
        move_stamp(&mut heard.resigned, verdict, at);
        return true;
    }
    let accepted = verdict.accepted && move_stamp(&mut heard.accepted, verdict, at);
    let better = verdict.better && move_stamp(&mut heard.better, verdict, at);
    let losing = verdict.losing && move_stamp(&mut heard.losing, verdict, at);
    let watched = verdict.losing && view.standing.watch_losing();
    accepted || better || losing || watched || view.standing.active()
}

fn count(heard: &mut Heard, verdict: &Verdict) {
    let add = |counter: &mut u64, applies: bool| *counter = counter.wrapping_add(applies.into());
    add(&mut heard.checksum_message, verdict.checksum == Some(ChecksumForm::Message));
    add(&mut heard.checksum_pseudo, verdict.checksum == Some(ChecksumForm::Pseudo));
    add(&mut heard.differing_list, verdict.differing_list);
    add(&mut heard.first_not_link_local, verdict.first_not_link_local);
    add(&mut heard.second_owner, verdict.second_owner);
}

/// Returns whether anything but the time is new.
fn move_stamp(stamp: &mut Stamp, verdict: &Verdict, at: Instant) -> bool {
    stamp.count = stamp.count.wrapping_add(1);
    if at.as_nanos() < stamp.at {
        return false;
    }
    let moved = Stamp {
        source: verdict.source,
        interval: verdict.interval.as_nanos(),
        digest: verdict.digest,
        priority: verdict.priority.into(),
        ..*stamp
    };
    let news = moved != *stamp; // the first is: an interval is never zero
    *stamp = Stamp { at: at.as_nanos(), ..moved };
    news
}
