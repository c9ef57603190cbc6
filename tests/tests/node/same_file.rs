//! The same file on two hosts, told scenario by scenario: who owns the addresses after each step, and every line that
//! each host tells, must be the same with two keepalived and with one of each make.

use std::time::Instant;

use anyhow::{Result, ensure};
use vrrp_tests::{Host, Process, peers::Router, scenario::Make, story, wait_until};

use crate::{
    groups,
    pair::{A_WHILE, FAST, Pair},
};

/// How often a scenario may be played until it agrees.
const PLAYS: u32 = 3;
const CASTOR: usize = 0;
const POLLUX: usize = 1;
const PIPE: &str = "global_defs {\n    script_user root\n    vrrp_notify_fifo /run/lab/fifo\n}\n\n";

/// What happens in a step.
#[derive(Clone, Copy)]
enum Act {
    Start(usize),
    Stop(usize),
    /// Shell text on a host.
    Do(usize, &'static str),
}

use Act::{Do, Start, Stop};

struct Scenario {
    name: &'static str,
    /// The file, but for the priority.
    file: fn(u8) -> String,
    /// Castor's and pollux's.
    priorities: [u8; 2],
    addresses: &'static [&'static str],
    /// What happens, and who owns all addresses then.
    steps: &'static [(Act, &'static str)],
    /// Of whom lines are told.
    subjects: &'static [&'static str],
}

fn one_router(trackers: &str, blocks: &str, priority: u8) -> String {
    format!(
        "{PIPE}{blocks}vrrp_instance A {{\n    interface eth0\n    version 3\n    virtual_router_id 51\n    \
         priority {priority}\n    advert_int 0.1\n    virtual_ipaddress {{\n        192.0.2.100\n    }}\n{trackers}}}\n"
    )
}

/// A script that fails while its file is missing, weighted as `weight` says.
fn with_script(weight: &str, priority: u8) -> String {
    let script = "vrrp_script chk {\n    script \"/usr/bin/test -e /run/lab/well\"\n    interval 0.2\n}\n\n";
    one_router(&format!("    track_script {{\n        chk weight {weight}\n    }}\n"), script, priority)
}

const ELECTION: Scenario = Scenario {
    name: "election",
    file: |priority| one_router("", "", priority),
    priorities: [150, 100],
    addresses: &["192.0.2.100"],
    steps: &[
        (Start(POLLUX), "pollux"),
        (Start(CASTOR), "castor"),
        (Stop(CASTOR), "pollux"),
        (Start(CASTOR), "castor"),
        (Stop(POLLUX), "castor"),
    ],
    subjects: &["INSTANCE \"A\""],
};

/// What a failing check takes away.
const WEIGHT: Scenario = Scenario {
    name: "a negative weight",
    file: |priority| with_script("-30", priority),
    priorities: [150, 130],
    addresses: &["192.0.2.100"],
    steps: &[
        (Do(CASTOR, ": >/run/lab/well"), ""),
        (Do(POLLUX, ": >/run/lab/well"), ""),
        (Start(CASTOR), "castor"),
        (Start(POLLUX), "castor"),
        (Do(CASTOR, "rm /run/lab/well"), "pollux"),
        (Do(CASTOR, ": >/run/lab/well"), "castor"),
    ],
    subjects: &["INSTANCE \"A\""],
};

/// The same, turned round: what a check that succeeds takes away.
const REVERSE: Scenario = Scenario {
    name: "a weight in reverse",
    file: |priority| with_script("-30 reverse", priority),
    steps: &[
        (Start(CASTOR), "castor"),
        (Start(POLLUX), "castor"),
        (Do(CASTOR, ": >/run/lab/well"), "pollux"),
        (Do(POLLUX, ": >/run/lab/well"), "castor"),
        (Do(CASTOR, "rm /run/lab/well"), "castor"),
    ],
    ..WEIGHT
};

const GROUP: Scenario = Scenario {
    name: "a sync group",
    file: |priority| PIPE.to_owned() + &groups::file(priority),
    priorities: [150, 100],
    addresses: &["192.0.2.100", "192.0.2.101"],
    steps: &[
        (Start(POLLUX), "pollux"),
        (Start(CASTOR), "castor"),
        (Do(CASTOR, "echo 1 >/run/lab/switch"), "pollux"),
        (Do(CASTOR, "echo 0 >/run/lab/switch"), "castor"),
        (Stop(CASTOR), "pollux"),
    ],
    subjects: &["INSTANCE \"A\"", "INSTANCE \"B\"", "GROUP \"G\""],
};

