//! The next daemon is another build: what of the kernel's part can go on goes on, and the rest is replaced.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use vrrp_common::abi::ABI_VERSION;
use vrrp_tests::{
    Host,
    conf::{ADDRESS, Conf, INSTANCE},
    holds_for,
    lab::binary,
    peers::{Pinger, Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::{FAST, Pair, SLOW};

const OTHER: &str = "0123456789abcdef";

fn conf(priority: u8) -> Conf {
    Conf::v3(priority, "1")
}

/// The program on this host as if it was built with another kernel object: all that it knows of that is its number.
fn other_build(host: &Host) -> Result<(String, String)> {
    let program = binary("xvrrp")?.display().to_string();
    let version = host.check(&[&program, "--version"])?;
    let object = version.trim_end_matches([')', '\n']).rsplit(' ').next().context("no object")?.to_owned();
    ensure!(object.len() == OTHER.len(), "{version}");
    let other = host.inside("xvrrp-other");
    host.sh(&format!("LC_ALL=C sed 's/{object}/{OTHER}/g' {program} >{other} && chmod +x {other}"))?;
    Ok((other, object))
}

fn kill(node: &Xvrrp) -> Result<()> {
    node.kill()?;
    wait_until(FAST, "the killed node has ended", || Ok(node.process().exit()?.is_some()))
}

fn ensure_went_on(node: &Xvrrp) -> Result<()> {
    let transitions = node.transitions(INSTANCE)?;
    let went_on =
        transitions.len() == 1 && transitions[0].reason.starts_with("going on for the daemon before");
    ensure!(went_on, "it did not go on: {transitions:?}");
    Ok(())
}

/// Links and maps are the same ones, and work with the new programs; those of the old build have no name any more.
#[test]
fn another_kernel_object_takes_over_links_and_maps() -> Result<()> {
    story("another object", &["bpftool"], |lab| {
        let pair = Pair::new(lab)?;
        let (other, object) = other_build(&pair.castor)?;
        let castor = Xvrrp::start(&pair.castor, &conf(101).text())?;
        castor.wait_owns(ADDRESS, SLOW)?;
        let pollux = Xvrrp::start(&pair.pollux, &conf(100).text())?;
        wait_until(SLOW, "pollux hears castor", || Ok(pollux.counter(INSTANCE, "accepted")? > 0))?;
        let kept = || {
            pair.castor.sh(
                "cd /sys/fs/bpf/xvrrp/*/*; ls -i | grep -e hear- -e guard- -e xvrrp_heard -e xvrrp_leases",
            )
        };
        let programs =
            || pair.castor.sh("ls /sys/fs/bpf/xvrrp/*/* | grep -o -e '-[0-9a-f]\\{16\\}$' | sort -u");
        let before = kept()?;
        assert_eq!(programs()?, format!("-{object}\n"));
        let pinger = Pinger::start(&lab.host("client")?, ADDRESS.parse()?)?;
        kill(&castor)?;
        let castor = Xvrrp::start_program(&pair.castor, &other, &conf(101).text())?;
        ensure_went_on(&castor)?;
        assert_eq!(kept()?, before);
        // Names that are missed are put back every second.
        let others = || Ok(programs()? == format!("-{OTHER}\n"));
        holds_for(Duration::from_millis(1500), "the programs are those of the other object", others)?;
        castor.stop(&["--keep"])?;
        let castor = Xvrrp::start(&pair.castor, &conf(101).text())?;
        ensure_went_on(&castor)?;
        assert_eq!(kept()?, before);
        let ping = pinger.stop()?;
        ensure!(ping.sent - ping.answered <= 1, "probes were lost (the last one may be under way): {ping:?}");
        let became = pollux.counter(INSTANCE, "became_active")?;
        ensure!(became == 0, "pollux took over");
        Ok(())
    })
}

/// Maps of another layout are of no use; the links are, so that interfaces are heard and guarded without a gap, by the
/// same hooks. What goes on is the lease, which the kernel does not keep.
#[test]
fn another_layout_leaves_its_links() -> Result<()> {
    story("another layout", &["bpftool"], |lab| {
        let pair = Pair::new(lab)?;
        let castor = Xvrrp::start(&pair.castor, &conf(101).text())?;
        castor.wait_owns(ADDRESS, SLOW)?;
        let rung = |node: &Xvrrp| Ok::<_, anyhow::Error>(node.router(INSTANCE)?["datapath"]["name"].clone());
        let (heard_by, links) = (rung(&castor)?, link_ids(&pair.castor)?);
        let pinger = Pinger::start(&lab.host("client")?, ADDRESS.parse()?)?;
        kill(&castor)?;
        let other =
            format!("cd /sys/fs/bpf/xvrrp/*; mkdir -m 700 99; mv {ABI_VERSION}/* 99; rmdir {ABI_VERSION}");
        pair.castor.sh(&other)?;
        let castor = Xvrrp::start(&pair.castor, &conf(101).text())?;
        ensure_went_on(&castor)?;
        let ping = pinger.stop()?;
        ensure!(ping.sent - ping.answered <= 1, "probes were lost (the last one may be under way): {ping:?}");
        assert_eq!(rung(&castor)?, heard_by);
        assert_eq!(link_ids(&pair.castor)?, links, "the links are others");
        assert_eq!(pair.castor.sh("ls /sys/fs/bpf/xvrrp/*")?, format!("{ABI_VERSION}\n"));
        let pollux = Xvrrp::start(&pair.pollux, &conf(200).text())?;
        pollux.wait_owns(ADDRESS, SLOW)?;
        castor.wait_lets_go(ADDRESS, FAST)
    })
}

/// Every link that has a name, by the kernel's number.
fn link_ids(host: &Host) -> Result<String> {
    host.sh("for link in /sys/fs/bpf/xvrrp/*/*/hear-* /sys/fs/bpf/xvrrp/*/*/guard-*; do
             bpftool link show pinned $link | head -n 1 | cut -d: -f 1
         done | sort")
}
