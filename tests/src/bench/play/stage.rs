//! Playing what was declared: hosts, nodes, loads, the trouble. What the numbers are is `readings`'.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{Cast, Gauge, Load, Place, Play, Trouble, readings};
use crate::{
    Host, Lab, Process,
    bench::{
        contestants::Contestant,
        frame::{Round, pass},
        gauge::{
            cgroup::Cgroup,
            observer::{Observer, program, said_at_end},
            process::Processes,
        },
    },
    peers::Router,
    probe::{Kind, Sent, now},
    story::SOON,
};

/// Priorities of castor and pollux.
const PRIORITIES: [u8; 2] = [200, 100];
/// Nothing is measured before a node has been in its state for so long.
const CALM: Duration = Duration::from_secs(1);

/// The hosts and what runs on them.
pub(super) struct Stage<'a> {
    play: &'a Play,
    contestant: &'a dyn Contestant,
    castor: Host,
    pollux: Host,
    client: Host,
    stranger: Host,
    nodes: Vec<Box<dyn Router>>,
    // Last, so that it ends last: the hosts go with it.
    lab: Lab,
}

/// Plays a round.
pub(super) fn perform(play: &Play, contestant: &dyn Contestant) -> Result<Round> {
    let mut stage = Stage::new(play, contestant)?;
    stage.play().map_err(|error| anyhow!("{error:#}\n{}", stage.lab.logs()))
}

impl<'a> Stage<'a> {
    fn new(play: &'a Play, contestant: &'a dyn Contestant) -> Result<Self> {
        let lab = Lab::new(contestant.name())?;
        let [castor, pollux, client, stranger] =
            [lab.host("castor")?, lab.host("pollux")?, lab.host("client")?, lab.host("stranger")?];
        client.sh("ip route add 198.51.100.0/24 dev eth0")?;
        for number in 1..play.routers.interfaces {
            lab.connect(&castor, &format!("eth{number}"))?;
        }
        Ok(Self { play, contestant, castor, pollux, client, stranger, nodes: Vec::new(), lab })
    }

    fn play(&mut self) -> Result<Round> {
        let play = self.play;
        let speaker = (play.cast == Cast::Backup)
            .then(|| self.traffic(Kind::Active, play.routers.rate().ceil() as u32))
            .transpose()?;
        self.start_nodes()?;
        self.place()?;
        pass(CALM + 2 * play.routers.interval)?;
        let observer = self.observer()?;
        // Before anything weighs: who dies of it is missed.
        let measured = self.measured()?;
        let loads = self.loads()?;
        if let Some(load) = loads.first() {
            // What weighs must weigh before it is measured.
            load.wait_ready("the load runs", || Ok(true))?;
        }
        pass(Duration::from_millis(200))?;
        let usage = measured.measure(&self.tracing()?)?;
        let start = now();
        let trouble = self.befall()?;
        pass(play.lasts)?;
        let end = now();
        let usage = usage.end()?;
        let sight = observer.map(Observer::stop).transpose()?;
        drop(trouble);
        let sent: Vec<Sent> = match play.load {
            Load::Traffic(..) => loads.iter().map(said_at_end).collect::<Result<_>>()?,
            _ => Vec::new(),
        };
        let spoken = speaker.map(|speaker| said_at_end::<Sent>(&speaker)).transpose()?;
        Ok(readings::Evidence { play, start, end, usage, sight, sent: sent.first().copied(), spoken }.round())
    }

    fn start_nodes(&mut self) -> Result<()> {
        let Play { routers, cast, .. } = self.play;
        let [high, low] = PRIORITIES;
        let first = routers.first();
        match cast {
            Cast::Backup => self.nodes.push(self.contestant.start(&self.castor, routers, low)?),
            Cast::Active => {
                let node = self.contestant.start(&self.castor, routers, high)?;
                node.wait_active(&first, SOON)?;
                self.nodes.push(node);
            }
            Cast::Late => {
                let node = self.contestant.start(&self.pollux, routers, low)?;
                node.wait_active(&first, SOON)?;
                self.nodes.push(node);
            }
            Cast::Pair => {
                let node = self.contestant.start(&self.castor, routers, high)?;
                self.nodes.push(self.contestant.start(&self.pollux, routers, low)?);
                node.wait_active(&first, SOON)?;
                self.nodes.push(node);
            }
        }
        Ok(())
    }

    fn processes(&self, host: &Host) -> Result<Processes> {
        Processes::find(host, self.contestant.programs())
    }

