//! What the programs log, put into our log: for whoever looks for the reason why something is not heard.

use aya::Ebpf;
use aya_log::EbpfLogger;
use log::{Log, Metadata, Record};
use vrrp_common::judge::DropReason;

/// The ring buffer of aya's log.
pub(super) const MAP: &str = "AYA_LOGS";
/// Before an IPv4 address: programs know addresses of one length.
const MAPPED: &str = "from ::ffff:";

/// Lines that wait for us.
pub(super) type Lines = EbpfLogger<Ours>;

pub(super) fn reader(ebpf: &mut Ebpf) -> Result<Lines, aya_log::Error> {
    EbpfLogger::init_with_logger(ebpf, Ours)
}

/// Our log.
pub(super) struct Ours;

impl Log for Ours {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        tracing::info!("kernel: {}", named(&record.args().to_string().replace(MAPPED, "from ")));
    }

    fn flush(&self) {}
}

/// The line with the name of a reason, of which a program knows the number.
fn named(line: &str) -> String {
    let number = line.rsplit_once("reason ").and_then(|(_, number)| number.parse::<usize>().ok());
    match number.and_then(|number| DropReason::ALL.get(number)) {
        Some(reason) => format!("{line} ({})", reason.name()),
        None => line.to_owned(),
    }
}
