//! `cargo xtask test`: set-up, then every test of the workspace, with the seconds that each step took.

use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::{
    cargo::{build, cargo, check},
    setup::{self, say},
};

/// Schedules of the simulator in a soak; an ordinary run does ten thousand.
const SOAK_SCHEDULES: &str = "1000000";

/// Stories in the Lab mostly wait: more of them than there are cores may run side by side.
const THREADS: &str = "6";

/// The first run hears in the best way, which on the Lab's cables is XDP in the driver; then each of these, one for all
/// hosts or the hosts in turn (see `XVRRP_DATAPATH` in the Lab).
const OTHER_DATAPATHS: [&str; 4] = ["tc tcx", "tc clsact", "socket", "auto,socket"];

/// The modules of stories whose outcome depends on how advertisements are heard: these are told by every datapath.
const HEARING: [&str; 16] = [
    "accept_from::",
    "checksum::",
    "crash::",
    "events::",
    "faults::",
    "flood::",
    "frr::",
    "heard::",
    "junk::",
    "keepalived::",
    "many::",
    "owners::",
    "preemption::",
    "scenario::",
    "takeover::",
    "unicast::",
];

#[derive(Args)]
pub(crate) struct Test {
    /// Only run the election's simulator, for a hundred times as many schedules
    #[arg(long)]
    soak: bool,
    /// Run only tests whose names contain this
    filter: Option<String>,
}

impl Test {
    pub(crate) fn run(self) -> Result<()> {
        if self.soak {
            return step("soak", || self.soak());
        }
        step("set-up", setup_lab)?;
        step("build", build_all)?;
        let all = step("tests", || self.all());
        if self.filter.is_some() || !setup::is_root() {
            return all;
        }
        // One that fails does not hide what the others say.
        let others = OTHER_DATAPATHS.map(|datapath| step(datapath, || stories_by(datapath)));
        others.into_iter().fold(all, Result::and)
    }

    fn all(&self) -> Result<()> {
        let mut test = cargo();
        test.args(["test", "--workspace", "--no-fail-fast"])
            .args(&self.filter)
            .env("RUST_TEST_THREADS", THREADS);
        if setup::is_root() {
            test.env("XVRRP_REQUIRE_LAB", "1");
        }
        check(&mut test)
    }

    /// Optimized: a million schedules are minutes that way and hours otherwise.
    fn soak(&self) -> Result<()> {
        let mut test = cargo();
        test.args(["test", "--release", "--package", "vrrp-common", "--test", "simulator"])
            .args(&self.filter);
        check(test.env("XVRRP_SIM_SCHEDULES", SOAK_SCHEDULES))
    }
}

fn stories_by(datapath: &str) -> Result<()> {
    let mut test = cargo();
    test.args(["test", "--package", "vrrp-tests", "--test", "node", "--"])
        .args(HEARING)
        // It has one of these names within its own, and hears as its files say.
        .args(["--skip", "called_keepalived::"])
        .env("RUST_TEST_THREADS", THREADS)
        .env("XVRRP_REQUIRE_LAB", "1")
        .env("XVRRP_DATAPATH", datapath);
    check(&mut test)
}

fn setup_lab() -> Result<()> {
    if setup::is_root() {
        return setup::install_all();
    }
    say("The end-to-end tests make network namespaces and are left out: `sudo cargo xtask test` runs them.");
    Ok(())
}

fn build_all() -> Result<()> {
    build(&["--package", "vrrp-user"])?;
    check(cargo().args(["test", "--workspace", "--no-run", "--quiet"]))
}

fn step(name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    let result = run();
    let end = if result.is_ok() { "" } else { " (failed)" };
    say(&format!("==> {name}: {:.1} s{end}", start.elapsed().as_secs_f64()));
    result
}
