//! Who is told of transitions: programs and pipes, in keepalived's own words. It runs in the service thread; that
//! something happened, and what, is the node's to say.

mod backlog;
mod mail;
mod pipe;
mod queue;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::mpsc, time::timeout};
use vrrp_common::time::Interval;

use self::{mail::Mailer, pipe::Pipe, queue::Queue};
use crate::{
    config::model::{Configuration, Fifo, Notify, Program},
    spawner::Spawner,
};

/// How long a program may take.
pub const PATIENCE: Interval = Interval::from_secs(60);
/// How long the end of the node waits for what is still to be told.
const FAREWELL: Duration = Duration::from_secs(5);

/// What something happened to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// Which kind.
    pub kind: SubjectKind,
    /// The name in the file.
    pub name: Arc<str>,
}

/// A virtual router, or routers that move together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// One router.
    Instance,
    /// A group.
    Group,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// It became Active.
    Active,
    /// It became Backup.
    Backup,
    /// It is not eligible any more.
    Fault,
    /// The node stops.
    Stop,
    /// A reload removed it.
    Deleted,
    /// An Active heard an advertisement of lower priority.
    Losing,
    /// An Active's priority changed.
    ActivePriority,
    /// A Backup's priority changed.
    BackupPriority,
}

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Who.
    pub subject: Subject,
    /// What.
    pub happening: Happening,
    /// The effective priority; 0 for a group.
    pub priority: u8,
}

impl SubjectKind {
    fn word(self) -> &'static str {
        match self {
            Self::Instance => "INSTANCE",
            Self::Group => "GROUP",
        }
    }
}

impl Happening {
    fn word(self) -> &'static str {
        match self {
            Self::Active => "MASTER",
            Self::Backup => "BACKUP",
            Self::Fault => "FAULT",
            Self::Stop => "STOP",
            Self::Deleted => "DELETED",
            Self::Losing => "MASTER_RX_LOWER_PRI",
            Self::ActivePriority => "MASTER_PRIORITY",
            Self::BackupPriority => "BACKUP_PRIORITY",
        }
    }

    /// The program for it alone.
    fn program(self, notify: &Notify) -> Option<&Program> {
        match self {
            Self::Active => notify.active.as_ref(),
            Self::Backup => notify.backup.as_ref(),
            Self::Fault => notify.fault.as_ref(),
            Self::Stop => notify.stop.as_ref(),
            Self::Deleted => notify.deleted.as_ref(),
            Self::Losing => notify.losing.as_ref(),
            Self::ActivePriority | Self::BackupPriority => None,
        }
    }

    /// Whether it is a transition, which the program for every transition is told of.
    fn is_transition(self) -> bool {
        !matches!(self, Self::Losing | Self::ActivePriority | Self::BackupPriority)
    }
}

/// `INSTANCE "VI_1" MASTER 100`, as keepalived writes it into its pipes.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = (self.subject.kind.word(), &self.subject.name);
        write!(f, "{kind} \"{name}\" {} {}", self.happening.word(), self.priority)
    }
}

/// What is called for one notice, in this order: the program for it, then the one for every transition, with
/// keepalived's four arguments.
fn calls(notice: &Notice, notify: &Notify) -> Vec<Program> {
    let own = notice.happening.program(notify).cloned();
    let every = notify.every.clone().filter(|_| notice.happening.is_transition()).map(|mut program| {
        let Notice { subject, happening, priority } = notice;
        let (kind, name, word) = (subject.kind.word(), subject.name.to_string(), happening.word());
        program.command.extend([kind.to_owned(), name, word.to_owned(), priority.to_string()]);
        program
    });
    own.into_iter().chain(every).collect()
}

