//! Instructions that a daemon executes for an advertisement that it hears, counted by callgrind: a figure that repeats
//! to the last digits on any machine. Only what hears by a socket can be counted: valgrind does not run the kernel's
//! programs, and does not know how they are loaded.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;

use super::{Scenario, Scope};
use crate::{
    Host, Lab,
    bench::{
        contestants::{Contestant, PLAIN, SOCKET},
        frame::{Act, Reading, Round, Row, pass},
        gauge::observer::{program, said_at_end},
        routers::Routers,
    },
    lab::binary,
    probe::Sent,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "instructions",
    about: "instructions that a Backup's daemon executes for an advertisement, by callgrind",
    rows,
};

const INTERVAL: Duration = Duration::from_secs(1);
/// A daemon under callgrind is slow: it starts within this time.
const START: Duration = Duration::from_secs(6);
const HEARS: Duration = Duration::from_secs(3);
const ENDS: Duration = Duration::from_secs(30);
/// Advertisements a second, as many as it can follow: what a daemon does besides is in both counts, and goes in the
/// difference.
const RATES: [u32; 2] = [10, 110];

fn rows(scope: Scope) -> Vec<Row> {
    let is_installed = Path::new("/usr/bin/valgrind").is_file();
    let routers = Routers::one(INTERVAL);
    let obstacle = |contestant: &dyn Contestant| match is_installed {
        true => contestant.obstacle(&routers),
        false => Some("valgrind is not installed"),
    };
    let contestants = [SOCKET, PLAIN].map(|one| (one, obstacle(one))).into();
    let act: Act = Box::new(round);
    let row =
        Row { scenario: "instructions", name: "Backup, 1 router".to_owned(), contestants, rounds: 2, act };
    if scope == Scope::Quick { Vec::new() } else { vec![row] }
}

fn round(contestant: &dyn Contestant) -> Result<Round> {
    let [few, many] = RATES.map(|rate| count(contestant, rate));
    let ((few, heard_few), (many, heard_many)) = (few?, many?);
    ensure!(heard_many > heard_few, "{heard_many} advertisements were sent, and {heard_few}");
    let each = (many as f64 - few as f64) / (heard_many - heard_few) as f64;
    let readings = vec![Reading::new("instructions for an advertisement", "", each)];
    Ok(Round { readings, ..Round::default() })
}

/// Instructions of all processes of a daemon from its start to its end, and advertisements that were sent to it.
fn count(contestant: &dyn Contestant, rate: u32) -> Result<(u64, u64)> {
    let lab = Lab::new("instructions")?;
    let [host, neighbour] = [lab.host("castor")?, lab.host("neighbour")?];
    let (probe, rate) = (program()?, rate.to_string());
    let send = [&probe, "send", "--kind", "active", "--rate", &rate, "--interval", "1000", "--host", "2"];
    let argv = argv(contestant, &host)?;
    let daemon = host.spawn("callgrind", &argv.iter().map(String::as_str).collect::<Vec<_>>())?;
    // It becomes Active, and Backup with the first advertisement that is sent to it: in both counts.
    pass(START)?;
    let traffic = neighbour.spawn("traffic", &send)?;
    pass(HEARS)?;
    let sent: Sent = said_at_end(&traffic)?;
    daemon.signal_group(Signal::SIGTERM)?;
    daemon.wait(ENDS)?;
    Ok((collected(&daemon.log()?)?, sent.frames))
}

fn argv(contestant: &dyn Contestant, host: &Host) -> Result<Vec<String>> {
    let is_ours = contestant.name() == SOCKET.name();
    let globals = if is_ours { "  datapath socket\n  guard off\n" } else { "" };
    let file = host.write_file("counted.conf", &Routers::one(INTERVAL).config(100, globals))?;
    let out = format!("--callgrind-out-file={}", host.inside("callgrind.%p"));
    let mut argv = ["valgrind", "--tool=callgrind", "--trace-children=yes", &out].map(str::to_owned).to_vec();
    if is_ours {
        argv.push(binary("xvrrp")?.into_os_string().into_string().ok().context("a path that is not UTF-8")?);
        argv.extend(["run", "-f"].map(str::to_owned));
    } else {
        argv.extend(
            ["keepalived", "--dont-fork", "--log-console", "--vrrp", "--use-file"].map(str::to_owned),
        );
    }
    argv.push(file);
    Ok(argv)
}

/// Of each process callgrind says at its end `==123== Collected : 456`.
fn collected(log: &str) -> Result<u64> {
    let counts = log.lines().filter_map(|line| line.split_once("Collected : ")?.1.trim().parse::<u64>().ok());
    let (number, sum) = counts.fold((0, 0), |(number, sum), count| (number + 1, sum + count));
    ensure!(number > 0, "callgrind counted nothing:\n{log}");
    Ok(sum)
}
