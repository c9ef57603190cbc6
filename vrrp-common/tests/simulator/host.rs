//! A host: clock, kernel, link, and the daemon that may be stopped, crash or start again.

use std::collections::VecDeque;

use vrrp_common::{
    election::{Action, Fault, Input, Parameters, State, VirtualRouter},
    time::Instant,
};

use crate::{clock::Clock, kernel::Kernel};

pub(crate) struct Host {
    pub(crate) clock: Clock,
    pub(crate) parameters: Parameters,
    pub(crate) kernel: Kernel,
    pub(crate) daemon: Option<Daemon>,
    /// The effective priority as the checks have it.
    pub(crate) priority: u8,
    pub(crate) powered: bool,
    pub(crate) link: bool,
    /// A check of weight 0.
    pub(crate) check: bool,
    /// The kernel takes no packet for transmission: a full queue.
    pub(crate) mute: bool,
}

pub(crate) struct Daemon {
    pub(crate) router: VirtualRouter,
    pub(crate) stopped: bool,
    /// What happened besides advertisements, to be handed in at the next turn.
    pub(crate) inputs: VecDeque<Input>,
    /// The world's time of the next turn.
    pub(crate) wake: Option<u64>,
    pub(crate) turn: Option<Turn>,
}

/// A turn under way: a daemon may be stopped in the middle of it.
pub(crate) struct Turn {
    /// The clock before it looked.
    pub(crate) granted: Instant,
    pub(crate) inputs: VecDeque<Input>,
    pub(crate) actions: VecDeque<Action>,
    /// The world's time at which the send call under way is made.
    pub(crate) send: Option<u64>,
}

impl Host {
    pub(crate) fn new(clock: Clock, parameters: Parameters, kernel: Kernel) -> Self {
        Self {
            clock,
            parameters,
            kernel,
            daemon: None,
            priority: parameters.priority,
            powered: true,
            link: true,
            check: true,
            mute: false,
        }
    }

    pub(crate) fn fault(&self) -> Option<Fault> {
        match (self.link, self.check) {
            (false, _) => Some(Fault::LinkDown),
            (true, false) => Some(Fault::CheckFailing(0)),
            (true, true) => None,
        }
    }

    pub(crate) fn state(&self) -> Option<State> {
        self.daemon.as_ref().map(|daemon| daemon.router.state())
    }

    pub(crate) fn runs(&self) -> bool {
        self.daemon.as_ref().is_some_and(|daemon| !daemon.stopped)
    }

    /// A daemon's socket goes with it.
    pub(crate) fn hears(&self) -> bool {
        self.powered && self.link && (self.daemon.is_some() || self.kernel.hears_alone())
    }

    /// Whether the addresses answer at the world's time `world`.
    pub(crate) fn open(&self, world: u64) -> bool {
        self.kernel.open(self.clock.at(world))
    }

    /// Starts the daemon at the world's time `world`: what it would learn of the host at its start is told first.
    pub(crate) fn start(&mut self, world: u64) {
        let told = [Input::Priority(self.priority), Input::Eligibility(self.fault())];
        if let Some(daemon) = &mut self.daemon {
            daemon.inputs.extend(told.into_iter().chain([Input::Startup]));
            return;
        }
        self.powered = true;
        let begin = match self.kernel.inherit(self.clock.at(world)) {
            Some(lease) => Input::Adopt(lease),
            None => {
                self.kernel.reset();
                Input::Startup
            }
        };
        self.daemon = Some(Daemon {
            router: VirtualRouter::new(self.parameters),
            stopped: false,
            inputs: told.into_iter().chain([begin]).collect(),
            wake: None,
            turn: None,
        });
    }

    pub(crate) fn tell(&mut self, input: Input) {
        if let Some(daemon) = &mut self.daemon {
            daemon.inputs.push_back(input);
        }
    }
}
