//! What happens to hosts and LAN from outside.

use vrrp_common::election::Input;

use crate::world::{Event, World};

/// What happens to hosts and LAN from outside. Hosts are given by their index.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Disturbance {
    /// The daemon starts, or is asked to leave Initialize.
    Start(usize),
    /// A clean stop.
    Shutdown(usize),
    /// The daemon is gone, the kernel remains.
    Crash(usize),
    /// The whole host is gone.
    PowerOff(usize),
    /// SIGSTOP, a hang, no CPU.
    Stop(usize),
    /// SIGCONT.
    Continue(usize),
    /// Checks changed the effective priority.
    Priority(usize, u8),
    /// A check of weight 0 succeeds or fails.
    Check(usize, bool),
    /// Carrier.
    Link(usize, bool),
    /// The kernel takes no packet for transmission.
    Mute(usize, bool),
    /// Packets from one to another host are lost, or no longer.
    Cut(usize, usize, bool),
    /// Packets lost, of a thousand.
    Loss(u64),
    /// All of the LAN works.
    Mend,
}

impl World {
    pub(crate) fn happen(&mut self, disturbance: Disturbance) {
        self.note(|_| format!("{disturbance:?}"));
        match disturbance {
            Disturbance::Start(host) => {
                self.hosts[host].start(self.now);
                self.follow_lease(host);
                self.call(host);
            }
            Disturbance::Shutdown(host) => self.tell(host, Input::Shutdown),
            Disturbance::Crash(host) => self.end(host),
            Disturbance::PowerOff(host) => {
                self.end(host);
                self.hosts[host].kernel.reset();
                self.hosts[host].powered = false;
                self.follow_lease(host);
            }
            Disturbance::Stop(host) => {
                self.promises.break_cadence(host);
                if let Some(daemon) = &mut self.hosts[host].daemon {
                    daemon.stopped = true;
                }
            }
            Disturbance::Continue(host) => self.go_on(host),
            Disturbance::Priority(host, priority) => {
                self.hosts[host].priority = priority;
                self.tell(host, Input::Priority(priority));
            }
            Disturbance::Check(host, good) => {
                self.hosts[host].check = good;
                self.tell(host, Input::Eligibility(self.hosts[host].fault()));
            }
            Disturbance::Link(host, up) => {
                self.hosts[host].link = up;
                self.tell(host, Input::Eligibility(self.hosts[host].fault()));
            }
            Disturbance::Mute(host, mute) => self.hosts[host].mute = mute,
            Disturbance::Cut(from, to, cut) => self.lan.set_cut(from, to, cut),
            Disturbance::Loss(loss) => self.lan.conditions.loss = loss,
            Disturbance::Mend => self.lan.mend(),
        }
    }

    fn tell(&mut self, host: usize, input: Input) {
        self.hosts[host].tell(input);
        self.call(host);
    }

    fn end(&mut self, host: usize) {
        self.hosts[host].daemon = None;
        self.promises.end(host);
    }

    fn go_on(&mut self, host: usize) {
        let Some(daemon) = &mut self.hosts[host].daemon else { return };
        if !std::mem::take(&mut daemon.stopped) {
            return;
        }
        match &mut daemon.turn {
            Some(turn) => {
                turn.send = Some(self.now);
                self.plan(self.now, Event::Send(host));
            }
            None => self.call(host),
        }
    }
}
