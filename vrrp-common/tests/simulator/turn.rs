//! A daemon's turn: look, hand in, perform. It can be stopped between a decision and its send call.

use vrrp_common::{
    election::{Action, Advertised, Input, Reason, State, VirtualRouter},
    time::Instant,
};

use crate::{
    host::Turn,
    world::{Broken, Done, Event, World},
};

impl World {
    pub(crate) fn wake(&mut self, host: usize) -> Result<(), Broken> {
        let now = self.now;
        let it = &mut self.hosts[host];
        let Some(daemon) = &mut it.daemon else { return Ok(()) };
        if daemon.wake != Some(now) {
            return Ok(());
        }
        daemon.wake = None;
        if daemon.stopped || daemon.turn.is_some() {
            return Ok(());
        }
        let heard = it.kernel.look().into_iter().map(Input::Advertisement);
        let inputs = heard.chain(daemon.inputs.drain(..)).chain([Input::Timer]).collect();
        let granted = it.clock.at(now);
        daemon.turn = Some(Turn { granted, inputs, actions: Default::default(), send: None });
        self.proceed(host)
    }

    /// The send call that was on its way is made.
    pub(crate) fn send_now(&mut self, host: usize) -> Result<(), Broken> {
        let now = self.now;
        let Some(daemon) = &mut self.hosts[host].daemon else { return Ok(()) };
        match &mut daemon.turn {
            Some(turn) if turn.send == Some(now) && !daemon.stopped => self.proceed(host),
            _ => Ok(()),
        }
    }

    /// Performs every action before the next input is handed in.
    fn proceed(&mut self, host: usize) -> Result<(), Broken> {
        loop {
            let Some(daemon) = &mut self.hosts[host].daemon else { return Ok(()) };
            let Some(turn) = &mut daemon.turn else { return Ok(()) };
            if let Some(action) = turn.actions.front().copied() {
                if matches!(action, Action::Advertise { .. }) && turn.send.is_none() {
                    let at = self.now + self.rng.up_to(self.lan.conditions.turn);
                    turn.send = Some(at);
                    self.plan(at, Event::Send(host));
                    return Ok(());
                }
                turn.actions.pop_front();
                turn.send = None;
                self.perform(host, action)?;
            } else if let Some(input) = turn.inputs.pop_front() {
                self.hand_in(host, input)?;
            } else {
                daemon.turn = None;
                self.sleep(host);
                return self.check_eligible(host);
            }
        }
    }

    fn hand_in(&mut self, host: usize, input: Input) -> Result<(), Broken> {
        let it = &mut self.hosts[host];
        let now = it.clock.at(self.now);
        let Some(daemon) = &mut it.daemon else { return Ok(()) };
        let before = daemon.router.priority();
        if let Input::Advertisement(advert) = input
            && follows(&daemon.router, &advert)
        {
            self.promises.followed(host, advert.at);
        }
        let actions = daemon.router.handle(input, now);
        let after = daemon.router.priority();
        let deadline = daemon.router.deadline();
        it.kernel.write(daemon.router.standing(now));
        let Some(turn) = &mut daemon.turn else { return Ok(()) };
        // What Sent asks for comes before what is left of the actions that sent.
        for (place, action) in actions.into_iter().enumerate() {
            turn.actions.insert(place, action);
        }
        if before != after {
            self.promises.rank_changed(host, self.now);
        }
        self.note(|_| format!("host {host} is handed {input:?}"));
        self.check_deadline(host, input, deadline, now)
    }

    fn perform(&mut self, host: usize, action: Action) -> Result<(), Broken> {
        self.done.push(Done { at: self.now, host, action });
        self.note(|world| match action {
            Action::Transition(to) => format!("host {host}: {} -> {}: {}", to.from, to.to, to.reason),
            _ => format!("host {host}: {action:?} (clock {:?})", world.hosts[host].clock.at(world.now)),
        });
        self.check_pairs(host, action)?;
        match action {
            Action::Advertise { priority, interval, copies } => {
                self.check_cadence(host, priority)?;
                let sent = self.hosts[host].clock.at(self.now);
                if self.transmit(host, priority, interval, copies) && priority != 0 {
                    let granted = self.granted(host, sent);
                    self.hand_in(host, Input::Sent { granted, sent })?;
                }
            }
            Action::Grant(lease) => {
                self.check_successor(host)?;
                self.hosts[host].kernel.grant(lease);
                self.follow_lease(host);
            }
            Action::Close => {
                self.hosts[host].kernel.close();
                self.follow_lease(host);
            }
            Action::Transition(transition) => {
                let adopted = matches!(transition.reason, Reason::Adopted { .. });
                let restarted = matches!(transition.from, State::Initialize | State::Fault) && !adopted;
                if restarted {
                    self.promises.forget(host);
                }
                self.promises.break_cadence(host);
                self.check_change(host, &transition)?;
            }
            Action::Acquire | Action::Release | Action::Announce(_) => {}
        }
        Ok(())
    }

    fn granted(&self, host: usize, sent: Instant) -> Instant {
        let turn = self.hosts[host].daemon.as_ref().and_then(|daemon| daemon.turn.as_ref());
        turn.map_or(sent, |turn| turn.granted)
    }

    /// Until the deadline, or until the kernel rings.
    fn sleep(&mut self, host: usize) {
        let it = &self.hosts[host];
        let Some(daemon) = &it.daemon else { return };
        if it.kernel.rung() || !daemon.inputs.is_empty() {
            self.call(host);
        }
        if let Some(deadline) = daemon_deadline(self, host) {
            let lateness = self.rng.up_to(self.lan.conditions.lateness);
            self.wake_at(host, deadline.max(self.now) + lateness);
        }
    }
}

fn daemon_deadline(world: &World, host: usize) -> Option<u64> {
    let it = &world.hosts[host];
    let deadline = it.daemon.as_ref()?.router.deadline()?;
    Some(it.clock.reaches(deadline))
}

/// Whether a Backup restarts its timer for `advert` (RFC 9568 §6.4.2).
fn follows(router: &VirtualRouter, advert: &Advertised) -> bool {
    router.state() == State::Backup
        && advert.priority != 0
        && (advert.priority >= router.priority() || !router.standing(advert.at).preempt())
}
