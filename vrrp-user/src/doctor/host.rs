//! What belongs to the host as a whole: kernel, rights, scheduling, memory, the bpf file system, the clock.

use std::{fs, os::unix::fs::MetadataExt, path::Path, thread};

use nix::{sys::statfs::statfs, sys::utsname::uname};

use super::{Finding, read};
use crate::{datapath::survey, rights};

/// `linux/magic.h`.
const BPF_FS_MAGIC: i64 = 0xcafe_4a11;
const BPF_FS: &str = "/sys/fs/bpf";

pub(super) fn examine() -> Vec<Finding> {
    let mut findings = vec![kernel(), bpf_file_system()];
    findings.extend(lockdown());
    findings.extend(rights());
    findings.push(programs());
    findings.push(scheduling());
    findings.push(memory());
    findings.extend(clock());
    findings
}

fn kernel() -> Finding {
    let release =
        uname().map_or_else(|_| "?".to_owned(), |name| name.release().to_string_lossy().into_owned());
    if Path::new("/sys/kernel/btf/vmlinux").exists() {
        return Finding::ok("kernel", format!("Linux {release}, with BTF"));
    }
    Finding::notice(
        "kernel",
        format!("Linux {release} has no BTF (/sys/kernel/btf/vmlinux)"),
        "a kernel with CONFIG_DEBUG_INFO_BTF tells tools like bpftool more; xvrrp does not need it",
    )
}

fn bpf_file_system() -> Finding {
    let subject = "bpffs";
    let mounted = statfs(BPF_FS).is_ok_and(|found| found.filesystem_type().0 == BPF_FS_MAGIC);
    if !mounted {
        let remedy = format!("mount -t bpf bpf {BPF_FS} -o mode=0700");
        return Finding::notice(subject, format!("no bpf file system is mounted on {BPF_FS}"), remedy);
    }
    match fs::metadata(BPF_FS) {
        Ok(found) => judge_mode(found.uid(), found.mode()),
        Err(error) => {
            Finding::notice(subject, format!("{BPF_FS} cannot be looked at: {error}"), "run it as root")
        }
    }
}

fn judge_mode(owner: u32, mode: u32) -> Finding {
    const STICKY: u32 = 0o1000;
    let text = format!("{BPF_FS} is mounted, mode {:04o}, owner {owner}", mode & 0o7777);
    if owner != 0 {
        return Finding::problem("bpffs", text, "mount it anew as root: its owner can remove every pin");
    }
    if mode & 0o022 != 0 && mode & STICKY == 0 {
        return Finding::problem("bpffs", text, format!("chmod 0700 {BPF_FS}: others can remove every pin"));
    }
    Finding::ok("bpffs", text)
}

fn lockdown() -> Option<Finding> {
    let text = read("/sys/kernel/security/lockdown")?;
    let active = text.split('[').nth(1)?.split(']').next()?;
    if active == "none" {
        return None;
    }
    Some(Finding::notice(
        "kernel",
        format!("the kernel is locked down ({active})"),
        "see below whether it takes the programs; if not, the socket datapath hears",
    ))
}

fn rights() -> Vec<Finding> {
    let missing = rights::missing();
    if !missing.is_empty() {
        let text = format!("{} missing: no virtual router can run", are(&missing));
        return vec![Finding::problem("rights", text, "run it as root, or grant them")];
    }
    let wanted = rights::missing_of_wanted();
    if wanted.is_empty() {
        return vec![Finding::ok("rights", "all capabilities that a node uses are there")];
    }
    let text = format!("{} missing", are(&wanted));
    let remedy = "run it as root, or grant them: without CAP_BPF and CAP_PERFMON the socket datapath hears and \
                  nothing guards the addresses, without the others timers may be late";
    vec![Finding::notice("rights", text, remedy)]
}

fn are<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(" and "))
}

fn programs() -> Finding {
    match survey::load_programs() {
        Ok(()) => Finding::ok("programs", "the kernel takes the XDP and the tc program"),
        Err(reason) => Finding::notice("programs", reason, "until then `datapath auto` hears by a socket"),
    }
}

/// Tried for real, in a thread that ends at once.
fn scheduling() -> Finding {
    let outcome = thread::spawn(|| rights::schedule(None, None)).join();
    let throttle = read("/proc/sys/kernel/sched_rt_runtime_us").unwrap_or_default();
    match outcome {
        Ok(Ok(())) => {
            Finding::ok("scheduling", format!("SCHED_RR is allowed (sched_rt_runtime_us {throttle})"))
        }
        Ok(Err(notice)) => Finding::notice(
            "scheduling",
            notice.to_string(),
            format!(
                "with the right there it is the control group: give its cpu.rt_runtime_us a share, and the host's \
                 sched_rt_runtime_us ({throttle}) must not be 0"
            ),
        ),
        Err(_) => Finding::notice("scheduling", "it could not be tried", "look for messages above"),
    }
}

fn memory() -> Finding {
    match rights::may_lock_memory() {
        Ok(()) => Finding::ok("memory", "the node's memory may be locked"),
        Err(notice) => {
            Finding::notice("memory", notice.to_string(), "grant CAP_IPC_LOCK, or LimitMEMLOCK=infinity")
        }
    }
}

/// Clocks whose reading is a slow access to a device.
const SLOW_CLOCKS: [&str; 3] = ["hpet", "acpi_pm", "jiffies"];

fn clock() -> Option<Finding> {
    let source = read("/sys/devices/system/clocksource/clocksource0/current_clocksource")?;
    Some(if SLOW_CLOCKS.contains(&source.as_str()) {
        Finding::notice(
            "clock",
            format!("the clock source is {source}, which is slow or coarse"),
            "see in /sys/devices/system/clocksource/clocksource0/available_clocksource whether tsc can be had",
        )
    } else {
        Finding::ok("clock", format!("the clock source is {source}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_bpf_file_system_that_others_can_change_is_a_problem() {
        let level = |owner, mode| judge_mode(owner, mode).level;
        assert_eq!(level(0, 0o040_700), Level::Ok);
        assert_eq!(level(0, 0o041_777), Level::Ok);
        assert_eq!(level(0, 0o040_777), Level::Problem);
        assert_eq!(level(1000, 0o040_700), Level::Problem);
    }
}
