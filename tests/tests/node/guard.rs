//! One owner, whatever happens to the daemon: everybody is asked for the address all the time, and whoever held it is
//! silent before whoever takes it answers.

use std::{thread::sleep, time::Duration};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use vrrp_tests::{
    Host, Lab,
    conf::{ADDRESS, Conf, INSTANCE},
    init::Exit,
    lab::binary,
    peers::{Census, Router, Xvrrp},
    story, wait_until,
};

use crate::{
    hooks::intrude,
    pair::{CASTOR_MAC, FAST, POLLUX_MAC, Pair},
};

const ADDRESS_V6: &str = "2001:db8::100";
/// Hardware address of castor's `eth1`.
const CASTOR_SECOND_MAC: &str = "02:00:00:00:01:01";
/// Room for hundreds of answers, if there are any.
const A_MOMENT: Duration = Duration::from_millis(500);
/// Where others may come before the guard, and where it may come before them.
const TCX: [&str; 2] = ["datapath tc", "tc_hook tcx"];
/// A filter of the queueing discipline stays when its process dies, whatever else is removed.
const CLSACT: [&str; 2] = ["datapath tc", "tc_hook clsact"];

/// What is different in a story of a fault.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) address: &'static str,
    /// Statements for both nodes.
    pub(crate) node: &'static [&'static str],
    /// A check of castor's: its statements.
    pub(crate) check: &'static [&'static str],
    /// Priorities of castor, which owns the address at first and does not preempt, and pollux.
    pub(crate) priorities: [u8; 2],
}

impl Case {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, address: ADDRESS, node: &[], check: &[], priorities: [101, 100] }
    }

    fn conf(&self, priority: u8) -> Conf {
        let conf = Conf::fast(priority).moving(&[self.address]).and("nopreempt");
        self.node.iter().fold(conf, |conf, statement| conf.node(statement))
    }

    fn castors(&self) -> Conf {
        let conf = self.conf(self.priorities[0]);
        if self.check.is_empty() { conf } else { conf.checking("service", self.check) }
    }

    /// Castor fails, pollux takes over, `then` something may happen to castor; it has not answered since.
    pub(crate) fn tell(
        self,
        fail: impl Fn(&Host, &dyn Router) -> Result<()>,
        then: impl Fn(&Host, &dyn Router) -> Result<()>,
    ) -> Result<()> {
        story(self.name, &[], |lab| {
            let pair = Pair::of(lab, self.address)?;
            let client = lab.host("client")?;
            let castor = pair.start_castor(&self.castors())?;
            pair.wait_owners(&["castor"], FAST)?;
            let pollux = pair.start_pollux(&self.conf(self.priorities[1]))?;
            let census = Census::start(&client, self.address, &[CASTOR_MAC, POLLUX_MAC])?;
            fail(&pair.castor, castor.as_ref())?;
            pollux.wait_owns(self.address, FAST)?;
            sleep(A_MOMENT);
            then(&pair.castor, castor.as_ref())?;
            let turns = census.stop()?;
            ensure!(turns.answers(CASTOR_MAC) > 0 && turns.answers(POLLUX_MAC) > 100, "{turns:?}");
            ensure!(turns.late(&[CASTOR_MAC], POLLUX_MAC) == 0, "two owners: {turns:?}");
            Ok(())
        })
    }
}

pub(crate) fn nothing(_: &Host, _: &dyn Router) -> Result<()> {
    Ok(())
}

pub(crate) fn stop(_: &Host, node: &dyn Router) -> Result<()> {
    node.process().signal(Signal::SIGSTOP)
}

/// It runs again and lets go.
pub(crate) fn go_on(host: &Host, address: &str, node: &dyn Router) -> Result<()> {
    node.process().signal(Signal::SIGCONT)?;
    node.wait_lets_go(address, FAST)?;
    sleep(A_MOMENT);
    ensure!(!host.owns(address)? && !node.is_active(INSTANCE)?, "it took the address again");
    Ok(())
}

