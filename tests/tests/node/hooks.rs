//! Where the programs are attached, and who else is there: hooks that others hold or take, interfaces that go and come.

use anyhow::{Result, ensure};
use vrrp_tests::{
    Host, Process,
    conf::{ADDRESS, Conf, INSTANCE},
    lab::binary,
    peers::{Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::{FAST, Pair};

/// A node that hears as its file says, whatever `XVRRP_DATAPATH` says.
fn start(host: &Host, conf: &Conf) -> Result<Xvrrp> {
    let file = host.write_file("hooks.conf", &conf.text())?;
    Xvrrp::start_with(host, &["-f", &file])
}

/// How it hears, and why so.
fn rung(node: &Xvrrp) -> Result<[String; 2]> {
    let datapath = node.router(INSTANCE)?["datapath"].clone();
    Ok(["name", "reason"].map(|key| datapath[key].as_str().unwrap_or_default().to_owned()))
}

fn wait_heard_by(node: &Xvrrp, name: &str) -> Result<()> {
    wait_until(FAST, &format!("it hears by {name}"), || Ok(rung(node)?[0] == name))
}

/// Whoever removes one takes no address with it: a Backup goes on with a socket, and the guard is put back.
#[test]
fn a_filter_that_somebody_removed_is_noticed() -> Result<()> {
    story("filter removed", &[], |lab| {
        let pair = Pair::new(lab)?;
        let conf = Conf::fast(100).node("datapath tc").node("tc_hook clsact");
        let pollux = start(&pair.pollux, &conf)?;
        let _castor = pair.start_castor(&Conf::fast(101))?;
        pair.wait_owners(&["castor"], FAST)?;
        assert_eq!(rung(&pollux)?[0], "clsact");
        let became = pollux.counter(INSTANCE, "became_active")?;

        pair.pollux.sh("tc filter del dev eth0 ingress prio 1")?;
        wait_heard_by(&pollux, "socket")?;
        ensure!(rung(&pollux)?[1].contains("somebody removed the filter"), "{:?}", rung(&pollux)?);
        let log = pollux.process().log()?;
        ensure!(log.contains("ERROR eth0: somebody removed the filter"), "{log}");

        pair.pollux.sh("tc filter del dev eth0 ingress prio 2")?;
        let filters = || pair.pollux.sh("tc filter show dev eth0 ingress");
        wait_until(FAST, "the guard is back", || Ok(filters()?.contains("xvrrp_guard_in")))?;
        pair.owners_stay(&["castor"])?;
        assert_eq!(pollux.counter(INSTANCE, "became_active")?, became, "it took over for want of a filter");
        Ok(())
    })
}

/// Somebody else's programs in tc, which keep all packets from those behind them.
pub(crate) fn intrude(host: &Host, order: &[&str]) -> Result<Process> {
    let program = binary("lab-probe")?.display().to_string();
    let intruder = host.spawn("intruder", &[&[&program, "intrude", "eth0"], order].concat())?;
    intruder.wait_ready("the intruder is there", || Ok(intruder.log()?.contains("there")))?;
    Ok(intruder)
}

/// Behind ours they do no harm, whoever came first. Before ours they make a node deaf, and no address moves for that.
#[test]
fn programs_of_others_in_tc_make_nobody_deaf() -> Result<()> {
    story("programs of others in tc", &[], |lab| {
        let pair = Pair::new(lab)?;
        let _there_before = intrude(&pair.pollux, &["--first"])?;
        let pollux = start(&pair.pollux, &Conf::fast(100).node("datapath tc").node("tc_hook tcx"))?;
        let _castor = pair.start_castor(&Conf::fast(101))?;
        let heard = || pollux.counter(INSTANCE, "accepted");
        let hears = |when: &str| {
            let before = heard()?;
            wait_until(FAST, &format!("pollux hears castor, {when}"), || Ok(heard()? > before))
        };
        hears("before those that came first")?;
        pair.wait_owners(&["castor"], FAST)?;
        let became = pollux.counter(INSTANCE, "became_active")?;

        let _behind = intrude(&pair.pollux, &[])?;
        pair.owners_stay(&["castor"])?;
        assert_eq!(rung(&pollux)?[0], "tcx", "{:?}", rung(&pollux)?);

        let _before = intrude(&pair.pollux, &["--first"])?;
        wait_heard_by(&pollux, "socket")?;
        ensure!(rung(&pollux)?[1].contains("attached a program in tc before ours"), "{:?}", rung(&pollux)?);
        hears("with a socket")?;
        pair.owners_stay(&["castor"])?;
        assert_eq!(pollux.counter(INSTANCE, "became_active")?, became, "it took over because it was deaf");
        Ok(())
    })
}

const SECOND: [&str; 4] = ["--instance", "second", "--control", "/run/second.sock"];

/// Another node on a host, for another address.
fn start_second(host: &Host, conf: &Conf) -> Result<Process> {
    let text = conf.clone().moving(&["192.0.2.101"]).text();
    let text = text.replace("virtual_router_id 51", "virtual_router_id 52");
    let file = host.write_file("second.conf", &text)?;
    let program = binary("xvrrp")?.display().to_string();
    let second = host.spawn("second", &[&[&program, "run", "-f", &file], &SECOND[..]].concat())?;
    wait_until(FAST, "the second one holds its address", || host.owns("192.0.2.101"))?;
    Ok(second)
}

fn stop_second(host: &Host) -> Result<()> {
    let program = binary("xvrrp")?.display().to_string();
    host.check(&[&[program.as_str(), "stop"], &SECOND[..]].concat()).map(drop)
}

/// Filters have no names, only numbers: nodes of two names take different ones, and each removes its own.
#[test]
fn two_nodes_keep_their_filters_apart() -> Result<()> {
    story("two nodes by clsact", &[], |lab| {
        let castor = lab.host("castor")?;
        let conf = Conf::fast(101).node("datapath tc").node("tc_hook clsact");
        let filters = || castor.sh("tc filter show dev eth0 ingress | grep -c -E 'handle 0x.* xvrrp_'");
        let first = start(&castor, &conf)?;
        first.wait_owns(ADDRESS, FAST)?;
        assert_eq!(filters()?.trim(), "2", "one hears, one guards");
        let _second = start_second(&castor, &conf)?;
        assert_eq!(filters()?.trim(), "4");
        stop_second(&castor)?;
        assert_eq!(filters()?.trim(), "2", "what the second one left is the first one's");
        ensure!(castor.owns(ADDRESS)? && first.is_active(INSTANCE)?, "the first one lost its address");
        assert_eq!(rung(&first)?[0], "clsact");
        Ok(())
    })
}

/// Two nodes on one interface: an interface takes one XDP program, so the second one hears by tcx; both are guarded.
#[test]
fn a_second_node_hears_beside_the_first() -> Result<()> {
    story("two nodes", &[], |lab| {
        let pair = Pair::new(lab)?;
        let first = start(&pair.castor, &Conf::fast(101))?;
        first.wait_owns(ADDRESS, FAST)?;
        assert_eq!(rung(&first)?[0], "xdp");
        let second = start_second(&pair.castor, &Conf::fast(101))?;
        let log = second.log()?;
        ensure!(
            log.contains("listening on eth0 by tcx") && log.contains("another XDP program is there"),
            "{log}"
        );
        stop_second(&pair.castor)?;
        ensure!(pair.castor.owns(ADDRESS)? && first.is_active(INSTANCE)?, "the first one lost its address");
        assert_eq!(rung(&first)?[0], "xdp");
        Ok(())
    })
}

/// Down and up, renamed and back, deleted and made anew: each time the node hears in the kernel again.
#[test]
fn an_interface_that_comes_back_is_heard_in_the_kernel_again() -> Result<()> {
    story("interface comes back", &[], |lab| {
        let pair = Pair::new(lab)?;
        let castor = start(&pair.castor, &Conf::fast(100))?;
        let pollux = pair.start_pollux(&Conf::fast(101))?;
        pair.wait_owners(&["pollux"], FAST)?;
        let hears = |when: &str| -> Result<()> {
            wait_heard_by(&castor, "xdp").map_err(|error| error.context(when.to_owned()))?;
            let before = castor.counter(INSTANCE, "accepted")?;
            wait_until(FAST, &format!("castor hears pollux, {when}"), || {
                Ok(castor.counter(INSTANCE, "accepted")? > before && !castor.is_active(INSTANCE)?)
            })?;
            let guarded = || Ok(castor.status()?["fenced"]["eth0"] == "tcx");
            wait_until(FAST, &format!("castor is guarded, {when}"), guarded)
        };
        hears("at first")?;
        pair.castor.sh("ip link set eth0 down; ip link set eth0 up")?;
        hears("after down and up")?;
        pair.castor.sh("ip link set eth0 down; ip link set eth0 name wan0; ip link set wan0 up")?;
        let faulty = || Ok(castor.router(INSTANCE)?["state"] == "fault");
        wait_until(FAST, "castor has no interface", faulty)?;
        pair.castor.sh("ip link set wan0 down; ip link set wan0 name eth0; ip link set eth0 up")?;
        hears("after another name")?;
        pair.castor.sh("ip link del eth0")?;
        wait_until(FAST, "castor has no interface again", faulty)?;
        lab.connect(&pair.castor, "eth0")?;
        pair.castor.sh("ip address add 192.0.2.1/24 dev eth0")?;
        hears("after it was made anew")?;
        pollux.shut_down()?;
        pair.wait_owners(&["castor"], FAST)
    })
}

#[test]
fn large_frames_are_no_obstacle() -> Result<()> {
    story("jumbo frames", &[], |lab| {
        let pair = Pair::new(lab)?;
        lab.set_mtu(&pair.castor, 9000)?;
        let castor = start(&pair.castor, &Conf::fast(100))?;
        let _pollux = pair.start_pollux(&Conf::fast(101))?;
        pair.wait_owners(&["pollux"], FAST)?;
        assert_eq!(rung(&castor)?[0], "xdp", "{:?}", rung(&castor)?);
        wait_until(FAST, "castor hears pollux", || Ok(castor.counter(INSTANCE, "accepted")? > 5))
    })
}

/// Without a right, a mount or a file system that the kernel path needs, each node says so and works.
#[test]
fn a_host_that_lacks_something_gets_the_next_datapath_and_is_told() -> Result<()> {
    story("lacking", &[], |lab| {
        let castor = lab.host("castor")?;
        let program = binary("xvrrp")?.display().to_string();
        let file = castor.write_file("lacking.conf", &Conf::fast(101).text())?;
        let forced = castor.write_file("forced.conf", &Conf::fast(101).node("datapath xdp").text())?;
        let no_btf = "mount -t tmpfs none /sys/kernel/btf";
        let no_bpffs = "umount /sys/fs/bpf; mount -t tmpfs -o ro none /sys/fs/bpf";
        for (lack, less, heard, said) in [
            (no_btf, "", "xdp", ""),
            (no_bpffs, "-sys_admin", "xdp", "nothing is left in the kernel for the next daemon"),
            ("", "-bpf,-sys_admin", "socket", "Operation not permitted"),
        ] {
            let shell = |file: &str| {
                let less =
                    if less.is_empty() { String::new() } else { format!("setpriv --bounding-set {less}") };
                format!("{lack}\nexec {less} {program} run -f {file}")
            };
            let node = castor.spawn("lacking", &["unshare", "--mount", "sh", "-c", &shell(&file)])?;
            let listening = format!("listening on eth0 by {heard}");
            node.wait_ready(&format!("{lack}{less}: it is {listening}"), || {
                let log = node.log()?;
                Ok(log.contains(&listening) && log.contains(said) && castor.owns(ADDRESS)?)
            })?;
            node.terminate(FAST)?;
            if heard == "socket" {
                let refused = castor.spawn("forced", &["unshare", "--mount", "sh", "-c", &shell(&forced)])?;
                let words = "cannot listen by xdp on eth0";
                refused.wait_ready(words, || Ok(refused.log()?.contains(words)))?;
                ensure!(!castor.owns(ADDRESS)?, "it is Active without what was demanded");
            }
        }
        Ok(())
    })
}
