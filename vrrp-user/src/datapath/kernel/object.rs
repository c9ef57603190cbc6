//! The kernel object in this process: loaded once, its maps within reach. Where it is attached is not known here.

use std::{collections::BTreeMap, error::Error, fs, io, iter::successors, os::fd::AsFd};

use aya::{
    Ebpf, EbpfError,
    maps::{HashMap, LpmTrie, Map, MapData, MapError, PerCpuArray, PerCpuHashMap, PerCpuValues, RingBuf},
    programs::{ProgramError, SchedClassifier, Xdp},
    util::nr_cpus,
};
use aya_obj::programs::XdpAttachType;
use bytemuck::Pod;
use vrrp_common::{
    abi::{
        Admitted, GuardKey, PLACES, PeerKey, Record, Refusal, Refusals, RouterKey, RouterView, SHORTCUTS,
        SLOTS, Station, Tally, TtlRange,
    },
    judge::DropReason,
};

use super::{
    cells::Cells,
    guard::{GuardMaps, GuardParts, GuardPrograms},
    lines::{self, Lines},
    marks::Marking,
    pinned,
    shortcuts::Shortcuts,
};
use crate::{
    datapath::{Counters, Slot},
    pins::{Names, Owner, Pins},
    sys::bpf::SharedArray,
};

/// Built by `cargo xtask build-ebpf`, chosen by the build script.
static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("XVRRP_OBJECT"));

/// Programs and their types, as `enum bpf_prog_type` of `linux/bpf.h` numbers these.
const XDP: &str = "xvrrp_xdp";
const XDP_PROGRAM: u32 = 6;
const TC: &str = "xvrrp_tc";
const CLASSIFIERS: [&str; 3] = [TC, "xvrrp_guard_in", "xvrrp_guard_out"];
const CLASSIFIER: u32 = 3;

