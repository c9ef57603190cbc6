//! Routers that are Active together or not at all: which member needs which input for that. The members'
//! elections are their own; no state is kept here.
//!
//! - A group becomes Active when the time of every member has run out: then all take over in one turn.
//! - When one steps back, all do. Those that nobody outranked resign, so that a peer need not wait for their
//!   silence.
//! - The fault of one is the fault of all.

use super::{Fault, Input, Reason, State};
use crate::time::Instant;

/// A member as its group sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// [`super::VirtualRouter::state`].
    pub state: State,
    /// [`super::VirtualRouter::takeover_due`].
    pub takeover_due: Option<Instant>,
    /// Why it is not eligible by itself.
    pub own_fault: Option<Fault>,
    /// [`super::VirtualRouter::fault`]: what it was told last.
    pub told_fault: Option<Fault>,
    /// Whether the others heed it. One that is added to a group that is Active follows the group at first, and
    /// is heeded from the moment at which it is where the group is: see [`Member::joins`].
    pub joined: bool,
}

impl Member {
    fn wants(&self, judged: Instant) -> bool {
        self.takeover_due.is_some_and(|due| due <= judged)
    }

    /// Whether the group heeds this member from now on.
    pub fn joins(&self, members: &[Self]) -> bool {
        self.joined || members.iter().all(|other| !other.joined || other.state == self.state)
    }
}

/// The input that one member needs next, and the member's place in the list; `None` when all is well. After it
/// was handed in, ask again. `judged` is the instant up to which every member's packets are known.
pub fn next(members: &[Member], judged: Instant) -> Option<(usize, Input)> {
    fault(members).or_else(|| together(members, judged))
}

/// When [`next`] may have something to do without anything having happened.
pub fn deadline(members: &[Member]) -> Option<Instant> {
    let active = members.iter().any(|member| member.joined && member.state == State::Active);
    let due = |member: &Member| match (member.state, member.joined) {
        (State::Backup, true) => Some(member.takeover_due),
        (State::Active, true) => Some(Some(Instant::default())),
        (_, true) => Some(None),
        (_, false) => None,
    };
    // All must want it: the last one decides.
    let all = members.iter().filter_map(due).try_fold(Instant::default(), |last, due| Some(last.max(due?)));
    let backup = members.iter().any(|member| member.joined && member.state == State::Backup);
    let newcomers = members.iter().filter(|member| active && !member.joined);
    all.filter(|_| backup).into_iter().chain(newcomers.filter_map(|member| member.takeover_due)).min()
}

/// What keeps `member` (a place in the list) from taking part: its own fault, or another member's.
pub fn fault_of(members: &[Member], place: usize) -> Option<Fault> {
    let own = members.get(place).and_then(|member| member.own_fault);
    own.or_else(|| {
        let other = members.iter().position(|member| member.joined && member.own_fault.is_some())?;
        // A group has far fewer members; the number is for the message only.
        Some(Fault::GroupMember(u16::try_from(other).unwrap_or(u16::MAX)))
    })
}

fn fault(members: &[Member]) -> Option<(usize, Input)> {
    members.iter().enumerate().find_map(|(place, member)| {
        let fault = fault_of(members, place);
        (fault != member.told_fault).then_some((place, Input::Eligibility(fault)))
    })
}

fn together(members: &[Member], judged: Instant) -> Option<(usize, Input)> {
    let joined = || members.iter().filter(|member| member.joined);
    let ready = joined().all(|member| member.state == State::Active || member.wants(judged));
    let active = joined().any(|member| member.state == State::Active);
    let place = |wanted: &dyn Fn(&Member) -> bool| members.iter().position(wanted);
    if ready && joined().next().is_some() {
        let next = place(&|member| member.joined && member.state == State::Backup);
        let newcomer = || place(&|member| active && !member.joined && member.wants(judged));
        return next.or_else(newcomer).map(|place| (place, Input::Timer));
    }
    let holder = place(&|member| member.state == State::Active)?;
    Some((holder, Input::StepDown(Reason::GroupSteppedBack)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_nanos(1_000);

    fn member(state: State, due: Option<u64>) -> Member {
        let takeover_due = due.map(Instant::from_nanos);
        Member { state, takeover_due, own_fault: None, told_fault: None, joined: true }
    }

    fn active() -> Member {
        member(State::Active, None)
    }

    fn backup(due: u64) -> Member {
        member(State::Backup, Some(due))
    }

    fn newcomer(member: Member) -> Member {
        Member { joined: false, ..member }
    }

    fn check(members: &[Member], expected: Option<(usize, Input)>) {
        assert_eq!(next(members, NOW), expected, "{members:?}");
    }

    #[test]
    fn all_take_over_when_the_last_ones_time_has_run_out() {
        check(&[backup(900), backup(1_001)], None);
        assert_eq!(deadline(&[backup(900), backup(1_001)]), Some(Instant::from_nanos(1_001)));
        check(&[backup(900), backup(1_000)], Some((0, Input::Timer)));
        check(&[active(), backup(1_000)], Some((1, Input::Timer)));
        check(&[active(), active()], None);
        assert_eq!(deadline(&[active(), active()]), None);
    }

    #[test]
    fn all_step_back_when_one_does() {
        let step_down = Input::StepDown(Reason::GroupSteppedBack);
        check(&[active(), backup(5_000), active()], Some((0, step_down)));
        check(&[backup(5_000), backup(5_000), active()], Some((2, step_down)));
    }

    #[test]
    fn the_fault_of_one_is_the_fault_of_all_until_it_is_gone() {
        let down = Some(Fault::LinkDown);
        let faulty = Member { own_fault: down, told_fault: None, ..active() };
        check(&[active(), faulty], Some((0, Input::Eligibility(Some(Fault::GroupMember(1))))));
        let told = Member { told_fault: Some(Fault::GroupMember(1)), ..member(State::Fault, None) };
        check(&[told, faulty], Some((1, Input::Eligibility(down))));
        let faulty = Member { own_fault: down, told_fault: down, ..member(State::Fault, None) };
        check(&[told, faulty], None);
        assert_eq!(deadline(&[told, faulty]), None);
        check(&[told, Member { own_fault: None, ..faulty }], Some((0, Input::Eligibility(None))));
    }

    #[test]
    fn a_newcomer_follows_an_active_group_and_disturbs_nobody() {
        let waits = newcomer(backup(5_000));
        check(&[active(), waits], None);
        assert_eq!(deadline(&[active(), waits]), Some(Instant::from_nanos(5_000)));
        assert!(!waits.joins(&[active(), waits]));
        check(&[active(), newcomer(backup(1_000))], Some((1, Input::Timer)));
        assert!(newcomer(active()).joins(&[active(), newcomer(active())]));
        let faulty = Member { own_fault: Some(Fault::LinkDown), ..newcomer(member(State::Fault, None)) };
        check(&[active(), faulty], Some((1, Input::Eligibility(Some(Fault::LinkDown)))));
    }

    #[test]
    fn a_newcomer_does_not_become_active_alone() {
        check(&[backup(900), backup(5_000), newcomer(backup(900))], None);
        let here = newcomer(backup(5_000));
        assert!(here.joins(&[backup(900), here]));
        let step_down = Input::StepDown(Reason::GroupSteppedBack);
        check(&[backup(5_000), newcomer(active())], Some((1, step_down)));
    }
}
