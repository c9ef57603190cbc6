//! What only the driver of an interface knows, and what it is called and addressed by. Nothing is changed here.

use std::{
    ffi::CStr,
    io,
    os::fd::{AsFd, AsRawFd},
};

use socket2::{Domain, Socket, Type};

/// `linux/ethtool.h`.
const ETHTOOL_GDRVINFO: u32 = 3;

/// `struct ethtool_drvinfo`.
#[repr(C)]
struct DriverInfo {
    command: u32,
    driver: [u8; 32],
    rest: [u8; 160],
}

/// The name of the driver of an interface: "veth", "tun".
///
/// # Errors
/// `ENODEV` without such an interface, `EOPNOTSUPP` if its driver does not say.
pub fn driver(interface: &str) -> io::Result<String> {
    let mut info = DriverInfo { command: ETHTOOL_GDRVINFO, driver: [0; 32], rest: [0; 160] };
    let mut request = request(interface)?;
    request.ifr_ifru.ifru_data = (&raw mut info).cast();
    // SAFETY: what the request points to is one `ethtool_drvinfo`, which outlives the call.
    unsafe { Inquiry::new()?.ask(libc::SIOCETHTOOL, &mut request) }?;
    let name = info.driver.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}

/// A request about this interface.
fn request(interface: &str) -> io::Result<libc::ifreq> {
    // SAFETY: ifreq is plain old data, for which all zeroes is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if interface.len() >= request.ifr_name.len() {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = from as libc::c_char;
    }
    Ok(request)
}

/// Asks by one socket that stays open, without rtnl and without new memory of the kernel's: in a control group at its
/// limit the kernel looks for a page for a new socket, at the priority of who asks and for as long as a second.
#[derive(Debug)]
pub struct Inquiry(Socket);

impl Inquiry {
    /// About the interfaces of this network namespace.
    ///
    /// # Errors
    /// When the process has no file descriptor left.
    pub fn new() -> io::Result<Self> {
        Socket::new(Domain::IPV4, Type::DGRAM.cloexec(), None).map(Self)
    }

    /// The name of the interface of this number.
    ///
    /// # Errors
    /// `ENODEV` if there is none.
    pub fn name(&self, interface: u32) -> io::Result<String> {
        let mut request = request("")?;
        request.ifr_ifru.ifru_ifindex = interface.cast_signed();
        // SAFETY: the request points to nothing.
        unsafe { self.ask(libc::SIOCGIFNAME, &mut request) }?;
        // SAFETY: the kernel has written a name that ends with a zero.
        let name = unsafe { CStr::from_ptr(request.ifr_name.as_ptr()) };
        Ok(name.to_string_lossy().into_owned())
    }

    /// The hardware address of this interface.
    ///
    /// # Errors
    /// `ENODEV` if there is none, `Unsupported` if it is not Ethernet's.
    pub fn ethernet_address(&self, interface: &str) -> io::Result<[u8; 6]> {
        let mut request = request(interface)?;
        // SAFETY: the request points to nothing.
        unsafe { self.ask(libc::SIOCGIFHWADDR, &mut request) }?;
        // SAFETY: it is this member of the union that the kernel has written.
        let address = unsafe { request.ifr_ifru.ifru_hwaddr };
        if address.sa_family != libc::ARPHRD_ETHER {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "it has no Ethernet header"));
        }
        Ok(std::array::from_fn(|place| address.sa_data[place] as u8))
    }

    /// # Safety
    /// What `request` points to, for questions that have it point somewhere, is what the kernel writes for them.
    unsafe fn ask(&self, question: libc::Ioctl, request: &mut libc::ifreq) -> io::Result<()> {
        // SAFETY: the kernel reads and writes one ifreq, which outlives the call, and what it points to.
        let result = unsafe { libc::ioctl(self.0.as_fd().as_raw_fd(), question, &raw mut *request) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}
