//! Which programs are at a tcx hook, in the order in which they run. Whose they are is not known here.

use std::io;

use super::bpf::{Hook, bpf};

/// `linux/bpf.h`.
const BPF_PROG_QUERY: libc::c_int = 16;
/// `BPF_MPROG_MAX` of the kernel: the most programs at a hook.
const MOST: usize = 64;

/// A program at a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Its number, as `bpftool prog` has it.
    pub program: u32,
    /// The number of its link; 0 without one.
    pub link: u32,
}

/// What `BPF_PROG_QUERY` takes and fills.
#[repr(C)]
#[derive(Default)]
struct Query {
    ifindex: u32,
    attach_type: u32,
    query_flags: u32,
    attach_flags: u32,
    programs: u64,
    count: u32,
    padding: u32,
    program_flags: u64,
    links: u64,
    link_flags: u64,
    revision: u64,
}

/// The programs at a tcx hook of an interface, the first to run first. The kernel takes its lock for interfaces.
///
/// # Errors
/// `EINVAL` before Linux 6.6, `EPERM` without `CAP_NET_ADMIN`, `ENODEV` without such an interface.
pub fn programs_at(ifindex: u32, hook: Hook) -> io::Result<Vec<Attached>> {
    let (mut programs, mut links) = ([0_u32; MOST], [0_u32; MOST]);
    let mut query = Query {
        ifindex,
        attach_type: hook.attach_type(),
        programs: programs.as_mut_ptr() as u64,
        count: MOST as u32,
        links: links.as_mut_ptr() as u64,
        ..Query::default()
    };
    bpf(BPF_PROG_QUERY, &mut query)?;
    let there = programs.into_iter().zip(links).take(query.count as usize);
    Ok(there.map(|(program, link)| Attached { program, link }).collect())
}