/// Why the kernel does not take the programs.
#[derive(Debug, thiserror::Error)]
pub(in crate::datapath) enum LoadError {
    #[error("the kernel does not load the programs: {}", words(.0))]
    Load(#[from] EbpfError),
    #[error("the kernel does not take the program: {}", words(.0))]
    Program(#[from] ProgramError),
    #[error("a map of the programs cannot be used: {}", words(.0))]
    Map(#[from] MapError),
    #[error("the programs' memory cannot be shared: {0}")]
    Share(io::Error),
    #[error("the lines that the programs log cannot be read: {0}")]
    Log(#[from] aya_log::Error),
    #[error("the kernel object has no {0}")]
    Missing(&'static str),
    #[error("this is a time namespace, and the kernel stamps with the host's clock")]
    TimeNamespace,
}

/// An error and its causes, one line each: the verifier's log is long, and in the debug log.
pub(super) fn words(error: &(dyn Error + 'static)) -> String {
    tracing::debug!("{error}");
    let causes = successors(Some(error), |&error| error.source()).map(ToString::to_string);
    let mut lines: Vec<String> = causes.filter_map(|cause| Some(cause.lines().next()?.to_owned())).collect();
    lines.dedup();
    lines.join(": ")
}

/// A key or value is to aya the bytes that it is in the kernel.
type Hash<K, V> = HashMap<MapData, K, V>;
/// [`Tally`] in words.
pub(super) type Words = [u64; size_of::<Tally>() / 8];

/// [`Refusals`] in words.
pub(super) type RefusalWords = [u64; size_of::<Refusals>() / 8];

pub(super) struct Object {
    ebpf: Ebpf,
    pins: Option<Pins>,
    owner: Owner,
    names: Option<Names>,
    /// Loaded by an earlier daemon, out of the same object.
    found_xdp: Option<Xdp>,
    found_classifiers: BTreeMap<&'static str, SchedClassifier>,
    pub(super) routers: Hash<[u8; size_of::<RouterKey>()], u32>,
    pub(super) shortcuts: Shortcuts,
    pub(super) views: SharedArray<RouterView>,
    pub(super) heard: SharedArray<Record>,
    pub(super) unicast: Hash<[u8; size_of::<PeerKey>()], [u8; size_of::<TtlRange>()]>,
    pub(super) admitted: LpmTrie<MapData, [u8; size_of::<Admitted>()], u32>,
    pub(super) stations: Hash<u32, [u8; size_of::<Station>()]>,
    pub(super) counts: PerCpuArray<MapData, Words>,
    pub(super) strangers: PerCpuHashMap<MapData, u32, Words>,
    pub(super) refused: PerCpuArray<MapData, RefusalWords>,
    pub(super) events: RingBuf<MapData>,
    /// What the programs log, if they do.
    pub(super) lines: Option<Lines>,
}

impl Object {
    /// The maps, those of an earlier daemon where `pins` lead to them. Without a place for names there are none.
    /// With `logs` the programs that hear are those that log what they judge. No daemon takes them up from another.
    pub(super) fn load(pins: Option<Pins>, owner: Owner, logs: bool) -> Result<Self, LoadError> {
        if in_time_namespace() {
            return Err(LoadError::TimeNamespace);
        }
        let (mut ebpf, pins) = pinned::load(OBJECT, pins, logs)?;
        let find = |name, kind| pins.as_ref().and_then(|pins| pinned::find(pins, name, kind));
        let lines = if logs { Some(lines::reader(&mut ebpf)?) } else { None };
        let classifier = |name| Some((name, SchedClassifier::from_pin(find(name, CLASSIFIER)?).ok()?));
        let routers = map(&mut ebpf, "xvrrp_routers")?;
        let object = Self {
            found_xdp: find(XDP, XDP_PROGRAM)
                .filter(|_| !logs)
                .and_then(|path| Xdp::from_pin(path, XdpAttachType::Interface).ok()),
            found_classifiers: CLASSIFIERS.into_iter().filter_map(classifier).collect(),
            names: pins.as_ref().map(pinned::names),
            pins,
            owner,
            shortcuts: Shortcuts::new(share(&mut ebpf, "xvrrp_shortcuts", SHORTCUTS)?, &known(&routers)),
            routers,
            views: share(&mut ebpf, "xvrrp_views", SLOTS)?,
            heard: share(&mut ebpf, "xvrrp_heard", SLOTS)?,
            unicast: map(&mut ebpf, "xvrrp_unicast")?,
            admitted: map(&mut ebpf, "xvrrp_admitted")?,
            stations: map(&mut ebpf, "xvrrp_stations")?,
            counts: map(&mut ebpf, "xvrrp_counts")?,
            strangers: map(&mut ebpf, "xvrrp_strange")?,
            refused: map(&mut ebpf, "xvrrp_refused")?,
            events: map(&mut ebpf, "xvrrp_events")?,
            lines,
            ebpf,
        };
        Ok(object)
    }

    /// The guard's programs, loaded, and its maps; can be had once.
    pub(super) fn guard(&mut self) -> Result<GuardParts, LoadError> {
        let ingress = self.classifier("xvrrp_guard_in")?.fd()?.try_clone().map_err(LoadError::Share)?;
        let egress = self.classifier("xvrrp_guard_out")?.fd()?.try_clone().map_err(LoadError::Share)?;
        let leases = share(&mut self.ebpf, "xvrrp_leases", SLOTS)?;
        let records = share(&mut self.ebpf, "xvrrp_heard", SLOTS)?;
        let guarded: Hash<[u8; size_of::<GuardKey>()], u32> = map(&mut self.ebpf, "xvrrp_guarded")?;
        let left: BTreeMap<GuardKey, Slot> =
            guarded.iter().flatten().map(|(key, slot)| (bytemuck::cast(key), Slot(slot))).collect();
        // Before a program is attached that asks for them.
        let marks = Marking::new(share(&mut self.ebpf, "xvrrp_marks", 1)?, left.keys().copied());
        let cells = Cells::new(share(&mut self.ebpf, "xvrrp_cells", PLACES)?, &left);
        let passages = map(&mut self.ebpf, "xvrrp_passages")?;
        Ok(GuardParts {
            programs: GuardPrograms { ingress, egress, pins: self.pins.clone(), owner: self.owner },
            maps: GuardMaps { leases, records, guarded, marks, cells, passages },
        })
    }

    /// What the router's packets are judged by from now on.
    pub(super) fn enter_view(&self, slot: Slot, view: RouterView) {
        let before = self.views.read(slot.0);
        self.views.write(slot.0, &view.after(&before));
    }

    /// The same, if it is another one.
    pub(super) fn update_view(&self, slot: Slot, view: RouterView) {
        let before = self.views.read(slot.0);
        if let Some(view) = view.instead_of(&before) {
            self.views.write(slot.0, &view);
        }
    }

    /// Whose filters are its own.
    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    /// Where names are kept.
    pub(super) fn pins(&self) -> Option<&Pins> {
        self.pins.as_ref()
    }

    /// Puts back names that somebody removed.
    pub(super) fn secure(&self) {
        if let Some(names) = &self.names {
            names.secure();
        }
    }

    /// The XDP program, loaded when it is first asked for.
    pub(super) fn xdp(&mut self) -> Result<&mut Xdp, LoadError> {
        if let Some(found) = &mut self.found_xdp {
            return Ok(found);
        }
        let name = if self.lines.is_some() { "xvrrp_xdp_log" } else { XDP };
        let program = self.ebpf.program_mut(name).ok_or(LoadError::Missing(name))?;
        let program: &mut Xdp = program.try_into()?;
        if program.fd().is_err() {
            insist(|| program.load())?;
            pinned::keep(self.pins.as_ref(), name, XDP_PROGRAM, program.fd()?);
        }
        Ok(program)
    }

    /// The tc program, loaded when it is first asked for.
    pub(super) fn tc(&mut self) -> Result<&mut SchedClassifier, LoadError> {
        self.classifier(if self.lines.is_some() { "xvrrp_tc_log" } else { TC })
    }

    pub(super) fn classifier(&mut self, name: &'static str) -> Result<&mut SchedClassifier, LoadError> {
        if let Some(found) = self.found_classifiers.get_mut(name) {
            return Ok(found);
        }
        let program = self.ebpf.program_mut(name).ok_or(LoadError::Missing(name))?;
        let program: &mut SchedClassifier = program.try_into()?;
        if program.fd().is_err() {
            insist(|| program.load())?;
            pinned::keep(self.pins.as_ref(), name, CLASSIFIER, program.fd()?);
        }
        Ok(program)
    }
}

/// A signal that arrives while the kernel verifies ends that with `EAGAIN`.
fn insist(mut load: impl FnMut() -> Result<(), ProgramError>) -> Result<(), ProgramError> {
    const TRIES: u32 = 10;
    let interrupted = |error: &ProgramError| {
        let ProgramError::LoadError { io_error, .. } = error else { return false };
        io_error.raw_os_error() == Some(libc::EAGAIN)
    };
    for _ in 1..TRIES {
        match load() {
            Err(error) if interrupted(&error) => {}
            outcome => return outcome,
        }
    }
    load()
}

fn map<T: TryFrom<Map, Error = MapError>>(ebpf: &mut Ebpf, name: &'static str) -> Result<T, LoadError> {
    Ok(ebpf.take_map(name).ok_or(LoadError::Missing(name))?.try_into()?)
}

fn share<T: Pod>(ebpf: &mut Ebpf, name: &'static str, entries: u32) -> Result<SharedArray<T>, LoadError> {
    let Some(Map::Array(array)) = ebpf.map(name) else { return Err(LoadError::Missing(name)) };
    SharedArray::map(array.fd().as_fd(), entries).map_err(LoadError::Share)
}

fn known(routers: &Hash<[u8; size_of::<RouterKey>()], u32>) -> BTreeMap<RouterKey, Slot> {
    routers.iter().flatten().map(|(key, slot)| (bytemuck::cast(key), Slot(slot))).collect()
}

/// What all processors counted together.
pub(super) fn sum(values: &PerCpuValues<Words>) -> Counters {
    let mut sum = Counters::default();
    values.iter().for_each(|words| sum.tally(&bytemuck::cast(*words)));
    sum
}

/// For every processor, nothing counted.
pub(super) fn nothing() -> io::Result<PerCpuValues<Words>> {
    zeroes()
}

/// For every processor, an entry of zeroes.
pub(super) fn zeroes<const N: usize>() -> io::Result<PerCpuValues<[u64; N]>> {
    let processors = nr_cpus().map_err(|(_, error)| error)?;
    PerCpuValues::try_from(vec![[0; N]; processors])
}

/// The latest refusal for this reason on any processor.
pub(super) fn latest(values: &PerCpuValues<RefusalWords>, reason: DropReason) -> Option<Refusal> {
    let refusals = values.iter().filter_map(|words| {
        let refusals: Refusals = bytemuck::cast(*words);
        refusals.last.get(reason as usize).copied()
    });
    refusals.filter(|refusal| refusal.at != 0).max_by_key(|refusal| refusal.at)
}

/// `bpf_ktime_get_boot_ns` knows no time namespaces, the clock that the daemon reads does.
fn in_time_namespace() -> bool {
    let offsets = fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
    offsets.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some("boottime") && words.any(|word| word != "0")
    })
}
