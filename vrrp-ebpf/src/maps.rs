//! The maps that programs and daemon share, under the names that bpftool shows. Layouts are in `vrrp_common::abi`.

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, BPF_F_NO_PREALLOC},
    macros::map,
    maps::{Array, HashMap, LpmTrie, PerCpuArray, PerCpuHashMap, RingBuf},
};
use vrrp_common::abi::{
    self, ADMISSIONS, Admitted, Cell, EVENT_BYTES, GuardKey, INTERFACES, LeaseRecord, Marks, PLACES,
    Passages, PeerKey, Record, Refusals, RouterView, SLOTS, Shortcut, Station, Tally, TtlRange,
    UNICAST_PEERS,
};

/// Which router a packet is for, by the bytes of a `RouterKey`: a key that is written in parts and read as a whole
/// makes the processor wait. Written by the daemon.
#[map(name = "xvrrp_routers")]
pub static ROUTERS: HashMap<u64, u32> = HashMap::with_max_entries(SLOTS, BPF_F_NO_PREALLOC);

/// The most of what [`ROUTERS`] says, by place. Written by the daemon.
#[map(name = "xvrrp_shortcuts")]
pub static SHORTCUTS: Array<Shortcut> = Array::with_max_entries(abi::SHORTCUTS, BPF_F_MMAPABLE);

/// What a router's packets are judged by, by slot. Written by the daemon.
#[map(name = "xvrrp_views")]
pub static VIEWS: Array<RouterView> = Array::with_max_entries(SLOTS, BPF_F_MMAPABLE);

/// What was heard, by slot. Written here.
#[map(name = "xvrrp_heard")]
pub static HEARD: Array<Record> = Array::with_max_entries(SLOTS, BPF_F_MMAPABLE);

/// Packets for a router that did not count, by slot. Written here.
#[map(name = "xvrrp_counts")]
pub static COUNTS: PerCpuArray<Tally> = PerCpuArray::with_max_entries(SLOTS, 0);

/// Who was refused last, by slot. Written here.
#[map(name = "xvrrp_refused")]
pub static REFUSED: PerCpuArray<Refusals> = PerCpuArray::with_max_entries(SLOTS, 0);

/// Whom a unicast router listens to. Written by the daemon.
#[map(name = "xvrrp_unicast")]
pub static UNICAST: HashMap<PeerKey, TtlRange> = HashMap::with_max_entries(UNICAST_PEERS, BPF_F_NO_PREALLOC);

/// Whom a router with `accept_from` listens to. Written by the daemon.
#[map(name = "xvrrp_admitted")]
pub static ADMITTED: LpmTrie<Admitted, u32> = LpmTrie::with_max_entries(ADMISSIONS, BPF_F_NO_PREALLOC);

/// The interfaces listened on and their hardware addresses. Written by the daemon.
#[map(name = "xvrrp_stations")]
pub static STATIONS: HashMap<u32, Station> = HashMap::with_max_entries(INTERFACES, BPF_F_NO_PREALLOC);

/// Packets for no router of ours, by interface; entries are made by the daemon, counts are written here.
#[map(name = "xvrrp_strange")]
pub static STRANGERS: PerCpuHashMap<u32, Tally> = PerCpuHashMap::with_max_entries(INTERFACES, 0);

/// The slots of routers with news.
#[map(name = "xvrrp_events")]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(EVENT_BYTES, 0);

/// The leases of the routers' addresses, by slot.
#[map(name = "xvrrp_leases")]
pub static LEASES: Array<LeaseRecord> = Array::with_max_entries(SLOTS, BPF_F_MMAPABLE);

/// Whose an address is: the slots of the addresses that routers of ours put on this host. Written by the daemon.
#[map(name = "xvrrp_guarded")]
pub static GUARDED: HashMap<GuardKey, u32> = HashMap::with_max_entries(abi::GUARDED, BPF_F_NO_PREALLOC);

/// The most of what [`GUARDED`] says, by place. Written by the daemon.
#[map(name = "xvrrp_cells")]
pub static CELLS: Array<Cell> = Array::with_max_entries(PLACES, BPF_F_MMAPABLE);

/// Which addresses are worth a look at [`CELLS`] and [`GUARDED`]. Written by the daemon.
#[map(name = "xvrrp_marks")]
pub static MARKS: Array<Marks> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// Packets to and from the addresses of a router, by slot. Written here.
#[map(name = "xvrrp_passages")]
pub static PASSAGES: PerCpuArray<Passages> = PerCpuArray::with_max_entries(SLOTS, 0);
