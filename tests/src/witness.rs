//! Witnesses: tcpdump on a host's interface, and what tshark and tcpdump make of the packets afterwards.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Command,
    str::FromStr,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::Signal;

use crate::{
    Host, Process,
    init::Exit,
    story::{SOON, wait_until},
};

/// What a VRRP router may send.
const FILTER: &str = "proto 112 or ip6 proto 112 or arp or icmp6";

/// Writes at once what it sees. The buffer is shared out in frames of the snapshot length: a short one makes
/// room for many, and two thousand bytes hold any advertisement.
const TCPDUMP: &str =
    "tcpdump -i eth0 -n -U --immediate-mode -B 32768 -s 2048 --time-stamp-precision=nano -Z root";

/// Tells tshark to check what it leaves unchecked by default.
const CHECK_ALL: [&str; 2] = ["-o", "ip.check_checksum:TRUE"];

/// tcpdump at work on a host's `eth0`, hearing and seeing what is sent.
#[derive(Debug)]
pub struct Capture {
    process: Process,
    recording: Recording,
}

/// The packets of a capture. The file is the host's and goes with it.
#[derive(Clone, Debug)]
pub struct Recording {
    path: PathBuf,
}

/// A VRRP advertisement on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Advert {
    /// Seconds since 1970.
    pub at: f64,
    /// Sender.
    pub source: IpAddr,
    /// VRRP version.
    pub version: u8,
    /// Virtual router identifier.
    pub vrid: u8,
    /// Priority.
    pub priority: u8,
    /// IPv4 TTL or IPv6 hop limit.
    pub ttl: u8,
    /// Differentiated services code point; CS6 is 48.
    pub dscp: u8,
}

/// A gratuitous ARP or an unsolicited neighbour advertisement.
#[derive(Clone, Debug, PartialEq)]
pub struct Announcement {
    /// Seconds since 1970.
    pub at: f64,
    /// Hardware address that it was sent from.
    pub mac: String,
    /// The address announced.
    pub address: IpAddr,
}

impl Capture {
    /// Starts it; packets from now on are in the recording.
    pub fn start(host: &Host) -> Result<Self> {
        let file = format!("{}.pcap", host.name());
        let written = host.inside(&file);
        let argv: Vec<&str> = TCPDUMP.split(' ').chain(["-w", &written, FILTER]).collect();
        let process = host.spawn("tcpdump", &argv)?;
        let capture = Self { process, recording: Recording { path: host.path(&file) } };
        capture.process.wait_ready(&format!("tcpdump listens on {}", host.name()), || {
            Ok(capture.process.log()?.contains("listening on"))
        })?;
        Ok(capture)
    }

    /// What it has recorded so far.
    pub fn so_far(&self) -> &Recording {
        &self.recording
    }

    /// Waits until this hardware address has announced the address. It is on the host a moment before.
    pub fn wait_announced(&self, address: &str, mac: &str, limit: Duration) -> Result<()> {
        let told = |one: &Announcement| one.mac == mac && one.address.to_string() == address;
        wait_until(limit, &format!("{mac} announced {address}"), || {
            Ok(self.recording.announcements()?.iter().any(told))
        })
    }

    /// Ends it; nothing that passed meanwhile is missing.
    pub fn stop(self) -> Result<Recording> {
        self.process.signal(Signal::SIGINT)?;
        let exit = self.process.wait(SOON)?;
        let log = self.process.log()?;
        let complete = exit == Exit::Code(0) && log.contains("\n0 packets dropped by kernel");
        ensure!(complete, "tcpdump ended with {exit:?}:\n{log}");
        Ok(self.recording)
    }
}

impl Recording {
    /// Every advertisement, in order.
    pub fn adverts(&self) -> Result<Vec<Advert>> {
        let fields = [
            "frame.time_epoch",
            "ip.src",
            "ipv6.src",
            "vrrp.version",
            "vrrp.virt_rtr_id",
            "vrrp.prio",
            "ip.ttl",
            "ipv6.hlim",
            "ip.dsfield.dscp",
            "ipv6.tclass.dscp",
        ];
        self.table("vrrp", &fields)?.iter().map(|row| Row(row).advert()).collect()
    }

    /// The advertisements of one sender.
    pub fn adverts_from(&self, source: impl Into<IpAddr>) -> Result<Vec<Advert>> {
        let source = source.into();
        Ok(self.adverts()?.into_iter().filter(|advert| advert.source == source).collect())
    }

    /// Every gratuitous ARP and unsolicited neighbour advertisement, in order.
    pub fn announcements(&self) -> Result<Vec<Announcement>> {
        let unsolicited = "icmpv6.type == 136 && icmpv6.nd.na.flag.s == 0";
        let fields = ["frame.time_epoch", "eth.src", "arp.src.proto_ipv4", "icmpv6.nd.na.target_address"];
        let rows = self.table(&format!("arp.isgratuitous == 1 || ({unsolicited})"), &fields)?;
        rows.iter()
            .map(|row| {
                let row = Row(row);
                Ok(Announcement { at: row.get(0)?, mac: row.get(1)?, address: row.either(2, 3)? })
            })
            .collect()
    }

