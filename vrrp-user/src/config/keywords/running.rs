//! Keywords of `global_defs` about how the node runs: when it starts, with which priority and on which CPUs.

use super::{
    Grammar::{Line, Number, Seconds},
    Keyword,
};
use crate::config::{context::Context, diagnostics::error, draft::GlobalDraft, statement::Statement, values};

/// The kernel's limit of CPUs in a set.
const HIGHEST_CPU: i64 = 1023;

pub(super) const RUNNING: &[Keyword<GlobalDraft>] = &[
    Keyword::works(
        "vrrp_startup_delay",
        "0",
        Seconds(0..=4_294_000, |globals, delay| globals.running.start_delay = delay.value),
        "seconds after the start of the node until its routers start",
    ),
    Keyword::works(
        "vrrp_delay_after_boot",
        "0",
        Seconds(0..=4_294_000, |globals, delay| globals.running.boot_delay = delay.value),
        "seconds after the start of the host until the routers start",
    ),
    Keyword::works(
        "vrrp_rt_priority",
        "50 where allowed",
        // The range fits.
        Number(1..=99, |globals, priority| globals.running.realtime = Some(priority.value as u8)),
        "real-time priority of the threads that keep time, where the node may have one",
    ),
    Keyword::works(
        "vrrp_priority",
        "none with real-time priority, else -20",
        // The range fits.
        Number(-20..=19, |globals, nice| globals.running.nice = Some(nice.value as i8)),
        "nice value of the threads that keep time, instead of a real-time priority unless vrrp_rt_priority asks for one",
    ),
    Keyword::works(
        "vrrp_cpu_affinity",
        "all CPUs",
        Line("CPU ...", set_cpus),
        "the CPUs that the node runs on, by their numbers from 0",
    ),
];

fn set_cpus(globals: &mut GlobalDraft, statement: &Statement, context: &mut Context<'_>) {
    if statement.arguments.is_empty() {
        let none = error(statement.keyword.span, "`vrrp_cpu_affinity` needs the number of a CPU");
        context.push(none.help("write one or several, from 0; `lscpu` lists them"));
    }
    let cpus = statement.arguments.iter().filter_map(|word| {
        let cpu = values::number("vrrp_cpu_affinity", word, &(0..=HIGHEST_CPU));
        context.ok(cpu, values::IN_RANGE).and_then(|cpu| usize::try_from(cpu).ok())
    });
    globals.running.cpus = cpus.collect();
}
