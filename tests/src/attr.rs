//! The system call `bpf`, as far as the Lab needs it itself. What the node has in the kernel is not known here.

use std::{
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd},
};

use anyhow::{Context as _, Result, ensure};

/// `BPF_PROG_TYPE_SCHED_CLS`.
pub(crate) const TC: u32 = 3;
/// `BPF_PROG_TYPE_XDP`.
pub(crate) const XDP: u32 = 6;
const PROG_LOAD: u32 = 5;

/// Loads "r0 = verdict; exit".
pub(crate) fn program(kind: u32, verdict: i32) -> Result<OwnedFd> {
    load(kind, &end(verdict)).context("loading a program that does nothing")
}

/// Loads the same behind a reading of the kernel's clock.
pub(crate) fn clock_program(kind: u32, verdict: i32) -> Result<OwnedFd> {
    // "call bpf_ktime_get_boot_ns".
    const READ: u64 = 0x85 | 125 << 32;
    let [verdict, exit] = end(verdict);
    load(kind, &[READ, verdict, exit]).context("loading a program that reads the clock")
}

fn end(verdict: i32) -> [u64; 2] {
    [0xb7 | u64::from(verdict.cast_unsigned()) << 32, 0x95]
}

fn load(kind: u32, code: &[u64]) -> Result<OwnedFd> {
    let attr = Attr::default().word(0, kind).word(4, code.len() as u32).address(8, code);
    attr.address(16, b"GPL\0").open(PROG_LOAD)
}

/// `union bpf_attr`: fields are at the offsets that the kernel's header gives them.
#[derive(Debug)]
pub(crate) struct Attr([u8; 128]);

impl Default for Attr {
    fn default() -> Self {
        Self([0; 128])
    }
}

impl Attr {
    pub(crate) fn word(mut self, at: usize, value: u32) -> Self {
        self.0[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        self
    }

    pub(crate) fn fd(self, at: usize, fd: &OwnedFd) -> Self {
        self.word(at, fd.as_raw_fd().cast_unsigned())
    }

    /// The address of memory that the kernel reads.
    pub(crate) fn address<T>(self, at: usize, what: &[T]) -> Self {
        self.pointer(at, what.as_ptr().expose_provenance())
    }

    /// The address of memory that the kernel writes.
    pub(crate) fn buffer<T>(self, at: usize, what: &mut [T]) -> Self {
        self.pointer(at, what.as_mut_ptr().expose_provenance())
    }

    fn pointer(mut self, at: usize, address: usize) -> Self {
        self.0[at..at + 8].copy_from_slice(&(address as u64).to_ne_bytes());
        self
    }

    pub(crate) fn read(&self, at: usize) -> u32 {
        u32::from_ne_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }

    pub(crate) fn call(&mut self, command: u32) -> io::Result<RawFd> {
        // SAFETY: `self` is as long as is said, and what it points to lives and is as long as the kernel takes it.
        let result = unsafe { libc::syscall(libc::SYS_bpf, command, self.0.as_mut_ptr(), self.0.len()) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as RawFd) }
    }

    pub(crate) fn open(mut self, command: u32) -> Result<OwnedFd> {
        let fd = self.call(command)?;
        ensure!(fd > 0, "no descriptor");
        // SAFETY: the kernel has just made it for us.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}