fn lock<T>(waiting: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code that can panic runs under the lock.
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells whoever the configuration names.
pub struct Teller {
    spawner: Spawner,
    patience: Interval,
    programs: HashMap<Subject, Notify>,
    queues: HashMap<Subject, Queue>,
    pipes: Vec<Pipe>,
    mailer: Mailer,
}

impl Teller {
    /// Nobody is to be told yet. Each program may take `patience`.
    pub fn new(spawner: Spawner, patience: Interval) -> Self {
        Self {
            spawner,
            patience,
            programs: HashMap::new(),
            queues: HashMap::new(),
            pipes: Vec::new(),
            mailer: Mailer::default(),
        }
    }

    /// Tells these from now on. Pipes that stay the same go on with what is still to be written. The programs of
    /// what is no longer there stay until the next change: they are told of its end.
    pub fn set(&mut self, configuration: &Configuration) {
        let instances =
            configuration.instances.iter().map(|one| (SubjectKind::Instance, &one.name, &one.notify));
        let groups = configuration.groups.iter().map(|one| (SubjectKind::Group, &one.name, &one.notify));
        self.programs.extend(
            instances
                .chain(groups)
                .map(|(kind, name, notify)| (Subject { kind, name: name.as_str().into() }, notify.clone())),
        );
        self.set_pipes(&configuration.fifos);
        self.mailer.set(configuration);
    }

    fn set_pipes(&mut self, fifos: &[Fifo]) {
        self.pipes.retain(|pipe| fifos.contains(&pipe.fifo));
        for fifo in fifos {
            if !self.pipes.iter().any(|pipe| pipe.fifo == *fifo) {
                self.pipes.push(Pipe::open(fifo.clone(), &self.spawner));
            }
        }
    }

    /// Tells of one thing. Nothing is waited for: what cannot be told now is told in its order.
    pub fn tell(&mut self, notice: &Notice) {
        for pipe in &self.pipes {
            pipe.write(notice);
        }
        let Some(notify) = self.programs.get(&notice.subject) else { return };
        if notify.mail {
            self.mailer.tell(notice);
        }
        let calls = calls(notice, notify);
        if !calls.is_empty() {
            let name = notice.to_string();
            let queue = self.queues.entry(notice.subject.clone()).or_default();
            let how = (&self.spawner, self.patience);
            calls.into_iter().for_each(|program| queue.call(name.clone(), program, how));
        }
    }

    /// Tells of everything that arrives, until the node is gone and all is told, or as much as can be in a few
    /// seconds. Configurations arrive beside.
    pub async fn run(
        mut self,
        mut notices: mpsc::Receiver<Notice>,
        mut configurations: mpsc::UnboundedReceiver<Arc<Configuration>>,
    ) {
        loop {
            tokio::select! {
                // What belongs to a configuration comes after it.
                biased;
                Some(configuration) = configurations.recv() => self.set(&configuration),
                notice = notices.recv() => match notice {
                    Some(notice) => self.tell(&notice),
                    None => break,
                },
            }
        }
        if timeout(FAREWELL, self.finish()).await.is_err() {
            tracing::warn!("some notify programs did not end within 5 s; they are killed with the node");
        }
    }

    async fn finish(&mut self) {
        for queue in self.queues.values() {
            queue.empty().await;
        }
        for pipe in &self.pipes {
            pipe.empty().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::Credentials;

    fn notice(kind: SubjectKind, name: &str, happening: Happening, priority: u8) -> Notice {
        Notice { subject: Subject { kind, name: name.into() }, happening, priority }
    }

    /// Reference: keepalived-behaviour 6.4.
    #[test]
    fn lines_are_keepaliveds() {
        use Happening::*;
        for (kind, name, happening, priority, line) in [
            (SubjectKind::Instance, "VI_1", Active, 100, "INSTANCE \"VI_1\" MASTER 100"),
            (SubjectKind::Instance, "VI_1", Fault, 97, "INSTANCE \"VI_1\" FAULT 97"),
            (SubjectKind::Group, "G1", Backup, 0, "GROUP \"G1\" BACKUP 0"),
            (SubjectKind::Group, "G1", Stop, 0, "GROUP \"G1\" STOP 0"),
            (SubjectKind::Instance, "A", Deleted, 1, "INSTANCE \"A\" DELETED 1"),
            (SubjectKind::Instance, "A", Losing, 255, "INSTANCE \"A\" MASTER_RX_LOWER_PRI 255"),
            (SubjectKind::Instance, "A", ActivePriority, 9, "INSTANCE \"A\" MASTER_PRIORITY 9"),
            (SubjectKind::Instance, "A", BackupPriority, 9, "INSTANCE \"A\" BACKUP_PRIORITY 9"),
        ] {
            assert_eq!(notice(kind, name, happening, priority).to_string(), line);
        }
    }

    #[test]
    fn programs_get_the_arguments_that_keepalived_gives_them() {
        let program = |words: &str| Program {
            command: words.split(' ').map(str::to_owned).collect(),
            user: Credentials { uid: 0, gid: 0 },
        };
        let notify = Notify {
            active: Some(program("/m master")),
            every: Some(program("/n all")),
            losing: Some(program("/l")),
            ..Notify::default()
        };
        let called = |happening| -> Vec<String> {
            let notice = notice(SubjectKind::Instance, "VI 1", happening, 150);
            calls(&notice, &notify).iter().map(|program| program.command.join("|")).collect()
        };
        assert_eq!(called(Happening::Active), ["/m|master", "/n|all|INSTANCE|VI 1|MASTER|150"]);
        assert_eq!(called(Happening::Stop), ["/n|all|INSTANCE|VI 1|STOP|150"]);
        assert_eq!(called(Happening::Losing), ["/l"]);
        assert!(called(Happening::ActivePriority).is_empty());
    }
}
