//! Memory of BPF maps in this process, and links of programs to interfaces. Nothing here knows what they are for.

use std::{
    io,
    marker::PhantomData,
    mem::offset_of,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    ptr::{self, NonNull},
    sync::atomic::{AtomicU64, Ordering, fence},
};

use bytemuck::Pod;
use vrrp_common::{
    abi::{Heard, Record, Repeat},
    judge::settled,
};

const WORD: usize = size_of::<u64>();
/// How often a record that is being written is read again. Writers take some ten nanoseconds.
const PATIENCE: u32 = 10_000;
/// `linux/bpf.h`.
const BPF_OBJ_GET_INFO_BY_FD: libc::c_int = 15;
const BPF_LINK_CREATE: libc::c_int = 28;
const BPF_XDP: u32 = 37;
const BPF_TCX_INGRESS: u32 = 46;
const BPF_TCX_EGRESS: u32 = 47;
const BPF_F_BEFORE: u32 = 1 << 3;
/// The most maps of one program: `MAX_USED_MAPS` of the kernel.
const MAPS: usize = 64;
/// `linux/if_link.h`.
const XDP_FLAGS_SKB_MODE: u32 = 1 << 1;
const XDP_FLAGS_DRV_MODE: u32 = 1 << 2;

/// An array map whose values the kernel shares with us. Every word is read and written by itself, so a value is
/// never half a word of two; whether its words belong together is for the record's version to say.
#[derive(Debug)]
pub struct SharedArray<T> {
    memory: NonNull<AtomicU64>,
    bytes: usize,
    slots: u32,
    values: PhantomData<T>,
}

// SAFETY: the memory is not bound to a thread, and all access to it is atomic.
unsafe impl<T> Send for SharedArray<T> {}

impl<T: Pod> SharedArray<T> {
    const WORDS: usize = {
        assert!(size_of::<T>().is_multiple_of(WORD) && align_of::<T>() <= WORD);
        size_of::<T>() / WORD
    };

    /// Maps `slots` values of the array `map`, which was made with `BPF_F_MMAPABLE`.
    ///
    /// # Errors
    /// When the map is another one, or the process may not map that much memory.
    pub fn map(map: BorrowedFd<'_>, slots: u32) -> io::Result<Self> {
        let bytes = Self::WORDS * WORD * slots as usize;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of an open descriptor, wherever the kernel has room for it.
        let memory =
            unsafe { libc::mmap(ptr::null_mut(), bytes, access, libc::MAP_SHARED, map.as_raw_fd(), 0) };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { memory, bytes, slots, values: PhantomData })
    }

    /// The words of a value; none for a slot that is not there.
    fn words(&self, slot: u32) -> &[AtomicU64] {
        if slot >= self.slots {
            return &[];
        }
        // SAFETY: the mapping holds `slots` values of that many words, is aligned to a page and lives as long as
        // `self`; whoever else writes to it, in the kernel, is allowed to by the words being atomic.
        unsafe {
            std::slice::from_raw_parts(self.memory.as_ptr().add(slot as usize * Self::WORDS), Self::WORDS)
        }
    }

    /// The value of a slot, zeros if there is no such slot.
    pub fn read(&self, slot: u32) -> T {
        let mut value = T::zeroed();
        let bytes = bytemuck::bytes_of_mut(&mut value).chunks_exact_mut(WORD);
        for (to, from) in bytes.zip(self.words(slot)) {
            to.copy_from_slice(&from.load(Ordering::Relaxed).to_ne_bytes());
        }
        value
    }

    /// Sets the words that differ, the first one last. Nothing happens if there is no such slot.
    pub fn write(&self, slot: u32, value: &T) {
        let words = bytemuck::bytes_of(value).as_chunks::<WORD>().0;
        for (to, from) in self.words(slot).iter().zip(words).rev() {
            let word = u64::from_ne_bytes(*from);
            if to.load(Ordering::Relaxed) != word {
                to.store(word, Ordering::Release);
            }
        }
    }
}

impl<T: Pod> SharedArray<T> {
    /// Sets the word at a byte offset of a value. Nothing happens if there is no such slot or word.
    pub fn set_word(&self, slot: u32, offset: usize, word: u64) {
        if let Some(there) = self.words(slot).get(offset / WORD) {
            there.store(word, Ordering::Release);
        }
    }
}