#[test]
fn a_stopped_owner_is_silent() -> Result<()> {
    Case::new("stopped").tell(stop, nothing)
}

#[test]
fn a_stopped_owner_is_silent_over_ipv6() -> Result<()> {
    Case { address: ADDRESS_V6, ..Case::new("stopped, IPv6") }.tell(stop, nothing)
}

#[test]
fn a_stopped_owner_is_silent_by_clsact() -> Result<()> {
    Case { node: &CLSACT, ..Case::new("stopped, clsact") }.tell(stop, nothing)
}

#[test]
fn a_stopped_owner_is_silent_by_a_socket_too() -> Result<()> {
    Case { node: &["datapath socket"], ..Case::new("stopped, socket") }.tell(stop, nothing)
}

#[test]
fn a_killed_owner_is_silent_by_clsact() -> Result<()> {
    Case { node: &CLSACT, ..Case::new("killed, clsact") }.tell(|_, node| node.kill(), nothing)
}

/// Whoever attaches programs in tc before the guard would let pass what it holds back.
#[test]
fn a_stopped_owner_is_silent_though_somebody_came_before_the_guard() -> Result<()> {
    let fail = |host: &Host, node: &dyn Router| {
        // It ends with its host.
        std::mem::forget(intrude(host, &["--first"])?);
        let overtaken = || Ok(node.process().log()?.matches("the guard goes before it").count() == 1);
        wait_until(FAST, "the guard goes before it", overtaken)?;
        node.wait_owns(ADDRESS, FAST)?;
        stop(host, node)
    };
    Case { node: &TCX, ..Case::new("stopped, programs of others in tc") }.tell(fail, nothing)
}

/// Links have names, by which they live on.
#[test]
fn a_killed_owner_is_silent() -> Result<()> {
    Case::new("killed").tell(|_, node| node.kill(), nothing)
}

#[test]
fn a_killed_owner_is_silent_though_its_names_were_removed_before() -> Result<()> {
    let fail = |host: &Host, node: &dyn Router| {
        // Filters of clsact have none.
        let names =
            || host.sh("ls /sys/fs/bpf/xvrrp/*/* 2>/dev/null | grep -e guard- -e xvrrp_leases || true");
        let before = names()?;
        host.sh("rm -r /sys/fs/bpf/xvrrp/*")?;
        wait_until(FAST, "the guard has its names again", || Ok(names()? == before))?;
        node.kill()
    };
    Case::new("killed, names removed").tell(fail, nothing)
}

/// Its successor comes after the lease, finds the address and lets go of it.
#[test]
fn a_killed_owner_that_starts_again_late_is_silent() -> Result<()> {
    let then = |host: &Host, _: &dyn Router| {
        let castor = Xvrrp::start(host, &Conf::fast(101).and("nopreempt").text())?;
        castor.wait_lets_go(ADDRESS, FAST)?;
        sleep(A_MOMENT);
        ensure!(!castor.is_active(INSTANCE)?, "it took the address again");
        Ok(())
    };
    Case::new("killed, started again").tell(|_, node| node.kill(), then)
}

/// Rust's own handler lets the first one go: a real fault would come again at once.
fn crash(_: &Host, node: &dyn Router) -> Result<()> {
    node.process().signal(Signal::SIGSEGV)?;
    wait_until(FAST, "it has crashed", || {
        Ok(node.process().signal(Signal::SIGSEGV).is_err() || node.process().exit()?.is_some())
    })
}

#[test]
fn an_owner_that_crashes_is_silent() -> Result<()> {
    Case::new("crashed").tell(crash, nothing)
}

#[test]
fn an_owner_that_crashes_is_silent_by_clsact() -> Result<()> {
    Case { node: &CLSACT, ..Case::new("crashed, clsact") }.tell(crash, nothing)
}

