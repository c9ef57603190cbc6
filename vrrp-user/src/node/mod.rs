//! The protocol thread: one loop over deadlines, packets and messages. It waits on no other thread, and what
//! a packet means is decided in `judge` and `election`, not here.

mod act;
mod adopt;
mod agenda;
mod checks;
mod damping;
mod events;
mod farewell;
mod gathering;
mod groups;
mod guarding;
mod history;
mod links;
mod notices;
mod orders;
mod peers;
mod refusals;
mod reload;
mod router;
mod snapshot;
mod view;

use std::{
    collections::{HashMap, HashSet},
    io,
    net::IpAddr,
    os::fd::AsFd,
    sync::Arc,
};

use tokio::sync::{mpsc, oneshot, watch::Sender};
use vrrp_common::{
    election::{Input, State, replay, steady},
    judge::settled,
    time::{Instant, Interval},
};

pub use self::{adopt::Heritage, orders::Ordered, reload::Reloaded};
use self::{
    agenda::Agenda, checks::Checks, damping::Damping, gathering::Gathering, groups::Group, notices::Outbox,
    router::Router,
};
use crate::{
    config::model::{Configuration, Running},
    datapath::{Datapath, DatapathError, Progress, Slot},
    guard::{self, Guard},
    netlink::{self, Desired, DesiredRouter, LinkTable},
    notify::Notice,
    perform::{announce::Announcer, transmit::Transmitter},
    state::RouterMemory,
    status::{Events, Status},
    supervise::Supervised,
    sys::{
        clock::{self, Timer},
        watch::watch,
    },
    track::CheckReport,
};

/// How long a stop waits for the addresses to be gone.
const STOP_PATIENCE: Interval = Interval::from_secs(5);
/// Announcements sent in one turn, so that hundreds of addresses never delay an advertisement.
const ANNOUNCEMENTS_A_TURN: usize = 64;
/// How long a part of a Backup's record is enough. The whole of it also has who else was heard, in which checksum form
/// and with which list, which wakes nobody and may be told of a little later.
const WHOLE_RECORD_EVERY: Interval = Interval::from_secs(2);

/// What other threads may ask of the node.
#[derive(Debug)]
pub enum Command {
    /// Send the snapshot.
    Status(oneshot::Sender<Status>),
    /// Send what happened lately.
    Events(oneshot::Sender<Events>),
    /// Run this configuration from now on; what does not differ is not touched.
    Reload(Box<Configuration>, oneshot::Sender<Reloaded>),
    /// A planned switch-over.
    Order {
        /// A virtual router, or a group.
        name: String,
        /// What to do.
        order: Ordered,
        /// What came of it, in words.
        reply: oneshot::Sender<Result<String, String>>,
    },
    /// Resign, remove the addresses and end.
    Stop,
    /// End, and leave addresses and leases to the next daemon.
    Leave,
}

/// Where the node's messages come from.
#[derive(Debug)]
pub struct Inbox {
    /// The address thread.
    pub netlink: mpsc::Receiver<netlink::Event>,
    /// The checks.
    pub checks: mpsc::Receiver<CheckReport>,
    /// Commands.
    pub commands: mpsc::Receiver<Command>,
    /// Whoever watches that this thread turns.
    pub supervised: Supervised,
}

