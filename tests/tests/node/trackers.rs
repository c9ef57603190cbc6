//! What moves a priority or is a fault: interfaces, files, processes.

use anyhow::{Context as _, Result};
use vrrp_tests::{
    conf::{Conf, INSTANCE},
    peers::{Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::FAST;

/// What the router's effective priority, or its fault, must come to.
fn settles(node: &Xvrrp, priority: u64) -> Result<()> {
    let mut seen = None;
    wait_until(FAST, &format!("the effective priority is {priority}"), || {
        seen = node.router(INSTANCE)?["priority"]["effective"].as_u64();
        Ok(seen == Some(priority))
    })
    .with_context(|| format!("it is {seen:?}"))
}

fn faults(node: &Xvrrp, word: &str) -> Result<()> {
    wait_until(FAST, &format!("a fault that names {word}"), || {
        Ok(node.router(INSTANCE)?["fault"].as_str().is_some_and(|fault| fault.contains(word)))
    })
}

#[test]
fn interfaces_move_priorities_and_fault() -> Result<()> {
    story("tracked interfaces", &[], |lab| {
        let castor = lab.host("castor")?;
        lab.connect(&castor, "eth1")?;
        lab.connect(&castor, "eth2")?;
        let tracks = "track_interface {\n        eth1 weight -20\n        eth2\n    }";
        let node = Xvrrp::start(&castor, &Conf::fast(100).and(tracks).text())?;
        node.wait_active(INSTANCE, FAST)?;
        settles(&node, 100)?;
        castor.link_down("eth1")?;
        settles(&node, 80)?;
        castor.link_down("eth2")?;
        faults(&node, "eth2 fails: down")?;
        castor.link_up("eth2")?;
        castor.link_up("eth1")?;
        settles(&node, 100)?;
        node.wait_active(INSTANCE, FAST)?;
        castor.check(&["ip", "link", "delete", "eth2"])?;
        faults(&node, "eth2 fails: missing")
    })
}

/// The numbers and their meaning are those that keepalived 2.2.7 showed with the same file.
#[test]
fn numbers_in_files_move_priorities_and_fault() -> Result<()> {
    story("tracked files", &[], |lab| {
        let castor = lab.host("castor")?;
        let conf = Conf::fast(90).and("track_file {\n        f weight 2\n    }").text();
        let file = "track_file f {\n    file /run/lab/number\n}\n\n".to_owned();
        let node = Xvrrp::start(&castor, &(file + &conf))?;
        node.wait_active(INSTANCE, FAST)?;
        for (text, priority) in [
            ("5", 100),
            ("junk7", 90),
            ("  -3 abc", 84),
            ("0x10", 122),
            ("010", 106),
            ("99999999999", 106),
            ("1", 92),
        ] {
            castor.sh(&format!("echo '{text}' >/run/lab/number"))?;
            settles(&node, priority).with_context(|| text.to_owned())?;
        }
        castor.sh("echo -200 >/run/lab/number")?;
        faults(&node, "check f fails: holds -200")?;
        castor.sh("rm /run/lab/number")?;
        settles(&node, 90)?;
        node.wait_active(INSTANCE, FAST)
    })
}

#[test]
fn processes_are_counted() -> Result<()> {
    story("tracked processes", &[], |lab| {
        let castor = lab.host("castor")?;
        let conf = Conf::fast(100).and("track_process {\n        two weight 10\n        one\n    }").text();
        let processes = "vrrp_track_process two {\n    process sleep\n    quorum 2\n}\n\nvrrp_track_process one {\n    \
                         process sleep 4711\n    param_match exact\n}\n\n";
        let node = Xvrrp::start(&castor, &(processes.to_owned() + &conf))?;
        faults(&node, "one fails: 0 running, at least 1 wanted")?;
        let first = castor.spawn("first", &["sleep", "4711"])?;
        node.wait_active(INSTANCE, FAST)?;
        settles(&node, 100)?;
        let second = castor.spawn("second", &["sleep", "4712"])?;
        settles(&node, 110)?;
        second.terminate(FAST)?;
        settles(&node, 100)?;
        first.terminate(FAST)?;
        faults(&node, "one fails")
    })
}
