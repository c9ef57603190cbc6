//! What this host and its interfaces offer a datapath, and who holds the hooks already. Nothing is attached here.

use aya::programs::{SchedClassifier, TcAttachType, loaded_programs};

use super::kernel::{KernelPath, suits_xdp};
use crate::{
    config::model::{Receive, ReceivePath},
    pins::Owner,
};

/// Our programs' names begin so.
const OURS: &str = "xvrrp_";

/// Has the kernel load and verify the programs.
///
/// # Errors
/// Why it does not take them, as a router's datapath would say.
pub fn load_programs() -> Result<(), String> {
    let mut kernel = KernelPath::load(None, Owner::default(), false).map_err(|error| error.to_string())?;
    [ReceivePath::Xdp, ReceivePath::Tc].into_iter().try_for_each(|path| {
        let wish = Receive { path, ..Receive::default() };
        kernel.prepare(wish).map_err(|error| error.to_string())
    })
}

/// Whether a program in the driver of this interface would be tried.
///
/// # Errors
/// Why not.
pub fn xdp(interface: &str) -> Result<(), String> {
    suits_xdp(interface, false)
}

/// The programs of others at the tcx ingress of this interface, first to last.
///
/// # Errors
/// Why tcx cannot be used.
pub fn tcx(interface: &str) -> Result<Vec<String>, String> {
    let (_, programs) = SchedClassifier::query_tcx(interface, TcAttachType::Ingress)
        .map_err(|error| format!("{error}; it needs Linux 6.6 and CAP_NET_ADMIN"))?;
    let named = programs.iter().map(|program| name(program.id(), program.name_as_str()));
    Ok(named.filter(|name| !is_ours(name)).collect())
}

/// The name of a loaded program, and its number where it has none.
pub fn program(id: u32) -> String {
    let found = loaded_programs().filter_map(Result::ok).find(|program| program.id() == id);
    name(id, found.as_ref().and_then(|program| program.name_as_str()))
}

/// Whether a program of this name is one of xvrrp's.
pub fn is_ours(name: &str) -> bool {
    name.starts_with(OURS)
}

fn name(id: u32, name: Option<&str>) -> String {
    name.filter(|name| !name.is_empty()).map_or_else(|| format!("program {id}"), str::to_owned)
}