/// What ends a node other than a stop.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The receive path failed as a whole.
    #[error("cannot receive advertisements any more")]
    Datapath(#[from] DatapathError),
    /// The loop's own descriptors failed.
    #[error("cannot wait for timers and packets")]
    Wait(#[from] io::Error),
    /// An interface that the configuration wants guarded cannot be.
    #[error(transparent)]
    Unguarded(#[from] guard::Unguarded),
    /// The address thread ended; without it no address can be moved.
    #[error("the address thread ended; nothing can move the addresses any more")]
    AddressThread,
    /// The service thread ended; without it nothing can stop the node, and no check runs.
    #[error("the service thread ended; nobody could stop this node any more")]
    ServiceThread,
    /// The addresses could not be removed in time.
    #[error("some addresses were still on this host 5 s after the stop: check `ip address`")]
    AddressesLeft,
}

/// All virtual routers of this host and their effects.
pub struct Node {
    router_id: String,
    started: Instant,
    routers: Vec<Router>,
    /// Of `routers`.
    agenda: Agenda,
    places: HashMap<Slot, usize>,
    groups: Vec<Group>,
    outbox: Outbox,
    /// The address thread has not been told of everything yet: it is at the end of the turn, once.
    unpublished: bool,
    /// The slots of routers that a reload removed, each until their addresses are gone: see `Desired::generation`.
    departed: Vec<(Slot, u64)>,
    virtual_addresses: HashSet<IpAddr>,
    statics: DesiredRouter,
    links: Option<Arc<LinkTable>>,
    /// Between what the kernel tells of links and `links`.
    damping: Damping,
    checks: Checks,
    heritage: Heritage,
    /// Routers of the daemon before that held their addresses and are not ours: they are resigned for.
    orphans: Vec<RouterMemory>,
    datapath: Box<dyn Datapath>,
    guard: Guard,
    transmitter: Transmitter,
    announcer: Announcer,
    desired: Sender<Arc<Desired>>,
    generation: u64,
    settled: u64,
    stop_by: Option<Instant>,
    /// The end is not for the peers to notice.
    leaving: bool,
    /// Until then no router starts.
    held_until: Option<Instant>,
}

/// How a node ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It resigned and let go of everything.
    Resigned,
    /// It left what it had to the next daemon.
    Left,
}

impl Node {
    /// A node that has not started yet; it starts with the first list of interfaces.
    pub fn new(
        configuration: Configuration,
        (datapath, guard): (Box<dyn Datapath>, Guard),
        (transmitter, announcer): (Transmitter, Announcer),
        (desired, notices): (Sender<Arc<Desired>>, mpsc::Sender<Notice>),
        heritage: Heritage,
    ) -> Self {
        let groups: Vec<Group> = configuration.groups.iter().map(|one| Group::new(one, None)).collect();
        let started = clock::now();
        let mut node = Self {
            router_id: configuration.router_id,
            held_until: held_until(&configuration.running, started),
            started,
            routers: adopt::settle(configuration.instances, &heritage, started),
            agenda: Agenda::default(),
            places: HashMap::new(),
            groups,
            outbox: Outbox::new(notices),
            // What an earlier run left on the host goes, unless it may be adopted.
            unpublished: true,
            departed: Vec::new(),
            virtual_addresses: HashSet::new(),
            statics: act::statics(configuration.statics),
            links: None,
            damping: Damping::new(configuration.link_delays),
            checks: Checks::new(&configuration.checks),
            heritage,
            orphans: Vec::new(),
            datapath,
            guard,
            transmitter,
            announcer,
            desired,
            generation: 0,
            settled: 0,
            stop_by: None,
            leaving: false,
        };
        node.take_stock();
        node.inherit(&configuration.checks);
        node
    }

    /// Brings up to date what follows from the list of routers and groups.
    fn take_stock(&mut self) {
        let addresses =
            |router: &Router| router.addresses.iter().map(|entry| entry.address).collect::<Vec<_>>();
        self.virtual_addresses = self.routers.iter().flat_map(addresses).collect();
        self.places = self.routers.iter().enumerate().map(|(index, router)| (router.slot, index)).collect();
        for router in &mut self.routers {
            router.group = None;
            router.machine.listen_first(false);
        }
        (0..self.groups.len()).for_each(|group| self.mark_group(group));
        self.agenda.rebuild(self.routers.iter().map(|router| &router.machine));
    }

    /// Runs until [`Command::Stop`] or [`Command::Leave`] has been carried out.
    ///
    /// # Errors
    /// What made going on impossible. The peers were told (priority 0), and the address thread removes the
    /// addresses when the node is dropped.
    pub async fn run(mut self, inbox: Inbox) -> Result<Ending, NodeError> {
        let outcome = self.drive(inbox).await;
        if outcome.is_err() {
            self.stop();
            self.publish();
        }
        outcome.map(|()| if self.leaving { Ending::Left } else { Ending::Resigned })
    }

    async fn drive(&mut self, mut inbox: Inbox) -> Result<(), NodeError> {
        let timer = Timer::new()?;
        let expiry = watch(timer.as_fd().try_clone_to_owned()?)?;
        let packets = watch(self.datapath.readiness().try_clone_to_owned()?)?;
        let mut gathering = Gathering::default();
        loop {
            let more = self.turn()?;
            inbox.supervised.turned(self.summary());
            if let Some(outcome) = self.ended() {
                return outcome;
            }
            let gather = gathering.until();
            timer.arm(self.deadline().into_iter().chain(gather).min())?;
            // Whatever wakes the loop, the next turn serves all deadlines; so none of these needs to come first.
            tokio::select! {
                ready = expiry.readable() => {
                    ready?.clear_ready();
                    timer.clear()?;
                }
                ready = packets.readable(), if !more && gather.is_none() => {
                    ready?.clear_ready();
                    gathering.woken();
                }
                event = inbox.netlink.recv() => self.on_netlink(event.ok_or(NodeError::AddressThread)?)?,
                Some(report) = inbox.checks.recv() => self.on_check(report),
                command = inbox.commands.recv(), if self.stop_by.is_none() => {
                    self.on_command(command.ok_or(NodeError::ServiceThread)?);
                }
                () = inbox.supervised.pulse.asked() => {}
                // Not everything was read: look at the other sources once, then go on reading.
                () = std::future::ready(()), if more => {}
            }
        }
    }

    /// Reads what came in, then serves every deadline that has passed. True if packets are left to read.
    fn turn(&mut self) -> Result<bool, NodeError> {
        // Read before anything is looked at: a better advertisement heard later than this closes the lease.
        let granted = clock::now();
        let mut changed = Vec::new();
        let progress = self.datapath.drain(&mut changed)?;
        for slot in changed {
            self.replay(slot, granted);
        }
        self.catch_up(granted);
        if let Some(believed) = self.damping.settle(granted) {
            self.on_links(believed)?;
        }
        for index in 0..self.routers.len() {
            if self.agenda.is_due(index, granted) && !self.waits_for_group(index, granted) {
                self.on_deadline(index, granted);
            }
            self.on_router_pauses(index);
        }
        if self.held_until.take_if(|until| *until <= granted).is_some() && self.links.is_some() {
            let all: Vec<usize> = (0..self.routers.len()).collect();
            self.start(&all);
        }
        if self.stop_by.is_none() {
            (0..self.groups.len()).for_each(|group| self.settle_group(group, granted));
        }
        self.outbox.flush();
        self.expire_checks();
        self.publish();
        self.announce();
        self.tell_refusals(granted);
        Ok(progress == Progress::More)
    }

    /// A steady advertisement raises no event, so a Backup's time is often up although its Active lives. When one's
    /// is, the records of all are read: their deadlines move on together, and however the advertisements of many
    /// routers are spread, the loop wakes no oftener than for one.
    fn catch_up(&mut self, granted: Instant) {
        debug_assert!(self.agenda.is_true(self.routers.iter().map(|router| &router.machine)));
        if !self.agenda.calls_for_backups(granted) {
            return;
        }
        for index in 0..self.routers.len() {
            if self.agenda.is_backup(index) {
                self.follow(index, granted);
            }
        }
    }

    /// As [`Self::replay`], with a look at one line of the record while the Active is as steady as ever: programs write to
    /// it on other processors, and each line of memory that both touch costs more than all that is done with it here.
    fn follow(&mut self, index: usize, granted: Instant) {
        let router = &mut self.routers[index];
        let recent = granted.since(router.read) < WHOLE_RECORD_EVERY;
        let now = self.datapath.repeat(router.slot).filter(|_| recent);
        let news = now.and_then(|now| steady(&router.seen.repeat, &now));
        let Some(news) = news else {
            let slot = router.slot;
            return self.replay(slot, granted);
        };
        if let (Some(advertised), Some(now)) = (news, now) {
            router.seen.repeat = now;
            self.input(index, Input::Advertisement(advertised), granted);
        }
    }

    fn on_deadline(&mut self, index: usize, granted: Instant) {
        let slot = self.routers[index].slot;
        // A steady advertisement raises no event: the record is the truth, and it is read before judging.
        self.replay(slot, granted);
        let router = &self.routers[index];
        // An Active's silence is not judged while packets that arrived in time wait to be read.
        let judged = match router.machine.state() {
            State::Active => granted,
            _ => self.datapath.judged_until(slot).min(granted),
        };
        let due = router.machine.deadline().is_some_and(|due| due <= judged);
        if due && !self.waits_for_group(index, judged) {
            self.input(index, Input::Timer, granted);
        }
    }

    /// Hands to the election what its record holds that it has not seen.
    fn replay(&mut self, slot: Slot, granted: Instant) {
        let Some(index) = self.index_of(slot) else { return };
        let heard = self.datapath.heard(slot);
        let router = &mut self.routers[index];
        let news = replay(&settled(router.seen), &heard);
        router.learn_form(&heard);
        (router.seen, router.read) = (heard, granted);
        for advertised in news {
            self.input(index, Input::Advertisement(advertised), granted);
        }
    }

    /// The earliest instant at which the loop must turn again.
    fn deadline(&self) -> Option<Instant> {
        let now = clock::now();
        // A member whose time has run out waits for the others, and its group says until when.
        let waits = |index, due| due <= now && self.waits_for_group(index, now);
        let patience = self.datapath.patience();
        let patient = |due: Instant| patience.map_or(due, |until| due.max(until));
        let elections = self.agenda.deadlines().filter(|(index, due, _)| !waits(*index, *due));
        let elections = elections.map(|(_, due, is_backup)| if is_backup { patient(due) } else { due });
        let pauses = self.routers.iter().filter_map(Router::pause_deadline);
        let groups = (0..self.groups.len()).filter_map(|group| self.group_deadline(group)).map(patient);
        let others = [self.announcer.deadline(), self.checks.deadline(), self.stop_by, self.held_until];
        let others = others.into_iter().chain([self.damping.deadline()]).flatten();
        elections.chain(pauses).chain(groups).chain(others).min()
    }

    fn announce(&mut self) {
        if let Err(error) = self.announcer.turn(clock::now(), ANNOUNCEMENTS_A_TURN) {
            let name = self.index_of(error.slot).map_or("?", |index| &self.routers[index].instance.name);
            tracing::warn!("{name}: {error}");
        }
    }

    /// How a stop went, once it is over.
    fn ended(&self) -> Option<Result<(), NodeError>> {
        let stop_by = self.stop_by?;
        if self.settled >= self.generation {
            return Some(Ok(()));
        }
        (clock::now() >= stop_by).then_some(Err(NodeError::AddressesLeft))
    }

    fn index_of(&self, slot: Slot) -> Option<usize> {
        self.places.get(&slot).copied()
    }
}

/// When the routers of a node that starts at `started` may start, if that is later. The clock counts from the
/// start of the host.
fn held_until(running: &Running, started: Instant) -> Option<Instant> {
    let until = started.after(running.start_delay).max(Instant::from_nanos(running.boot_delay.as_nanos()));
    let held = until > started;
    if held {
        tracing::info!("the virtual routers start in {}, as configured", until.since(started));
    }
    held.then_some(until)
}
