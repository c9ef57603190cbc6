//! Playing what was declared: hosts, nodes, loads, the trouble. What the numbers are is `readings`'.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{Cast, Gauge, Load, Play, Side, Trouble, readings};
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
        routers::SERVICE,
    },
    peers::Router,
    probe::{Kind, Sent, now},
    story::SOON,
};

/// Priorities of castor and pollux.
const PRIORITIES: [u8; 2] = [200, 100];
/// Nothing is measured before a node has been in its state for so long.
const CALM: Duration = Duration::from_millis(500);
/// A process that is given so long has handled a signal.
const AGAIN: Duration = Duration::from_millis(2);

/// The hosts and what runs on them.
pub(super) struct Stage<'a> {
    play: &'a Play,
    contestant: &'a dyn Contestant,
    castor: Host,
    pollux: Host,
    client: Host,
    stranger: Host,
    _services: Vec<Process>,
    nodes: Vec<Box<dyn Router>>,
    // The hosts end with it, and after them the groups that bound them.
    lab: Lab,
    _bounds: Vec<Cgroup>,
}

/// Plays a round.
pub(super) fn perform(play: &Play, contestant: &dyn Contestant) -> Result<Round> {
    let mut stage = Stage::new(play, contestant)?;
    stage.play().map_err(|error| anyhow!("{error:#}\n{}", stage.lab.logs()))
}

/// One may have ended because another did.
fn tell(pid: i32, signal: Signal) -> Result<()> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("sending {signal} to {pid}")),
    }
}

/// Starts what the nodes look for.
fn serve(host: &Host) -> Result<Process> {
    let text = format!("cp /bin/sleep /run/{SERVICE} && exec /run/{SERVICE} infinity");
    host.spawn(SERVICE, &["sh", "-c", &text])
}

impl<'a> Stage<'a> {
    fn new(play: &'a Play, contestant: &'a dyn Contestant) -> Result<Self> {
        let lab = Lab::new(contestant.name())?;
        let [castor, pollux, client, stranger] =
            [lab.host("castor")?, lab.host("pollux")?, lab.host("client")?, lab.host("stranger")?];
        client.sh("ip route add 198.51.100.0/24 dev eth0")?;
        if matches!(play.burden.load, Load::Traffic(..)) {
            // A flood is for the nodes; whoever observes them would only slow it down.
            lab.keep_apart(&[&client, &stranger])?;
        }
        for number in 1..play.routers.interfaces {
            lab.connect(&castor, &format!("eth{number}"))?;
        }
        let _services = if play.routers.has_service {
            [&castor, &pollux].into_iter().map(serve).collect::<Result<_>>()?
        } else {
            Vec::new()
        };
        let _bounds = play.burden.bind([&castor, &pollux])?;
        Ok(Self {
            play,
            contestant,
            castor,
            pollux,
            client,
            stranger,
            _services,
            nodes: Vec::new(),
            lab,
            _bounds,
        })
    }

    fn play(&mut self) -> Result<Round> {
        let play = self.play;
        let speaker = (play.cast == Cast::Backup)
            .then(|| self.traffic(Kind::Active, play.routers.rate().ceil() as u32))
            .transpose()?;
        self.start_nodes()?;
        if play.cast == Cast::Pair {
            let nodes = [self.processes(&self.castor)?, self.processes(&self.pollux)?];
            play.place.arrange([&self.castor, &self.pollux], nodes)?;
        }
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
        let sent: Vec<Sent> = match play.burden.load {
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
        let burden = self.play.burden;
        let on_pollux = (matches!(burden.load, Load::Shell(..)) && burden.side != Side::Active)
            || self.play.cast == Cast::Late;
        self.processes(if on_pollux { &self.pollux } else { &self.castor })
    }

    fn observer(&self) -> Result<Option<Observer>> {
        let asks = |gauge: &Gauge| matches!(gauge, Gauge::Outage | Gauge::TwoOwners);
        let Play { measure, routers, .. } = self.play;
        let address = measure.iter().any(asks).then(|| routers.asked_for());
        let watches = address.is_some() || measure.contains(&Gauge::FalseTakeovers);
        // Two owners at a preemption are a matter of microseconds.
        let every = if self.play.trouble == Trouble::Start { 100 } else { 1000 };
        watches.then(|| Observer::start(&self.client, address, Duration::from_micros(every))).transpose()
    }

    fn loads(&self) -> Result<Vec<Process>> {
        let Play { burden, place, .. } = self.play;
        match burden.load {
            Load::Traffic(kind, rate) => Ok(vec![self.traffic(kind, rate)?]),
            Load::Nothing | Load::Shell(..) => burden.weigh(*place, [&self.castor, &self.pollux]),
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
            Trouble::KillService => self.castor.check(&["killall", "-KILL", SERVICE]).map(drop)?,
            Trouble::Start => {
                let node = self.contestant.start(&self.castor, &self.play.routers, PRIORITIES[0])?;
                self.nodes.push(node);
            }
        }
        Ok(None)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let processes = self.processes(&self.castor)?;
        // Rust's own handler lets the first one go, because a real fault would come again at once.
        let times = if signal == Signal::SIGSEGV { 2 } else { 1 };
        for number in 0..times {
            pass(number * AGAIN)?;
            processes.pids().iter().try_for_each(|pid| tell(*pid, signal))?;
        }
        Ok(())
    }
}