impl SharedArray<Record> {
    /// The record, as it was at one moment.
    pub fn heard(&self, slot: u32) -> Heard {
        let Some(version) = self.words(slot).first() else { return Heard::default() };
        let mut patience = PATIENCE;
        loop {
            let before = version.load(Ordering::Acquire);
            let record = self.read(slot);
            fence(Ordering::Acquire);
            patience -= 1;
            if patience == 0 || before % 2 == 0 && version.load(Ordering::Relaxed) == before {
                return settled(record.heard);
            }
            std::hint::spin_loop();
        }
    }

    /// The last advertisement and how often it came again, as they were at one moment, if no event is outstanding and nobody
    /// writes: what a steady Active moves, and one line of the record.
    pub fn repeat(&self, slot: u32) -> Option<Repeat> {
        const REPEAT: usize = offset_of!(Record, heard.repeat) / WORD;
        let words = self.words(slot);
        let version = words.first()?;
        let before = version.load(Ordering::Acquire);
        let mut repeat = [0_u64; size_of::<Repeat>() / WORD];
        for (to, from) in repeat.iter_mut().zip(words.get(REPEAT..)?) {
            *to = from.load(Ordering::Relaxed);
        }
        fence(Ordering::Acquire);
        let pending = words.get(offset_of!(Record, pending) / WORD)?;
        let whole = before % 2 == 0 && version.load(Ordering::Relaxed) == before;
        (whole && pending.load(Ordering::Relaxed) == 0).then(|| bytemuck::cast(repeat))
    }

    /// Time and interval of what was accepted last, in nanoseconds: a few words, for whoever looks at many routers.
    pub fn accepted(&self, slot: u32) -> (u64, u64) {
        let word = |offset| self.word(slot, offset);
        let came_again = word(offset_of!(Record, heard.repeat.count)) as u32 != 0;
        let again = came_again && word(offset_of!(Record, heard.repeat.terms)) & Repeat::ACCEPTED != 0;
        let again = if again { word(offset_of!(Record, heard.repeat.at)) } else { 0 };
        let stamp = self.word(slot, offset_of!(Record, heard.accepted.at));
        (stamp.max(again), self.word(slot, offset_of!(Record, heard.accepted.interval)))
    }

    /// When the last advertisement was heard that beats the router, nanoseconds of the one clock.
    pub fn superseded(&self, slot: u32) -> u64 {
        self.word(slot, offset_of!(Record, superseded))
    }

    fn word(&self, slot: u32, offset: usize) -> u64 {
        self.words(slot).get(offset / WORD).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Lets the kernel raise the next event: from here on the record is about to be looked at.
    pub fn acknowledge(&self, slot: u32) {
        let pending = self.words(slot).get(offset_of!(Record, pending) / WORD);
        if let Some(pending) = pending {
            // A full barrier: the record is read after this.
            pending.swap(0, Ordering::SeqCst);
        }
    }

    /// Whether a packet was refused since this was asked last.
    pub fn take_refused(&self, slot: u32) -> bool {
        let refused = self.words(slot).get(offset_of!(Record, refused) / WORD);
        let Some(refused) = refused else { return false };
        // Most often nothing was, and then the line of memory stays with the processor that hears.
        // A full barrier: the counters are read after this.
        refused.load(Ordering::Relaxed) != 0 && refused.swap(0, Ordering::SeqCst) != 0
    }
}

impl<T> Drop for SharedArray<T> {
    fn drop(&mut self) {
        // SAFETY: what `map` mapped, and no reference into it outlives `self`. A failure leaves it mapped.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.bytes) };
    }
}

/// Where a program is attached to an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// XDP in the driver.
    Driver,
    /// XDP behind the driver.
    Generic,
    /// tcx ingress, before all that are there.
    Tcx,
    /// tcx egress, before all that are there.
    TcxEgress,
}

impl Hook {
    /// In names of links.
    pub fn word(self) -> &'static str {
        match self {
            Self::Driver => "xdp",
            Self::Generic => "xdp-generic",
            Self::Tcx => "tcx",
            Self::TcxEgress => "tcx-egress",
        }
    }

    /// `enum bpf_attach_type`.
    pub(super) fn attach_type(self) -> u32 {
        match self {
            Self::Driver | Self::Generic => BPF_XDP,
            Self::Tcx => BPF_TCX_INGRESS,
            Self::TcxEgress => BPF_TCX_EGRESS,
        }
    }

    /// The kernel's word for the type of a link there.
    pub fn link_type(self) -> &'static str {
        match self {
            Self::Driver | Self::Generic => "xdp",
            Self::Tcx | Self::TcxEgress => "tcx",
        }
    }
}

