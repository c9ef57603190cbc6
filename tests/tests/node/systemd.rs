//! Under a real systemd, by the units that packages carry: what they restart, when they give up, and that nothing is
//! left then. What a supervisor is told is shown in `supervised`.

use anyhow::{Result, ensure};
use vrrp_tests::{
    Host,
    conf::{ADDRESS, Conf},
    peers::{Router as _, Systemd, Xvrrp},
    story, wait_until,
};

use crate::pair::{FAST, SLOW};

/// In seconds; the unit has 10.
const WATCHDOG: u32 = 2;
/// How many starts a minute the unit allows.
const STARTS: u32 = 5;

fn left(host: &Host) -> Result<String> {
    host.sh(
        "find /sys/fs/bpf /run/xvrrp -mindepth 1; ip -brief address show dev eth0; tc qdisc show dev eth0",
    )
}

/// A killed node and a hung one are started again; one that is killed too often is given up, and cleaned up after.
#[test]
fn the_units_restart_a_node_and_clean_up_when_it_is_given_up() -> Result<()> {
    story("systemd", &["systemd"], |lab| {
        let [castor, pollux] = [lab.host("castor")?, lab.host("pollux")?];
        castor.sh("mkdir /run/xvrrp")?;
        let before = left(&castor)?;
        let systemd = Systemd::boot(&castor, &Conf::v3(101, "1").text(), WATCHDOG)?;
        systemd.control(&["start", "xvrrp"])?;
        systemd.wait_for("StatusText", "1 Active, 0 Backup, 0 Fault")?;
        ensure!(castor.owns(ADDRESS)?, "an Active node does not have its address");
        systemd.control(&["reload", "xvrrp"])?;
        systemd.wait_for("StatusText", "1 Active, 0 Backup, 0 Fault")?;
        assert_eq!(systemd.property("ActiveState")?, "active");
        let bad = castor.write_file("bad.conf", "vrrp_instance V {")?;
        let file = bad.replace("bad.conf", "xvrrp.conf");
        castor.sh(&format!("cp {file} {file}.good; cp {bad} {file}"))?;
        ensure!(
            systemd.control(&["reload", "xvrrp"]).is_err(),
            "whoever reloads does not learn of the error"
        );
        assert_eq!(systemd.property("StatusText")?, "1 Active, 0 Backup, 0 Fault");
        assert_eq!(systemd.property("ActiveState")?, "active");
        castor.sh(&format!("cp {file}.good {file}"))?;
        systemd.control(&["reload", "xvrrp"])?;

        let peer = Xvrrp::start(&pollux, &Conf::v3(100, "1").text())?;
        kill(&systemd, "KILL", 1)?;
        kill(&systemd, "STOP", 2)?;
        wait_until(SLOW, "castor owns the address again", || castor.owns(ADDRESS))?;
        for restarts in 3..STARTS {
            kill(&systemd, "KILL", restarts)?;
        }
        systemd.control(&["kill", "--kill-who=main", "--signal=KILL", "xvrrp"])?;
        systemd.wait_for("ActiveState", "failed")?;
        wait_until(FAST, "the given up node is cleaned up after", || Ok(left(&castor)? == before))?;
        peer.wait_owns(ADDRESS, SLOW)
    })
}

/// Sends the node a signal, and waits until systemd has started it again.
fn kill(systemd: &Systemd, signal: &str, restarts: u32) -> Result<()> {
    systemd.control(&["kill", "--kill-who=main", &format!("--signal={signal}"), "xvrrp"])?;
    systemd.wait_for("NRestarts", &restarts.to_string())?;
    systemd.wait_for("ActiveState", "active")
}

/// `systemctl stop` resigns, and leaves nothing.
#[test]
fn a_stopped_unit_resigns() -> Result<()> {
    story("systemd stop", &["systemd"], |lab| {
        let [castor, pollux] = [lab.host("castor")?, lab.host("pollux")?];
        castor.sh("mkdir /run/xvrrp")?;
        let before = left(&castor)?;
        let systemd = Systemd::boot(&castor, &Conf::fast(101).text(), WATCHDOG)?;
        systemd.control(&["start", "xvrrp"])?;
        systemd.wait_for("StatusText", "1 Active, 0 Backup, 0 Fault")?;
        let peer = Xvrrp::start(&pollux, &Conf::fast(100).text())?;
        systemd.control(&["stop", "xvrrp"])?;
        assert_eq!(systemd.property("Result")?, "success");
        assert_eq!(left(&castor)?, before);
        peer.wait_owns(ADDRESS, FAST)
    })
}
