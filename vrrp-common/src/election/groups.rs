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

    /// What keeps it from taking part: its own fault, or another member's.
    fn fault(&self, of_others: Option<Fault>) -> Option<Fault> {
        self.own_fault.or(of_others)
    }

    /// Whether the group heeds this member from now on.
    pub fn joins(&self, members: &[Self]) -> bool {
        self.joined || members.iter().all(|other| !other.joined || other.state == self.state)
    }
}

/// The inputs that members need now, each with the member's place in the list; none when all is well. After all were
/// handed in, ask again: no group needs more than a few rounds, however many members it has. `judged` is the instant up
/// to which every member's packets are known.
pub fn inputs(members: &[Member], judged: Instant) -> impl Iterator<Item = (usize, Input)> {
    let step = Step::of(members, judged);
    let place = members.iter().enumerate();
    place.filter_map(move |(place, member)| step.input(member, judged).map(|input| (place, input)))
}

/// When [`inputs`] may have something to do without anything having happened.
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

/// What a group does next, as a whole.
#[derive(Clone, Copy)]
enum Step {
    /// Some do not know yet what keeps them from taking part: their own fault, or else this one.
    Faults(Option<Fault>),
    /// Those that listen become Active.
    TakeOver,
    /// So do those that joined an Active group, each in its time.
    Follow,
    /// Those that are Active step back.
    GiveUp,
}

impl Step {
    fn of(members: &[Member], judged: Instant) -> Self {
        let fault = fault_of_others(members);
        if members.iter().any(|member| member.fault(fault) != member.told_fault) {
            return Self::Faults(fault);
        }
        let joined = || members.iter().filter(|member| member.joined);
        let ready = joined().all(|member| member.state == State::Active || member.wants(judged));
        if !ready || joined().next().is_none() {
            return Self::GiveUp;
        }
        let listening = joined().any(|member| member.state == State::Backup);
        if listening { Self::TakeOver } else { Self::Follow }
    }

    fn input(self, member: &Member, judged: Instant) -> Option<Input> {
        let (needs, input) = match self {
            Self::Faults(of_others) => {
                let fault = member.fault(of_others);
                (fault != member.told_fault, Input::Eligibility(fault))
            }
            Self::TakeOver => (member.joined && member.state == State::Backup, Input::Timer),
            Self::Follow => (!member.joined && member.wants(judged), Input::Timer),
            Self::GiveUp => (member.state == State::Active, Input::StepDown(Reason::GroupSteppedBack)),
        };
        needs.then_some(input)
    }
}

/// The fault of the first member that has one, as the others are told of it.
fn fault_of_others(members: &[Member]) -> Option<Fault> {
    let first = members.iter().position(|member| member.joined && member.own_fault.is_some())?;
    // A group has far fewer members; the number is for the message only.
    Some(Fault::GroupMember(u16::try_from(first).unwrap_or(u16::MAX)))
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
        assert_eq!(inputs(members, NOW).next(), expected, "{members:?}");
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
    fn a_round_is_for_all_that_need_the_same() {
        let places = |members: &[Member]| inputs(members, NOW).map(|(place, _)| place).sum::<usize>();
        assert_eq!(places(&[backup(900), active(), backup(900), backup(900)]), 2 + 3);
        assert_eq!(places(&[active(), active(), backup(5_000), active()]), 1 + 3);
        let faulty = Member { own_fault: Some(Fault::LinkDown), ..active() };
        assert_eq!(places(&[active(), active(), faulty, active()]), 1 + 2 + 3);
        assert_eq!(places(&[active(), newcomer(backup(900)), newcomer(backup(900))]), 1 + 2);
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
