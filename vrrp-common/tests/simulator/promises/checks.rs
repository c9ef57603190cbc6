//! The promises, checked after every event. What each says exactly stands in `main`.

use vrrp_common::{
    election::{Action, Input, Parameters, Reason, State, Transition},
    time::Instant,
};

use super::{Cadence, Fate};
use crate::{
    host::Host,
    world::{Broken, World},
};

impl World {
    /// Promise (i).
    pub(crate) fn check_leases(&self) -> Result<(), Broken> {
        for one in 0..self.hosts.len() {
            if !self.hosts[one].open(self.now) {
                continue;
            }
            for other in one + 1..self.hosts.len() {
                if !self.hosts[other].open(self.now) {
                    continue;
                }
                let excused = |winner, loser| self.promises.excused(winner, loser, &self.hosts);
                if !excused(one, other) && !excused(other, one) {
                    return Err(format!(
                        "(i) hosts {one} and {other} are both open, and no advertisement is missing"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Promise (ii), at the moment before `host` opens its addresses.
    pub(crate) fn check_successor(&self, host: usize) -> Result<(), Broken> {
        if self.hosts[host].open(self.now) {
            return Ok(());
        }
        for old in (0..self.hosts.len()).filter(|old| *old != host) {
            let followed = self.promises.fates[old][host]
                .is_some_and(|advert| matches!(advert.fate, Fate::Arrived { followed: true, .. }));
            if followed && !self.hosts[old].runs() && self.hosts[old].open(self.now) {
                return Err(format!("(ii) host {host} succeeds host {old}, which is still open"));
            }
        }
        Ok(())
    }

    /// Promise (iii).
    pub(crate) fn check_calm(&mut self) -> Result<(), Broken> {
        let owners = self.owners().count();
        let anybody = self.hosts.iter().any(Host::runs);
        let now = self.now;
        let Some(calm) = &mut self.promises.calm else { return Ok(()) };
        if now <= calm.settled || !anybody {
            return Ok(());
        }
        match owners {
            0 => return Err("(iii) nobody owns the addresses".into()),
            1 => calm.two = None,
            _ if now - *calm.two.get_or_insert(now) > calm.change => {
                return Err(format!("(iii) {owners} owners for longer than a change takes"));
            }
            _ => {}
        }
        Ok(())
    }

    /// Promise (iii): once there is one owner, only preemption makes another.
    pub(crate) fn check_change(&self, host: usize, transition: &Transition) -> Result<(), Broken> {
        let settled = self.promises.calm.as_ref().is_some_and(|calm| self.now > calm.settled);
        let Parameters { priority, preempt, .. } = self.hosts[host].parameters;
        let allowed = match transition.reason {
            Reason::Preempting { lower, ours } => (preempt || priority == 255) && lower.priority < ours,
            Reason::Outranked { .. } => true,
            _ => false,
        };
        if settled && !allowed {
            Err(format!("(iii) host {host} changes: {}", transition.reason))
        } else {
            Ok(())
        }
    }

    /// Promise (iv): who is not eligible neither waits nor owns.
    pub(crate) fn check_eligible(&self, host: usize) -> Result<(), Broken> {
        let fault = self.hosts[host].daemon.as_ref().and_then(|daemon| daemon.router.fault());
        let idle = !matches!(self.hosts[host].state(), Some(State::Backup | State::Active));
        if fault.is_some() && (!idle || self.hosts[host].open(self.now)) {
            return Err(format!("(iv) host {host} takes part in spite of {fault:?}"));
        }
        Ok(())
    }

    /// Promise (iii) at the end: nobody who should preempt is left waiting.
    pub(crate) fn check_settled(&self) -> Result<(), Broken> {
        if !self.hosts.iter().any(Host::runs) {
            return Ok(());
        }
        let &[owner] = &*self.owners().collect::<Vec<_>>() else {
            return Err(format!("(iii) owners at the end: {:?}", self.owners().collect::<Vec<_>>()));
        };
        let actives: Vec<_> = self.actives().collect();
        if actives != [owner] {
            return Err(format!("(iii) host {owner} owns the addresses and {actives:?} are Active"));
        }
        let preempting = self.hosts.iter().filter(|host| host.runs() && host.parameters.preempt);
        let (best, theirs) = (preempting.map(rank).max(), rank(&self.hosts[owner]));
        if best > Some(theirs) {
            return Err(format!("(iii) {best:?} waits for {theirs:?}"));
        }
        Ok(())
    }

    /// Promise (iv): after the timer was handed in, the next deadline lies ahead.
    pub(crate) fn check_deadline(
        &self,
        host: usize,
        input: Input,
        deadline: Option<Instant>,
        now: Instant,
    ) -> Result<(), Broken> {
        if input == Input::Timer && deadline.is_some_and(|deadline| deadline <= now) {
            return Err(format!("(iv) host {host} has a deadline at {deadline:?}, and it is {now:?}"));
        }
        Ok(())
    }

    /// Promise (iv): one Release for each Acquire, and no lease outside of the two.
    pub(crate) fn check_pairs(&mut self, host: usize, action: Action) -> Result<(), Broken> {
        let active = self.hosts[host].state() == Some(State::Active);
        let open = self.hosts[host].open(self.now);
        let acquired = &mut self.promises.acquired[host];
        let wrong = match action {
            Action::Acquire => std::mem::replace(acquired, true) || !active,
            Action::Release => !std::mem::replace(acquired, false) || active || open,
            Action::Grant(_) => !active,
            Action::Close => active,
            Action::Advertise { priority: 0, .. } => active || open,
            Action::Transition(_) | Action::Advertise { .. } | Action::Announce(_) => false,
        };
        if wrong { Err(format!("(iv) {action:?} out of turn at host {host}")) } else { Ok(()) }
    }

    /// Own cadence: what is received neither delays an Active's advertisements nor multiplies them.
    pub(crate) fn check_cadence(&mut self, host: usize, priority: u8) -> Result<(), Broken> {
        let interval = self.hosts[host].parameters.advertisement_interval.as_nanos();
        // The clocks drift by at most 0.2 %.
        let longest = interval + interval / 400 + self.lan.conditions.lateness + self.lan.conditions.turn;
        let now = self.now;
        if priority == 0 {
            return Ok(());
        }
        let cadence = self.promises.cadence[host].get_or_insert(Cadence { since: now, last: now, count: 0 });
        let gap = now - cadence.last;
        cadence.last = now;
        cadence.count += 1;
        if gap > longest {
            return Err(format!("cadence: host {host} was silent for {gap} ns"));
        }
        if cadence.count > 4 + 3 * (now - cadence.since) / interval {
            return Err(format!("cadence: host {host} sent {} in {} ns", cadence.count, now - cadence.since));
        }
        Ok(())
    }
}

fn rank(host: &Host) -> u8 {
    host.daemon.as_ref().map_or(0, |daemon| daemon.router.priority())
}
