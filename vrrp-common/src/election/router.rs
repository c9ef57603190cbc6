//! One virtual router: dispatches inputs to the state it is in, and moves between states.

use core::mem;

use super::{
    Action, Actions, Advertised, Announcement, Fault, Input, Lease, Parameters, Peer, Reason, State,
    Transition,
    active::{Active, Outcome},
    backup::Backup,
    own::Own,
    priority::OWNER,
};
use crate::{
    abi::Standing,
    time::{Instant, Interval},
};

/// The state machine of RFC 9568 §6.4, with [`State::Fault`] beside Initialize.
///
/// The host's side of the contract, for every turn:
/// 1. read the clock (`granted`), then hand in every advertisement received since, in the order of
///    [`Advertised::at`], then whatever else happened, then [`Input::Timer`];
/// 2. perform the [`Actions`] of each input before the next one;
/// 3. sleep until [`Self::deadline`] or the next event. Events may be late: all timers count from the time
///    that the kernel received, never from when the host woke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualRouter {
    own: Own,
    fault: Option<Fault>,
    role: Role,
    listens_first: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Initialize,
    Fault,
    Backup(Backup),
    Active(Active),
}

impl VirtualRouter {
    /// A router in Initialize, eligible and with its configured priority until told otherwise.
    pub fn new(parameters: Parameters) -> Self {
        let own = Own { parameters, priority: parameters.priority };
        Self { own, fault: None, role: Role::Initialize, listens_first: false }
    }

    /// Whether even the owner of the addresses listens first, as every other router does: in a group it must
    /// not be Active before the others are.
    pub fn listen_first(&mut self, first: bool) {
        self.listens_first = first;
    }

    /// Takes one input at the time `now` and says what the host must do. Inputs that mean nothing in the
    /// present state are ignored.
    pub fn handle(&mut self, input: Input, now: Instant) -> Actions {
        match input {
            Input::Startup => self.startup(now),
            Input::Adopt(lease) => self.adopt(lease, now),
            Input::Shutdown => self.leave(Role::Initialize, Reason::Shutdown),
            Input::Timer => self.timer(now),
            Input::Advertisement(advert) => self.advertisement(advert, now),
            Input::Priority(priority) => self.priority_changed(priority),
            Input::Eligibility(fault) => self.eligibility(fault, now),
            Input::Source(source) => {
                self.own.parameters.source = source;
                Actions::NONE
            }
            Input::Configure(parameters) => self.configure(parameters, now),
            Input::StepDown(reason) => self.step_down(reason, now),
            Input::TakeOver(reason) => match self.role {
                Role::Backup(_) => self.take_over(reason, now),
                Role::Initialize | Role::Fault | Role::Active(_) => Actions::NONE,
            },
            Input::Sent { granted, sent } => match &mut self.role {
                Role::Active(active) => active.sent(&self.own, granted, sent, now),
                Role::Initialize | Role::Fault | Role::Backup(_) => Actions::NONE,
            },
        }
    }