/// By a control group that is the host's own to see.
#[test]
fn a_frozen_owner_is_silent() -> Result<()> {
    let freeze = |host: &Host, node: &dyn Router| {
        let pid = node.process().pid();
        host.sh(&format!(
            "mkdir /tmp/groups && mount -t cgroup2 none /tmp/groups && mkdir /tmp/groups/xvrrp-{0}
             echo {pid} >/tmp/groups/xvrrp-{0}/cgroup.procs && echo 1 >/tmp/groups/xvrrp-{0}/cgroup.freeze",
            host.pid()
        ))
        .map(drop)
    };
    let thaw = |host: &Host, node: &dyn Router| {
        host.sh(&format!("echo 0 >/tmp/groups/xvrrp-{}/cgroup.freeze", host.pid()))?;
        node.wait_lets_go(ADDRESS, FAST)?;
        node.kill()?;
        node.process().wait(FAST)?;
        wait_until(FAST, "the control group is gone", || {
            Ok(host.run(&["rmdir", &format!("/tmp/groups/xvrrp-{}", host.pid())])?.exit == Exit::Code(0))
        })
    };
    Case::new("frozen").tell(freeze, thaw)
}

/// A process that is always first has the processor: the protocol thread does not run, the kernel does.
#[test]
fn a_starved_owner_is_silent() -> Result<()> {
    let starve = |host: &Host, node: &dyn Router| {
        let pid = node.process().pid();
        host.sh(&format!("taskset -a -c -p 0 {pid}"))?;
        let hog = "exec chrt --fifo 90 timeout 1 chrt --fifo 80 sh -c 'while :; do :; done'";
        host.run(&["taskset", "-c", "0", "sh", "-c", hog]).map(drop)
    };
    Case::new("starved").tell(starve, nothing)
}