    /// What tshark and tcpdump find wrong with VRRP, ARP and neighbour discovery from one hardware
    /// address: malformed packets, bad checksums, truncated ones. Empty when all is well.
    pub fn complaints(&self, mac: &str) -> Result<String> {
        let wrong = "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == 0 \
                     || vrrp.checksum.status == 0 || icmpv6.checksum.status == 0";
        let filter = format!("eth.src == {mac} && (vrrp || arp || icmpv6) && ({wrong})");
        let mut complaints = self.tshark(&["-Y", &filter])?;
        let host = format!("ether src {mac}");
        let decoded = read_with("tcpdump", &["-n", "-vv", "-e", "-r"], &self.path, &[&host])?;
        for line in
            decoded.lines().filter(|line| ["bad ", "[|", "invalid"].iter().any(|sign| line.contains(sign)))
        {
            writeln!(complaints, "{line}").context("collecting")?;
        }
        Ok(complaints)
    }

    /// How many VRRPv3 advertisements of one hardware address have a checksum over the message only, and how
    /// many over pseudo-header and message.
    pub fn checksum_forms(&self, mac: &str) -> Result<[usize; 2]> {
        let count = |over_message| -> Result<usize> {
            let preference = format!("vrrp.v3_checksum_as_in_v2:{over_message}");
            let filter = format!("eth.src == {mac} && vrrp.checksum.status == 1");
            Ok(self.tshark(&["-o", &preference, "-Y", &filter])?.lines().count())
        };
        Ok([count("TRUE")?, count("FALSE")?])
    }

    /// The hardware addresses that sent what this display filter of tshark shows.
    pub fn hardware_sources(&self, filter: &str) -> Result<BTreeSet<String>> {
        Ok(self.table(filter, &["eth.src"])?.into_iter().collect())
    }

    fn table(&self, filter: &str, fields: &[&str]) -> Result<Vec<String>> {
        let fields = fields.iter().flat_map(|field| ["-e", field]);
        let arguments: Vec<&str> =
            ["-Y", filter, "-T", "fields", "-E", "occurrence=f"].into_iter().chain(fields).collect();
        Ok(self.tshark(&arguments)?.lines().map(str::to_owned).collect())
    }

    fn tshark(&self, arguments: &[&str]) -> Result<String> {
        read_with("tshark", &["-n", "-r"], &self.path, &[&CHECK_ALL, arguments].concat())
    }
}

fn read_with(program: &str, before: &[&str], file: &Path, after: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(before)
        .arg(file)
        .args(after)
        .output()
        .with_context(|| format!("running {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} on {}: {said}", file.display());
    String::from_utf8(output.stdout).with_context(|| format!("{program} said something that is not UTF-8"))
}

/// A line of tab-separated fields.
struct Row<'a>(&'a str);

impl Row<'_> {
    fn advert(&self) -> Result<Advert> {
        Ok(Advert {
            at: self.get(0)?,
            source: self.either(1, 2)?,
            version: self.get(3)?,
            vrid: self.get(4)?,
            priority: self.get(5)?,
            ttl: self.either(6, 7)?,
            dscp: self.either(8, 9)?,
        })
    }

    fn get<T: FromStr>(&self, index: usize) -> Result<T> {
        let field = self.0.split('\t').nth(index).unwrap_or_default();
        let Ok(value) = field.parse() else { bail!("field {index} of {:?}: {field:?}", self.0) };
        Ok(value)
    }

    /// One of two fields that exclude each other, as IPv4's and IPv6's do.
    fn either<T: FromStr>(&self, first: usize, second: usize) -> Result<T> {
        self.get(first).or_else(|_| self.get(second))
    }
}

/// The mean time between two consecutive advertisements, in seconds: what it is when nothing moved the timer,
/// however late a busy machine let a single one leave. Not a number for fewer than two.
pub fn mean_gap(adverts: &[Advert]) -> f64 {
    match adverts {
        [first, .., last] => (last.at - first.at) / (adverts.len() - 1) as f64,
        _ => f64::NAN,
    }
}

/// The longest time between two consecutive advertisements, in seconds.
pub fn longest_gap(adverts: &[Advert]) -> f64 {
    longest(adverts.windows(2))
}

/// The longest of those silences, in seconds, that a router had to end: the one whose advertisements carry this
/// priority. Which are those after an advertisement of its own, and those that an advertisement of its own ended. How
/// long the others take to speak when it has said goodbye (priority 0) is theirs.
pub fn longest_silence_of(priority: u8, adverts: &[Advert]) -> f64 {
    let own = |pair: &&[Advert]| pair.iter().any(|advert| advert.priority == priority);
    longest(adverts.windows(2).filter(own))
}

/// Seconds between the two of a pair.
fn longest<'a>(pairs: impl Iterator<Item = &'a [Advert]>) -> f64 {
    pairs.map(|pair| pair[1].at - pair[0].at).fold(0.0, f64::max)
}