    /// The node that is measured: the one that a load weighs on.
    fn measured(&self) -> Result<Processes> {
        let on_pollux = matches!(self.play.load, Load::Shell(..)) || self.play.cast == Cast::Late;
        self.processes(if on_pollux { &self.pollux } else { &self.castor })
    }

    fn place(&self) -> Result<()> {
        if self.play.place == Place::Anywhere {
            return Ok(());
        }
        self.processes(&self.castor)?.pin(0)?;
        self.processes(&self.pollux)?.pin(1)?;
        if self.play.place == Place::ApartReceivingThere {
            // A mask: the second processor.
            self.pollux.sh("echo 2 >/sys/class/net/eth0/queues/rx-0/rps_cpus")?;
        }
        Ok(())
    }

    fn observer(&self) -> Result<Option<Observer>> {
        let asks = |gauge: &Gauge| matches!(gauge, Gauge::Outage | Gauge::TwoOwners);
        let Play { measure, routers, .. } = self.play;
        let address = measure.iter().any(asks).then(|| routers.asked_for());
        let watches = address.is_some() || measure.contains(&Gauge::FalseTakeovers);
        watches.then(|| Observer::start(&self.client, address)).transpose()
    }

    fn loads(&self) -> Result<Vec<Process>> {
        match self.play.load {
            Load::Nothing => Ok(Vec::new()),
            Load::Traffic(kind, rate) => Ok(vec![self.traffic(kind, rate)?]),
            Load::Shell(text, copies) => {
                let argv: &[&str] = match self.play.place {
                    Place::Anywhere => &["sh", "-c", text],
                    Place::Apart | Place::ApartReceivingThere => {
                        &["taskset", "--cpu-list", "1", "sh", "-c", text]
                    }
                };
                (0..copies).map(|_| self.pollux.spawn("load", argv)).collect()
            }
        }
    }

    fn traffic(&self, kind: Kind, rate: u32) -> Result<Process> {
        let routers = &self.play.routers;
        let vrids = if kind == Kind::Unknown { 99..=99 } else { routers.vrids.clone() };
        let families: Vec<String> =
            routers.families.iter().map(|family| (*family as u8).to_string()).collect();
        let kind = format!("{kind:?}").to_lowercase();
        let [rate, first, last, interval] = [
            rate.to_string(),
            vrids.start().to_string(),
            vrids.end().to_string(),
            routers.interval.as_millis().to_string(),
        ];
        let families = families.join(",");
        let argv = [
            "chrt",
            "--fifo",
            "40",
            &program()?,
            "send",
            "--kind",
            &kind,
            "--rate",
            &rate,
            "--vrids",
            &first,
            &last,
            "--families",
            &families,
            "--interval",
            &interval,
            "--host",
            "4",
        ];
        self.stranger.spawn("traffic", &argv)
    }

    /// A tracefs of castor's or pollux's, to count system calls by. Without one they are not counted.
    fn tracing(&self) -> Result<std::path::PathBuf> {
        self.castor.run(&["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"])?;
        Ok(format!("/proc/{}/root/sys/kernel/tracing", self.castor.pid()).into())
    }

    /// Lets it happen. What must not end before the measurement does is returned.
    fn befall(&mut self) -> Result<Option<Cgroup>> {
        match self.play.trouble {
            Trouble::Nothing => {}
            Trouble::CutCarrier => self.lab.cut_carrier(&self.castor)?,
            Trouble::CutSilently => self.lab.cut_silently(&self.castor)?,
            Trouble::Signal(signal) => self.signal(Signal::try_from(signal)?)?,
            Trouble::StopFor(time) => {
                self.signal(Signal::SIGSTOP)?;
                pass(time)?;
                self.signal(Signal::SIGCONT)?;
            }
            Trouble::Freeze => {
                let group = Cgroup::holding(self.processes(&self.castor)?.pids())?;
                group.freeze(true)?;
                return Ok(Some(group));
            }
            Trouble::Start => {
                let node = self.contestant.start(&self.castor, &self.play.routers, PRIORITIES[0])?;
                self.nodes.push(node);
            }
        }
        Ok(None)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        for pid in self.processes(&self.castor)?.pids() {
            // One may end because another did.
            match kill(Pid::from_raw(*pid), signal) {
                Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                Err(error) => return Err(error).with_context(|| format!("sending {signal} to {pid}")),
            }
        }
        Ok(())
    }
}