/// The queue of the interface takes no advertisement, and everything else: nothing renews the lease.
#[test]
fn an_owner_whose_queue_is_full_is_silent() -> Result<()> {
    let fill = |host: &Host, _: &dyn Router| {
        host.sh("tc qdisc replace dev eth0 root handle 1: htb default 1
             tc class add dev eth0 parent 1: classid 1:1 htb rate 1gbit
             tc class add dev eth0 parent 1: classid 1:3 htb rate 1gbit
             tc qdisc add dev eth0 parent 1:3 pfifo limit 0
             tc filter add dev eth0 parent 1: protocol ip u32 match ip protocol 112 0xff flowid 1:3")
            .map(drop)
    };
    Case::new("queue full").tell(fill, nothing)
}

/// Linux answers for its addresses on every card.
#[test]
fn a_second_card_is_closed_as_the_first() -> Result<()> {
    second_card("second card", true)
}

#[test]
fn a_card_that_came_later_is_closed_too() -> Result<()> {
    second_card("later card", false)
}

fn second_card(name: &str, before: bool) -> Result<()> {
    story(name, &[], |lab| {
        let pair = Pair::new(lab)?;
        let client = lab.host("client")?;
        if before {
            lab.connect(&pair.castor, "eth1")?;
        }
        let castor = Xvrrp::start(&pair.castor, &Conf::fast(101).text())?;
        pair.wait_owners(&["castor"], FAST)?;
        if !before {
            lab.connect(&pair.castor, "eth1")?;
        }
        let guarded =
            || Ok(["tcx", "clsact"].contains(&castor.status()?["fenced"]["eth1"].as_str().unwrap_or("")));
        wait_until(FAST, "eth1 is guarded", guarded)?;
        let pollux = pair.start_pollux(&Conf::fast(100))?;
        let census = Census::start(&client, ADDRESS, &[CASTOR_MAC, CASTOR_SECOND_MAC, POLLUX_MAC])?;
        sleep(A_MOMENT);
        castor.process().signal(Signal::SIGSTOP)?;
        pollux.wait_owns(ADDRESS, FAST)?;
        sleep(A_MOMENT);
        let turns = census.stop()?;
        ensure!(turns.answers(CASTOR_SECOND_MAC) > 0, "nothing was asked of eth1: {turns:?}");
        ensure!(turns.late(&[CASTOR_MAC, CASTOR_SECOND_MAC], POLLUX_MAC) == 0, "two owners: {turns:?}");
        Ok(())
    })
}

/// Pollux, a Backup, is the gateway between client and castor, both ways on one arm.
#[test]
fn a_backup_may_route_for_the_active() -> Result<()> {
    story("one-armed gateway", &[], |lab| {
        let pair = Pair::new(lab)?;
        let client = lab.host("client")?;
        let _routers = pair.start_fast()?;
        pair.pollux.sh("echo 1 >/proc/sys/net/ipv4/ip_forward
             echo 0 >/proc/sys/net/ipv4/conf/all/send_redirects
             echo 0 >/proc/sys/net/ipv4/conf/eth0/send_redirects")?;
        pair.castor.sh(&format!("ip route add {}/32 via {}", client.address(), pair.pollux.address()))?;
        let census = Census::start(&client, ADDRESS, &[POLLUX_MAC])?;
        sleep(A_MOMENT);
        let turns = census.stop()?;
        let echoes: u64 =
            turns.turns.iter().filter(|turn| turn.mac == POLLUX_MAC).map(|turn| turn.echoes).sum();
        ensure!(echoes > turns.rounds / 2, "{echoes} of {} came back: {turns:?}", turns.rounds);
        Ok(())
    })
}

#[test]
fn what_is_not_guarded_is_told() -> Result<()> {
    story("not guarded", &[], |lab| {
        let castor = lab.host("castor")?;
        for (conf, words) in [
            (Conf::fast(101).node("guard off"), "as configured"),
            (Conf::fast(255), "the host owns the addresses"),
            (Conf::fast(101).and("down_timer_adverts 1"), "down_timer_adverts 1"),
        ] {
            let node = Xvrrp::start(&castor, &conf.text())?;
            let router = node.router(INSTANCE)?;
            ensure!(router["guard"]["guarded"] == false, "{words}: {router}");
            let reason = router["guard"]["reason"].as_str().context("no reason")?;
            ensure!(reason.contains(words), "{words}: {reason}");
            node.shut_down()?;
        }
        told_and_counted(lab, &castor)
    })
}

fn told_and_counted(lab: &Lab, castor: &Host) -> Result<()> {
    let node = Xvrrp::start(castor, &Conf::fast(101).node("guard required").text())?;
    node.wait_owns(ADDRESS, FAST)?;
    let client = lab.host("client")?;
    Census::start(&client, ADDRESS, &[CASTOR_MAC])?.stop()?;
    let router = node.router(INSTANCE)?;
    ensure!(router["guard"]["guarded"] == true, "{router}");
    ensure!(router["guard"]["packets"]["open"].as_u64() > Some(0), "{router}");
    // Three intervals of 0.1 s less half a percent.
    let left = router["guard"]["open_for_ms"].as_f64().context("it is closed")?;
    ensure!((0.0..298.5).contains(&left), "{left} ms");
    Ok(())
}

/// Root without the right to load programs: `guard required` refuses to start, the default says that it goes without.
#[test]
fn a_guard_that_is_required_and_not_possible_refuses_to_start() -> Result<()> {
    story("guard required", &[], |lab| {
        let castor = lab.host("castor")?;
        let program = binary("xvrrp")?.display().to_string();
        let file = castor.write_file("required.conf", &Conf::fast(101).node("guard required").text())?;
        let less = ["setpriv", "--bounding-set", "-bpf,-sys_admin"];
        let output = castor.run(&[&less[..], &[&program, "run", "-f", &file]].concat())?;
        ensure!(output.exit != Exit::Code(0), "it ran: {output:?}");
        let said = output.stdout + &output.stderr;
        ensure!(said.contains("`guard required`") && said.contains("not permitted"), "{said}");

        let file = castor.write_file("auto.conf", &Conf::fast(101).text())?;
        let node = castor.spawn("xvrrp", &[&less[..], &[&program, "run", "-f", &file]].concat())?;
        wait_until(FAST, "it says so and runs", || {
            Ok(node.log()?.contains("the addresses are not guarded") && castor.owns(ADDRESS)?)
        })
    })
}