/// A host, its router while it runs, and the lines that it tells.
struct Side {
    host: Host,
    make: Make,
    router: Option<Box<dyn Router>>,
    lines: Process,
}

impl Side {
    fn new(host: &Host, make: Make) -> Result<Self> {
        host.sh("rm -f /run/lab/fifo /run/lab/well /run/lab/switch; mkfifo -m 600 /run/lab/fifo")?;
        // Read and write, so that it does not end with the first router.
        let lines = host.spawn("lines", &["sh", "-c", "exec cat <>/run/lab/fifo"])?;
        Ok(Self { host: host.clone(), make, router: None, lines })
    }

    /// What was told of one router or group, in order. Chance says what crosses on the wire, and whether the first line
    /// knows a check's result already.
    fn told_of(&self, subject: &str) -> Result<Vec<String>> {
        let log = self.lines.log()?;
        let lines =
            log.lines().filter(|line| line.starts_with(subject) && !line.contains(" MASTER_RX_LOWER_PRI "));
        let mut told: Vec<String> = lines.map(str::to_owned).collect();
        if let Some(first) = told.first_mut() {
            first.truncate(first.trim_end_matches(|c: char| c.is_ascii_digit()).len());
        }
        Ok(told)
    }
}

/// Plays a scenario; what castor and pollux told of each subject.
fn play(pair: &Pair<'_>, scenario: &Scenario, makes: [Make; 2]) -> Result<Vec<Vec<String>>> {
    let mut sides = [Side::new(&pair.castor, makes[0])?, Side::new(&pair.pollux, makes[1])?];
    for (number, (act, owner)) in scenario.steps.iter().enumerate() {
        match *act {
            Start(at) => {
                let Side { host, make, .. } = &sides[at];
                let router = make.start(host, &(scenario.file)(scenario.priorities[at]))?;
                sides[at].router = Some(router);
            }
            Stop(at) => sides[at].router.take().map_or(Ok(()), |router| router.shut_down())?,
            Do(at, text) => drop(sides[at].host.sh(text)?),
        }
        if owner.is_empty() {
            continue;
        }
        let what = format!("{} with {makes:?}, step {number}: {owner} owns it", scenario.name);
        wait_until(FAST, &what, || {
            scenario
                .addresses
                .iter()
                .try_fold(true, |so_far, address| Ok(so_far && pair.lab.owners(address)? == [*owner]))
        })?;
        settle(&sides)?;
    }
    for at in [CASTOR, POLLUX] {
        if let Some(router) = sides[at].router.take() {
            router.shut_down()?;
            // Who is left takes over before it ends in turn.
            settle(&sides)?;
        }
    }
    let subjects = scenario.subjects.iter();
    subjects.flat_map(|subject| sides.iter().map(|side| side.told_of(subject))).collect()
}

/// Waits until nobody has told anything for a second: ten intervals and five runs of a check.
fn settle(sides: &[Side; 2]) -> Result<()> {
    let told = || -> Result<Vec<String>> { sides.iter().map(|side| side.lines.log()).collect() };
    let mut last = (told()?, Instant::now());
    wait_until(FAST, "nobody tells anything any more", || {
        let now = told()?;
        if now != last.0 {
            last = (now, Instant::now());
        }
        Ok(last.1.elapsed() > A_WHILE)
    })
}

/// With two keepalived, then with xvrrp in either place.
fn agree(scenario: &Scenario) -> Result<()> {
    story(&format!("beside keepalived: {}", scenario.name), &["keepalived"], |lab| {
        let pair = Pair::new(lab)?;
        let reference = || play(&pair, scenario, [Make::Keepalived, Make::Keepalived]);
        let mut theirs = reference()?;
        ensure!(theirs.iter().all(|lines| !lines.is_empty()), "nothing was told: {theirs:?}");
        for makes in [[Make::Xvrrp, Make::Keepalived], [Make::Keepalived, Make::Xvrrp]] {
            let mut ours = play(&pair, scenario, makes)?;
            // On a busy machine whoever is late, of either make, adds a transition.
            for _ in 1..PLAYS {
                if ours != theirs {
                    (theirs, ours) = (reference()?, play(&pair, scenario, makes)?);
                }
            }
            assert_eq!(ours, theirs, "{} with {makes:?}", scenario.name);
        }
        Ok(())
    })
}

#[test]
fn elections_agree() -> Result<()> {
    agree(&ELECTION)
}

#[test]
fn weights_agree() -> Result<()> {
    agree(&WEIGHT)
}

#[test]
fn weights_in_reverse_agree() -> Result<()> {
    agree(&REVERSE)
}

#[test]
fn sync_groups_agree() -> Result<()> {
    agree(&GROUP)
}
