//! Names of BPF objects in the bpf file system, and replacing the program of a link. Nothing here knows what they
//! are for.

use std::{
    ffi::CString,
    io,
    os::{
        fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use super::bpf::bpf;

/// `linux/bpf.h`.
const BPF_OBJ_PIN: libc::c_int = 6;
const BPF_OBJ_GET: libc::c_int = 7;
const BPF_LINK_UPDATE: libc::c_int = 29;

/// What `BPF_OBJ_PIN` and `BPF_OBJ_GET` take.
#[repr(C)]
struct PathRequest {
    path: u64,
    descriptor: u32,
    flags: u32,
}

/// What `BPF_LINK_UPDATE` takes.
#[repr(C)]
struct UpdateRequest {
    link: u32,
    program: u32,
    flags: u32,
    old: u32,
}

/// Gives an object a name; it lives as long as that is there.
///
/// # Errors
/// `EEXIST` if the name is taken, `EPERM` outside of the bpf file system.
pub fn pin(object: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut request =
        PathRequest { path: path.as_ptr() as u64, descriptor: object.as_raw_fd().cast_unsigned(), flags: 0 };
    bpf(BPF_OBJ_PIN, &mut request).map(drop)
}

/// The object of this name, whatever it is: look before it is used.
///
/// # Errors
/// `ENOENT` if there is none, `EACCES` without the right to read and write it.
pub fn open(path: &Path) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut request = PathRequest { path: path.as_ptr() as u64, descriptor: 0, flags: 0 };
    let descriptor = bpf(BPF_OBJ_GET, &mut request)?;
    // SAFETY: the kernel has just given us this descriptor, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Puts another program in a link's place: each packet meets the old one or the new one.
///
/// # Errors
/// `EINVAL` for a program of another type, `ENOLINK` where the link was detached.
pub fn update(link: BorrowedFd<'_>, program: BorrowedFd<'_>) -> io::Result<()> {
    let (link, program) = (link.as_raw_fd().cast_unsigned(), program.as_raw_fd().cast_unsigned());
    let mut request = UpdateRequest { link, program, flags: 0, old: 0 };
    bpf(BPF_LINK_UPDATE, &mut request).map(drop)
}