/// What `BPF_LINK_CREATE` takes; the rest says before which program, and zero is the first.
#[repr(C)]
#[derive(Default)]
struct LinkRequest {
    program: u32,
    ifindex: u32,
    attach_type: u32,
    flags: u32,
    rest: [u64; 4],
}

/// Attaches a loaded program to an interface until the returned link is closed.
///
/// # Errors
/// `EBUSY` and `EEXIST` where another XDP program is, `EOPNOTSUPP` where the driver has no XDP, `EINVAL` for tcx
/// before Linux 6.6, `EPERM` without `CAP_NET_ADMIN`, `ENODEV` without such an interface.
pub fn attach(program: BorrowedFd<'_>, ifindex: u32, hook: Hook) -> io::Result<OwnedFd> {
    let flags = match hook {
        Hook::Driver => XDP_FLAGS_DRV_MODE,
        Hook::Generic => XDP_FLAGS_SKB_MODE,
        Hook::Tcx | Hook::TcxEgress => BPF_F_BEFORE,
    };
    let attach_type = hook.attach_type();
    let program = program.as_raw_fd().cast_unsigned();
    // What is zero asks for nothing.
    let mut request = LinkRequest { program, ifindex, attach_type, flags, ..LinkRequest::default() };
    let link = bpf(BPF_LINK_CREATE, &mut request)?;
    // SAFETY: the kernel has just given us this descriptor, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(link) })
}

/// The system call. What `request` points to has to live until it returns, and to be as long as the request says.
pub(super) fn bpf<R>(command: libc::c_int, request: &mut R) -> io::Result<RawFd> {
    // SAFETY: the kernel reads and writes at most the request's own size, and what it points to, as is demanded above.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *request, size_of::<R>()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    RawFd::try_from(result).map_err(io::Error::other)
}

/// The beginning of the kernel's `struct bpf_link_info` for links to an interface.
#[repr(C)]
#[derive(Default)]
struct LinkInfo {
    kind: u32,
    id: u32,
    program: u32,
    padding: u32,
    ifindex: u32,
    rest: [u32; 27],
}

/// What `BPF_OBJ_GET_INFO_BY_FD` takes.
#[repr(C)]
struct InfoQuery {
    descriptor: u32,
    length: u32,
    info: u64,
}

/// Asks what the kernel says of an object; a kernel with a longer answer cuts it.
fn inform<T>(object: BorrowedFd<'_>, info: &mut T) -> io::Result<()> {
    let mut query = InfoQuery {
        descriptor: object.as_raw_fd().cast_unsigned(),
        length: size_of::<T>() as u32,
        info: ptr::from_mut(info) as u64,
    };
    bpf(BPF_OBJ_GET_INFO_BY_FD, &mut query).map(drop)
}

/// The interface that a BPF link (XDP or tcx) is attached to; 0 once it was detached or its interface is gone.
///
/// # Errors
/// When the descriptor is no link.
pub fn attached_to(link: BorrowedFd<'_>) -> io::Result<u32> {
    let mut info = LinkInfo::default();
    inform(link, &mut info)?;
    Ok(info.ifindex)
}

/// The beginning of the kernel's `struct bpf_prog_info`.
#[repr(C)]
#[derive(Default)]
struct ProgramInfo {
    kind: u32,
    id: u32,
    tag: [u8; 8],
    lengths: [u32; 2],
    code: [u64; 2],
    loaded: u64,
    user: u32,
    maps: u32,
    map_ids: u64,
}

/// The identifiers of the maps that a program works on, 64 at most. By the descriptor that we have: opening a
/// program by its number takes `CAP_SYS_ADMIN`.
///
/// # Errors
/// When the descriptor is no program, or without `CAP_BPF`.
pub fn maps_of(program: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    let mut ids = [0_u32; MAPS];
    let mut info =
        ProgramInfo { maps: MAPS as u32, map_ids: ids.as_mut_ptr() as u64, ..ProgramInfo::default() };
    inform(program, &mut info)?;
    Ok(ids.into_iter().take(info.maps as usize).collect())
}

