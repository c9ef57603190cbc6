//! The kernel's programs of a running node: what they cost, and running them on frames of our making. The node's own
//! programs and maps are taken, not copies of them.

use std::{collections::BTreeMap, fs, os::fd::OwnedFd};

use anyhow::{Context as _, Result};
use vrrp_common::abi::{RouterKey, Shortcut};

use crate::attr::{self, Attr};

const MAP_LOOKUP: u32 = 1;
const MAP_UPDATE: u32 = 2;
const MAP_NEXT_KEY: u32 = 4;
const TEST_RUN: u32 = 10;
const PROG_BY_ID: u32 = 13;
const MAP_BY_ID: u32 = 14;
const INFO: u32 = 15;
const ENABLE_STATS: u32 = 32;
/// `linux/bpf.h`.
const XDP_PASS: i32 = 2;
const TC_NEXT: i32 = -1;

/// The kernel accounts the run time of all programs while this lives, and stops however this process ends.
#[derive(Debug)]
pub(crate) struct Accounting(#[expect(dead_code, reason = "closing it ends the accounting")] OwnedFd);

impl Accounting {
    /// Begins.
    pub(crate) fn start() -> Result<Self> {
        let fd = Attr::default().word(0, 0).open(ENABLE_STATS);
        fd.map(Self).context("asking the kernel to account the run time of programs")
    }
}

/// A program that some process holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// Number.
    pub(crate) id: u32,
    /// As the object names it, cut to 15 letters by the kernel.
    pub(crate) name: String,
    /// Instructions that the verifier looked at.
    pub(crate) verified: u64,
    /// Nanoseconds that it ran while they were accounted.
    pub(crate) run_time: u64,
    /// How often it ran while that was accounted.
    pub(crate) runs: u64,
    is_xdp: bool,
}

/// The programs that a process holds, by number.
pub(crate) fn programs(pid: i32) -> Result<Vec<Program>> {
    let ids = held(pid, "prog_id:")?;
    ids.into_values().map(|facts| Program::new(&facts)).collect()
}

/// Tells the programs of a process that what arrives on loopback, where the kernel runs them for us, has arrived on
/// the interface that they listen on: entries of the maps keyed by interface are there for loopback too.
pub(crate) fn listen_on_loopback(pid: i32) -> Result<()> {
    let maps: Vec<Map> = held(pid, "map_id:")?.into_keys().map(Map::open).collect::<Result<_>>()?;
    for map in &maps {
        if ["xvrrp_routers", "xvrrp_stations", "xvrrp_strange"].contains(&map.name.as_str()) {
            map.repeat_for_loopback().with_context(|| map.name.clone())?;
        }
    }
    let named = |name: &str| maps.iter().find(|map| map.name == name);
    let (routers, shortcuts) = (named("xvrrp_routers"), named("xvrrp_shortcuts"));
    routers.zip(shortcuts).map_or(Ok(()), |(routers, shortcuts)| shortcuts.lead_to(routers))
}

impl Program {
    const XDP: &'static str = "6";

    fn new(facts: &BTreeMap<String, String>) -> Result<Self> {
        let number = |key: &str| facts.get(key).map_or(Ok(0), |text| text.parse::<u64>());
        let id = u32::try_from(number("prog_id:")?)?;
        let info = info(&open_program(id)?)?;
        Ok(Self {
            id,
            // struct bpf_prog_info, `name`
            name: name(&info[64..80]),
            verified: number("verified_insns:")?,
            run_time: number("run_time_ns:")?,
            runs: number("run_cnt:")?,
            is_xdp: facts.get("prog_type:").is_some_and(|kind| kind == Self::XDP),
        })
    }

    /// Nanoseconds for one run on a frame, above those of a program of its kind that does nothing. The two take turns,
    /// and the best of several turns counts: whatever interrupts a turn only adds to it.
    pub(crate) fn cost(&self, frame: &[u8]) -> Result<f64> {
        let (kind, pass) = if self.is_xdp { (attr::XDP, XDP_PASS) } else { (attr::TC, TC_NEXT) };
        above(&attr::program(kind, pass)?, &open_program(self.id)?, frame)
    }
}

/// Nanoseconds for one reading of the kernel's clock, measured as [`Program::cost`] is: no program that asks for the
/// time costs less.
pub(crate) fn clock_cost(frame: &[u8]) -> Result<f64> {
    above(&attr::program(attr::TC, TC_NEXT)?, &attr::clock_program(attr::TC, TC_NEXT)?, frame)
}

fn above(empty: &OwnedFd, program: &OwnedFd, frame: &[u8]) -> Result<f64> {
    const TURNS: usize = 5;
    const RUNS: u32 = 200_000;
    let mut best = [f64::INFINITY; 2];
    for _ in 0..TURNS {
        for (program, best) in [program, empty].into_iter().zip(&mut best) {
            *best = best.min(test_run(program, frame, RUNS)?);
        }
    }
    Ok(best[0] - best[1])
}