    /// When [`Input::Timer`] is due; `None` while only other inputs can change anything.
    ///
    /// After [`Input::Timer`] it lies in the future. After other inputs it may lie in the past: further
    /// advertisements may wait to be handed in, and they count before the timer does.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.role {
            Role::Initialize | Role::Fault => None,
            Role::Backup(backup) => Some(backup.deadline(&self.own)),
            Role::Active(active) => Some(active.deadline()),
        }
    }

    /// When a Backup becomes Active at the next [`Input::Timer`], unless it hears of an Active before.
    pub fn takeover_due(&self) -> Option<Instant> {
        match &self.role {
            Role::Backup(backup) => Some(backup.down(&self.own)),
            Role::Initialize | Role::Fault | Role::Active(_) => None,
        }
    }

    /// The state.
    pub fn state(&self) -> State {
        match self.role {
            Role::Initialize => State::Initialize,
            Role::Fault => State::Fault,
            Role::Backup(_) => State::Backup,
            Role::Active(_) => State::Active,
        }
    }

    /// Why the router is not eligible, as last told.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// The effective priority, 1 to 255.
    pub fn priority(&self) -> u8 {
        self.own.priority
    }

    /// The configuration, with the primary address as last told.
    pub fn parameters(&self) -> &Parameters {
        &self.own.parameters
    }

    /// The other router that is Active as far as this Backup heard; `None` in every other state.
    pub fn active_peer(&self) -> Option<Peer> {
        match &self.role {
            Role::Backup(backup) => backup.active_peer(&self.own),
            Role::Initialize | Role::Fault | Role::Active(_) => None,
        }
    }

    /// Active_Adver_Interval: a Backup's is the Active's, else it is our own.
    pub fn active_adver_interval(&self) -> Interval {
        match &self.role {
            Role::Backup(backup) => backup.active_adver_interval(),
            Role::Initialize | Role::Fault | Role::Active(_) => self.own.interval(),
        }
    }

    /// Skew_Time at the effective priority.
    pub fn skew_time(&self) -> Interval {
        self.own.skew(self.active_adver_interval())
    }

    /// Active_Down_Interval at the effective priority.
    pub fn active_down_interval(&self) -> Interval {
        self.own.down(self.active_adver_interval())
    }

    /// When an Active's next advertisement is due.
    pub fn next_advertisement(&self) -> Option<Instant> {
        match &self.role {
            Role::Active(active) => Some(active.next_advertisement()),
            Role::Initialize | Role::Fault | Role::Backup(_) => None,
        }
    }

    /// An Active's lease; it may have run out.
    pub fn lease(&self) -> Option<Lease> {
        match &self.role {
            Role::Active(active) => active.lease(),
            Role::Initialize | Role::Fault | Role::Backup(_) => None,
        }
    }

    /// What the receive path must know of this router. Changes only when an input is handled; `now` is the
    /// time of that input.
    pub fn standing(&self, now: Instant) -> Standing {
        let own = &self.own;
        match &self.role {
            Role::Backup(backup) => {
                Standing::new(own.priority, false, backup.preempts(own, now), backup.delays(own, now))
            }
            Role::Active(_) => Standing::new(own.priority, true, own.may_preempt(), false),
            Role::Initialize | Role::Fault => Standing::new(own.priority, false, own.may_preempt(), false),
        }
    }

    fn startup(&mut self, now: Instant) -> Actions {
        if self.role != Role::Initialize {
            return Actions::NONE;
        }
        match self.fault {
            Some(fault) => self.leave(Role::Fault, Reason::Faulted(fault)),
            None if self.starts_active() => self.start(Reason::Owner, now),
            None => self.start(Reason::Started, now),
        }
    }

    /// Whoever asks within the lease finds the addresses where they were. A fault that came meanwhile is resigned
    /// from, as by the daemon before; the addresses are not ours then, and nothing asks to let go of them.
    fn adopt(&mut self, lease: Lease, now: Instant) -> Actions {
        if self.role != Role::Initialize || lease.until <= now {
            return self.startup(now);
        }
        if let Some(fault) = self.fault {
            self.role = Role::Active(Active::taken_over(&self.own, now));
            return self.leave(Role::Fault, Reason::Faulted(fault));
        }
        let adopted = Role::Active(Active::adopted(&self.own, lease, now));
        Actions::of([
            self.enter(adopted, Reason::Adopted { left: lease.until.since(now) }),
            Some(self.own.advertise()),
            Some(Action::Acquire),
            Some(Action::Announce(Announcement::Takeover)),
        ])
    }

    fn eligibility(&mut self, fault: Option<Fault>, now: Instant) -> Actions {
        let before = mem::replace(&mut self.fault, fault);
        match (self.state(), before, fault) {
            (State::Backup | State::Active, _, Some(fault)) => {
                self.leave(Role::Fault, Reason::Faulted(fault))
            }
            (State::Fault, Some(gone), None) => self.start(Reason::Recovered(gone), now),
            _ => Actions::NONE,
        }
    }

    /// RFC 9568 §6.4.1: the owner is Active at once, everybody else listens first.
    fn start(&mut self, reason: Reason, now: Instant) -> Actions {
        if self.starts_active() {
            return self.take_over(reason, now);
        }
        self.leave(Role::Backup(Backup::started(&self.own, now)), reason)
    }

    fn starts_active(&self) -> bool {
        self.own.is_owner() && !self.listens_first
    }

    /// Takes the new settings in place. The effective priority follows when the caller tells it, but for an
    /// owner's, which is never told.
    fn configure(&mut self, parameters: Parameters, now: Instant) -> Actions {
        let source = self.own.parameters.source;
        let before = mem::replace(&mut self.own.parameters, Parameters { source, ..parameters });
        if before.priority == OWNER || parameters.priority == OWNER {
            self.own.priority = parameters.priority;
        }
        if let Role::Active(active) = &mut self.role {
            active.reconfigured(&self.own, before.advertisement_interval, now);
        }
        Actions::NONE
    }

    fn step_down(&mut self, reason: Reason, now: Instant) -> Actions {
        let Role::Active(active) = &self.role else { return Actions::NONE };
        let acquired = active.has_acquired();
        Actions::of([
            self.enter(Role::Backup(Backup::started(&self.own, now)), reason),
            Some(Action::Close),
            Some(self.own.resign()),
            acquired.then_some(Action::Release),
        ])
    }

    fn timer(&mut self, now: Instant) -> Actions {
        match &mut self.role {
            Role::Initialize | Role::Fault => Actions::NONE,
            Role::Backup(backup) => match backup.timer(&self.own, now) {
                Some(reason) => self.take_over(reason, now),
                None => Actions::NONE,
            },
            Role::Active(active) => {
                let outcome = active.timer(&self.own, now);
                self.conclude(outcome)
            }
        }
    }

    fn advertisement(&mut self, advert: Advertised, now: Instant) -> Actions {
        if advert.source == self.own.parameters.source {
            return Actions::NONE;
        }
        // A stamp from the future would keep a Backup quiet until then.
        let advert = Advertised { at: advert.at.min(now), ..advert };
        match &mut self.role {
            Role::Initialize | Role::Fault => Actions::NONE,
            Role::Backup(backup) => {
                backup.advertisement(&self.own, &advert);
                Actions::NONE
            }
            Role::Active(active) => {
                let outcome = active.advertisement(&self.own, &advert, now);
                self.conclude(outcome)
            }
        }
    }

    fn priority_changed(&mut self, priority: u8) -> Actions {
        if self.own.is_owner() {
            return Actions::NONE;
        }
        self.own.priority = priority.clamp(1, OWNER - 1);
        Actions::NONE
    }

    fn conclude(&mut self, outcome: Outcome) -> Actions {
        match outcome {
            Outcome::Stay(actions) => actions,
            Outcome::Yield(reason, backup) => self.leave(Role::Backup(backup), reason),
        }
    }

    /// Advertise before anything else: the peers' timers and the old Active wait for it.
    fn take_over(&mut self, reason: Reason, now: Instant) -> Actions {
        let transition = self.enter(Role::Active(Active::taken_over(&self.own, now)), reason);
        Actions::of([transition, Some(self.own.advertise())])
    }

    /// Enters a state other than Active. An Active closes its addresses first of all. It resigns unless it
    /// becomes Backup: then another router is Active already.
    fn leave(&mut self, role: Role, reason: Reason) -> Actions {
        let was_active = matches!(self.role, Role::Active(_));
        let acquired = matches!(&self.role, Role::Active(active) if active.has_acquired());
        let resigns = was_active && !matches!(role, Role::Backup(_));
        Actions::of([
            self.enter(role, reason),
            was_active.then_some(Action::Close),
            resigns.then(|| self.own.resign()),
            acquired.then_some(Action::Release),
        ])
    }

    /// `None` if the state is the same as before.
    fn enter(&mut self, role: Role, reason: Reason) -> Option<Action> {
        let from = self.state();
        self.role = role;
        let to = self.state();
        (from != to).then_some(Action::Transition(Transition { from, to, reason }))
    }
}