/// Detaches a program now, whoever else holds its link.
///
/// # Errors
/// When the descriptor is no link, or the interface is gone.
pub fn detach(link: BorrowedFd<'_>) -> io::Result<()> {
    const BPF_LINK_DETACH: libc::c_int = 34;
    let mut descriptor = link.as_raw_fd().cast_unsigned();
    bpf(BPF_LINK_DETACH, &mut descriptor).map(drop)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use nix::sys::memfd::{MFdFlags, memfd_create};

    use super::*;

    /// Shared memory stands in for a map: both are mapped alike.
    fn shared<T: Pod>(slots: u32) -> (std::fs::File, SharedArray<T>) {
        let file = std::fs::File::from(memfd_create("array", MFdFlags::empty()).unwrap());
        file.set_len((size_of::<T>() * slots as usize) as u64).unwrap();
        let array = SharedArray::map(file.as_fd(), slots).unwrap();
        (file, array)
    }

    #[test]
    fn slots_are_read_and_written_by_themselves() {
        let (_file, array) = shared::<[u64; 3]>(4);
        array.write(1, &[1, 2, 3]);
        array.write(3, &[7, 8, 9]);
        assert_eq!([0, 1, 2, 3].map(|slot| array.read(slot)), [[0; 3], [1, 2, 3], [0; 3], [7, 8, 9]]);
        array.write(4, &[1; 3]);
        assert_eq!(array.read(4), [0; 3], "there is no such slot");
    }

    #[test]
    fn a_record_is_read_whole_while_it_is_written() {
        const ROUNDS: u64 = 200_000;
        let (file, array) = shared::<Record>(1);
        let writer = SharedArray::<Record>::map(file.as_fd(), 1).unwrap();
        let thread = std::thread::spawn(move || {
            let words = [offset_of!(Record, heard.accepted.at), offset_of!(Record, heard.accepted.count)];
            let (version, [at, count]) = (0, words.map(|offset| offset / WORD));
            for round in 1..=ROUNDS {
                let words = writer.words(0);
                words[version].fetch_add(1, Ordering::SeqCst);
                words[at].store(round, Ordering::Relaxed);
                words[count].store(round, Ordering::Relaxed);
                words[version].fetch_add(1, Ordering::SeqCst);
            }
        });
        loop {
            let heard = array.heard(0);
            assert_eq!(heard.accepted.at, heard.accepted.count);
            if heard.accepted.at == ROUNDS {
                break;
            }
        }
        thread.join().unwrap();
    }

    #[test]
    fn the_repeat_is_read_unless_an_event_is_outstanding_or_somebody_writes() {
        let (_file, array) = shared::<Record>(1);
        let repeat = Repeat { at: 7, count: 8, turn: 9, print: 10, terms: 11, ..Repeat::default() };
        let mut record = Record { version: 4, ..Record::default() };
        record.heard.repeat = repeat;
        array.write(0, &record);
        assert_eq!(array.repeat(0), Some(repeat));
        array.write(0, &Record { pending: 1, ..record });
        assert_eq!(array.repeat(0), None, "an event is outstanding");
        array.write(0, &Record { version: 5, ..record });
        assert_eq!(array.repeat(0), None, "somebody writes");
        assert_eq!(array.repeat(1), None, "there is no such slot");
    }

    #[test]
    fn what_came_again_is_the_last_that_was_accepted_if_it_was_accepted() {
        let (_file, array) = shared::<Record>(1);
        let mut record = Record::default();
        (record.heard.accepted.at, record.heard.accepted.interval, record.heard.repeat.at) = (7, 8, 9);
        array.write(0, &record);
        assert_eq!(array.accepted(0), (7, 8));
        record.heard.repeat.terms = Repeat::ACCEPTED;
        array.write(0, &record);
        assert_eq!(array.accepted(0), (7, 8), "once is not again");
        record.heard.repeat.count = 1;
        array.write(0, &record);
        assert_eq!(array.accepted(0), (9, 8));
    }

    #[test]
    fn what_is_acknowledged_is_pending_no_more() {
        let (_file, array) = shared::<Record>(2);
        let pending = Record { pending: 1, version: 4, ..Record::default() };
        array.write(0, &pending);
        array.write(1, &pending);
        array.acknowledge(1);
        assert_eq!((array.read(0).pending, array.read(1).pending, array.read(1).version), (1, 0, 4));
    }

    #[test]
    fn a_refusal_is_pointed_out_once() {
        let (_file, array) = shared::<Record>(2);
        array.write(1, &Record { refused: 1, version: 4, ..Record::default() });
        assert_eq!([0, 1, 1, 2].map(|slot| array.take_refused(slot)), [false, true, false, false]);
        assert_eq!((array.read(1).refused, array.read(1).version), (0, 4));
    }
}
