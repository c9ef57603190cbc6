//! Every kind of virtual address is guarded, and without a bpf file system too.

use std::{thread::sleep, time::Duration};

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use vrrp_tests::{
    conf::{ADDRESS, Conf},
    init::Exit,
    peers::{Census, Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::{CASTOR_MAC, FAST, POLLUX_MAC, Pair};

const A_MOMENT: Duration = Duration::from_millis(500);
/// Two hosts on one virtual MAC address could not be told apart.
const OWN_MACS: [&str; 2] = ["02:00:00:00:33:01", "02:00:00:00:33:02"];

/// What is asked for, the statements that move it on castor and pollux, and the MAC addresses that answer.
struct Kind {
    name: &'static str,
    address: &'static str,
    confs: [Conf; 2],
    macs: [&'static str; 2],
}

impl Kind {
    /// Castor ends by each signal, pollux takes over; castor has not answered since.
    fn tell(&self) -> Result<()> {
        for signal in [Signal::SIGKILL, Signal::SIGSTOP] {
            story(&format!("{}, {signal}", self.name), &[], |lab| {
                let pair = Pair::of(lab, self.address)?;
                let [castor, pollux] = &self.confs;
                let castor = Xvrrp::start(&pair.castor, &castor.text())?;
                castor.wait_owns(self.address, FAST)?;
                let pollux = Xvrrp::start(&pair.pollux, &pollux.text())?;
                let census = Census::start(&lab.host("client")?, self.address, &self.macs)?;
                sleep(A_MOMENT);
                castor.process().signal_group(signal)?;
                pollux.wait_owns(self.address, FAST)?;
                sleep(A_MOMENT);
                let turns = census.stop()?;
                let [old, new] = self.macs.map(|mac| turns.answers(mac));
                ensure!(old > 100 && new > 100, "{turns:?}");
                ensure!(turns.late(&self.macs[..1], self.macs[1]) == 0, "two owners: {turns:?}");
                Ok(())
            })?;
        }
        Ok(())
    }
}

fn both(conf: impl Fn(u8) -> Conf) -> [Conf; 2] {
    [101, 100].map(|priority| conf(priority).and("nopreempt"))
}

#[test]
fn an_address_that_is_not_advertised_is_guarded() -> Result<()> {
    let block = "virtual_ipaddress_excluded {\n        192.0.2.101/24\n    }";
    let confs = both(|priority| Conf::fast(priority).and(block));
    Kind { name: "excluded", address: "192.0.2.101", confs, macs: [CASTOR_MAC, POLLUX_MAC] }.tell()
}

#[test]
fn a_link_local_address_is_guarded() -> Result<()> {
    let confs = both(|priority| Conf::fast(priority).moving(&["fe80::100/64", "2001:db8::100/64"]));
    Kind { name: "link-local", address: "fe80::100", confs, macs: [CASTOR_MAC, POLLUX_MAC] }.tell()
}

#[test]
fn an_address_on_a_macvlan_is_guarded() -> Result<()> {
    let [castor, pollux] = both(Conf::fast);
    let own = |conf: Conf, mac: &str| conf.and(&format!("use_vmac vrrp.51 {mac}"));
    let confs = [own(castor, OWN_MACS[0]), own(pollux, OWN_MACS[1])];
    Kind { name: "macvlan", address: ADDRESS, confs, macs: OWN_MACS }.tell()
}

/// Links of tcx would end with the daemon, filters of clsact do not.
#[test]
fn a_guard_without_a_bpf_file_system_outlives_the_daemon() -> Result<()> {
    story("no names", &[], |lab| {
        let pair = Pair::new(lab)?;
        pair.castor.sh("mkdir /sys/fs/bpf/xvrrp; chmod 777 /sys/fs/bpf/xvrrp")?;
        let required = Conf::fast(101).and("nopreempt").node("guard required");
        let castor = Xvrrp::start(&pair.castor, &required.clone().text())?;
        castor.wait_owns(ADDRESS, FAST)?;
        assert_eq!(castor.status()?["fenced"]["eth0"], "clsact");
        let pollux = Xvrrp::start(&pair.pollux, &Conf::fast(100).text())?;
        let census = Census::start(&lab.host("client")?, ADDRESS, &[CASTOR_MAC, POLLUX_MAC])?;
        castor.kill()?;
        pollux.wait_owns(ADDRESS, FAST)?;
        sleep(A_MOMENT);
        let turns = census.stop()?;
        ensure!(turns.answers(POLLUX_MAC) > 100, "{turns:?}");
        ensure!(turns.late(&[CASTOR_MAC], POLLUX_MAC) == 0, "two owners: {turns:?}");

        wait_until(FAST, "the killed node has ended", || Ok(castor.process().exit()?.is_some()))?;
        let file = pair.castor.write_file("tcx.conf", &required.node("tc_hook tcx").text())?;
        let refused = Xvrrp::command(&pair.castor, &["run", "-f", &file])?;
        assert_eq!(refused.exit, Exit::Code(1));
        let said = refused.stdout + &refused.stderr;
        ensure!(said.contains("programs of tcx end with the daemon"), "{said}");
        Ok(())
    })
}