/// Nanoseconds of a run in the mean. The kernel says whole nanoseconds.
fn test_run(program: &OwnedFd, frame: &[u8], runs: u32) -> Result<f64> {
    let mut attr =
        Attr::default().fd(0, program).word(8, frame.len() as u32).address(16, frame).word(32, runs);
    attr.call(TEST_RUN).context("running a program on a frame")?;
    Ok(f64::from(attr.read(36)))
}

fn open_program(id: u32) -> Result<OwnedFd> {
    Attr::default().word(0, id).open(PROG_BY_ID).with_context(|| format!("program {id}"))
}

struct Map {
    fd: OwnedFd,
    name: String,
    key: usize,
    value: usize,
}

impl Map {
    const PER_CPU_HASH: u32 = 5;
    const LOOPBACK: [u8; 4] = 1_u32.to_ne_bytes();

    fn open(id: u32) -> Result<Self> {
        let fd = Attr::default().word(0, id).open(MAP_BY_ID).with_context(|| format!("map {id}"))?;
        let info = info(&fd)?;
        let word = |at: usize| u32::from_ne_bytes([info[at], info[at + 1], info[at + 2], info[at + 3]]);
        let value = (word(12) as usize).next_multiple_of(8);
        let copies = if word(0) == Self::PER_CPU_HASH { processors()? } else { 1 };
        Ok(Self { fd, name: name(&info[24..40]), key: word(8) as usize, value: value * copies })
    }

    fn repeat_for_loopback(&self) -> Result<()> {
        for key in self.keys() {
            let mut value = vec![0_u64; self.value / 8];
            let here = || Attr::default().fd(0, &self.fd);
            here().address(8, &key).buffer(16, &mut value).call(MAP_LOOKUP)?;
            let copy = [&Self::LOOPBACK, &key[4..]].concat();
            here().address(8, &copy).address(16, &value).call(MAP_UPDATE)?;
        }
        Ok(())
    }

    /// As the daemon does for the interface that it listens on.
    fn lead_to(&self, routers: &Self) -> Result<()> {
        for key in routers.keys().iter().filter(|key| key.starts_with(&Self::LOOPBACK)) {
            let mut slot = [0_u64];
            Attr::default().fd(0, &routers.fd).address(8, key).buffer(16, &mut slot).call(MAP_LOOKUP)?;
            let router: RouterKey = bytemuck::pod_read_unaligned(key);
            let shortcut = Shortcut::new(router.ifindex, slot[0] as u32);
            let place = router.place().to_ne_bytes();
            let mut attr = Attr::default().fd(0, &self.fd).address(8, &place);
            attr = attr.address(16, bytemuck::bytes_of(&shortcut));
            attr.call(MAP_UPDATE)?;
        }
        Ok(())
    }

    fn keys(&self) -> Vec<Vec<u8>> {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        loop {
            let mut next = vec![0; self.key];
            let attr = Attr::default().fd(0, &self.fd).buffer(16, &mut next);
            let mut attr = if let Some(last) = keys.last() { attr.address(8, last) } else { attr };
            if attr.call(MAP_NEXT_KEY).is_err() {
                return keys;
            }
            keys.push(next);
        }
    }
}

/// What the kernel says of each object of a kind that a process holds, by the object's number.
fn held(pid: i32, kind: &str) -> Result<BTreeMap<u32, BTreeMap<String, String>>> {
    let directory = format!("/proc/{pid}/fdinfo");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(&directory).with_context(|| directory.clone())? {
        // One that was closed meanwhile is not held.
        let Ok(text) = fs::read_to_string(entry?.path()) else { continue };
        let facts: BTreeMap<String, String> = text
            .lines()
            .filter_map(|line| line.split_once(char::is_whitespace))
            .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
            .collect();
        // A link names its program, too, but does not tell of it.
        if facts.contains_key("link_id:") {
            continue;
        }
        if let Some(id) = facts.get(kind) {
            found.insert(id.parse()?, facts);
        }
    }
    Ok(found)
}

fn info(fd: &OwnedFd) -> Result<[u8; 256]> {
    let mut info = [0_u64; 32];
    let mut attr = Attr::default().fd(0, fd).word(4, 256).buffer(8, &mut info);
    attr.call(INFO).context("asking for the facts of a BPF object")?;
    let mut bytes = [0; 256];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(info) {
        chunk.copy_from_slice(&word.to_ne_bytes());
    }
    Ok(bytes)
}

fn name(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// Per-processor maps have a value for each that could ever be there.
fn processors() -> Result<usize> {
    let possible = fs::read_to_string("/sys/devices/system/cpu/possible").context("counting processors")?;
    let last = possible.trim().rsplit(['-', ',']).next().unwrap_or_default();
    Ok(last.parse::<usize>().with_context(|| format!("processors {possible:?}"))? + 1)
}
