//! What a node leaves in the kernel and on its host: all that the next one needs, and nothing after the last one.

use anyhow::{Result, ensure};
use vrrp_tests::{
    Host,
    conf::{ADDRESS, Conf, INSTANCE},
    init::Exit,
    peers::{Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::{FAST, Pair, SLOW};

/// A node that hears as it likes, whatever `XVRRP_DATAPATH` says: filters of clsact have no names.
fn start(host: &Host, conf: &Conf) -> Result<Xvrrp> {
    let file = host.write_file("pins.conf", &conf.text())?;
    Xvrrp::start_with(host, &["-f", &file])
}

/// Names of what lives on without a process.
fn names(host: &Host) -> Result<String> {
    host.sh("find /sys/fs/bpf -mindepth 1 -type f | sed 's|.*/||' | sort")
}

/// All that a node may leave. Programs and maps of other labs are seen from here too; ours live by their names alone.
fn ours(host: &Host) -> Result<String> {
    host.sh(
        "find /sys/fs/bpf -mindepth 1 | sort; bpftool net show; tc filter show dev eth0 ingress; \
         tc filter show dev eth0 egress; ip -brief address; find /run/xvrrp -mindepth 1 2>/dev/null | sort; true",
    )
}

#[test]
fn nothing_is_left_after_a_stop_and_after_a_cleanup() -> Result<()> {
    story("traces", &["bpftool"], |lab| {
        let castor = lab.host("castor")?;
        let before = ours(&castor)?;
        let node = Xvrrp::start(&castor, &Conf::fast(101).text())?;
        node.wait_owns(ADDRESS, FAST)?;
        ensure!(names(&castor)?.contains("xvrrp_heard"), "nothing is pinned: {}", ours(&castor)?);
        node.stop(&[])?;
        assert_eq!(ours(&castor)?, before);

        let node = Xvrrp::start(&castor, &Conf::fast(101).text())?;
        node.wait_owns(ADDRESS, FAST)?;
        let refused = Xvrrp::command(&castor, &["cleanup"])?;
        assert_eq!(refused.exit, Exit::Code(1));
        let process = format!("another xvrrp (process {})", node.process().pid());
        ensure!(refused.stderr.contains(&process), "{}", refused.stderr);
        node.kill()?;
        wait_until(FAST, "the killed node has ended", || Ok(node.process().exit()?.is_some()))?;
        ensure!(castor.owns(ADDRESS)?, "a killed node cannot remove its address");
        assert_eq!(Xvrrp::command(&castor, &["cleanup"])?.exit, Exit::Code(0));
        assert_eq!(ours(&castor)?, before);
        Ok(())
    })
}

/// The programs hear on while there is no daemon: who was succeeded meanwhile knows it.
#[test]
fn a_killed_node_is_listened_for_by_the_kernel() -> Result<()> {
    story("heard while dead", &["bpftool"], |lab| {
        let pair = Pair::new(lab)?;
        let castor = start(&pair.castor, &Conf::v3(101, "1"))?;
        castor.wait_owns(ADDRESS, SLOW)?;
        let links = pair.castor.sh("ls -i /sys/fs/bpf/xvrrp/*/*/hear-*")?;
        castor.kill()?;
        wait_until(FAST, "the killed node has ended", || Ok(castor.process().exit()?.is_some()))?;
        // An owner takes over at once, well within castor's lease.
        let pollux = start(&pair.pollux, &Conf::v3(255, "1"))?;
        pollux.wait_owns(ADDRESS, FAST)?;
        let castor = start(&pair.castor, &Conf::v3(101, "1"))?;
        let reasons: Vec<String> = castor.transitions(INSTANCE)?.into_iter().map(|one| one.reason).collect();
        assert_eq!(reasons, ["started"]);
        assert_eq!(pair.castor.sh("ls -i /sys/fs/bpf/xvrrp/*/*/hear-*")?, links, "the link was taken up");
        pair.wait_owners(&["pollux"], FAST)
    })
}

/// A map of another size, a map in a program's place, a directory that others may write to.
#[test]
fn foreign_pins_are_replaced_or_refused() -> Result<()> {
    story("foreign pins", &["bpftool"], |lab| {
        let castor = lab.host("castor")?;
        let node = start(&castor, &Conf::fast(101))?;
        node.wait_owns(ADDRESS, FAST)?;
        let place = castor.sh("echo /sys/fs/bpf/xvrrp/*/*")?.trim().to_owned();
        node.kill()?;
        wait_until(FAST, "the killed node has ended", || Ok(node.process().exit()?.is_some()))?;
        castor.sh(&format!(
            "cd {place} && rm xvrrp_heard hear-* && \
             bpftool map create {place}/xvrrp_heard type array key 4 value 8 entries 1024 name foreign && \
             bpftool map create {place}/hear-xdp-$(cat /sys/class/net/eth0/ifindex) type array key 4 value 8 entries 1 name foreign"
        ))?;
        let node = start(&castor, &Conf::fast(101))?;
        node.wait_owns(ADDRESS, FAST)?;
        let log = node.process().log()?;
        ensure!(log.contains("xvrrp_heard is not what this version uses"), "the map is not explained: {log}");
        ensure!(log.contains("works on maps that are not ours"), "the program is not explained: {log}");
        let datapath = node.router(INSTANCE)?["datapath"]["name"].clone();
        ensure!(datapath == "xdp", "castor hears by {datapath}");

        node.kill()?;
        wait_until(FAST, "the killed node has ended", || Ok(node.process().exit()?.is_some()))?;
        castor.sh(&format!("chmod 777 {place}"))?;
        let node = start(&castor, &Conf::fast(101))?;
        let log = node.process().log()?;
        ensure!(log.contains("with mode 777: it must be a directory of user 0 with mode 700"), "{log}");
        node.wait_owns(ADDRESS, FAST)
    })
}

#[test]
fn names_that_somebody_removed_are_put_back() -> Result<()> {
    story("names removed", &["bpftool"], |lab| {
        let castor = lab.host("castor")?;
        let node = start(&castor, &Conf::fast(101))?;
        node.wait_owns(ADDRESS, FAST)?;
        let links = "ls /sys/fs/bpf/xvrrp/*/*/ | grep -c -e hear- -e guard- -e xvrrp_heard";
        let before = castor.sh(links)?;
        castor.sh(
            "rm /sys/fs/bpf/xvrrp/*/*/hear-* /sys/fs/bpf/xvrrp/*/*/guard-* /sys/fs/bpf/xvrrp/*/*/xvrrp_heard",
        )?;
        wait_until(FAST, "the names are back", || Ok(castor.sh(&format!("{links} || true"))? == before))
    })
}

/// Two nodes of the same name see the same /sys/fs/bpf and /run, from two network namespaces.
#[test]
fn two_network_namespaces_on_one_file_system_do_not_meet() -> Result<()> {
    story("two namespaces", &["bpftool"], |lab| {
        let castor = lab.host("castor")?;
        let first = start(&castor, &Conf::fast(101))?;
        first.wait_owns(ADDRESS, FAST)?;
        let before = ours(&castor)?;
        let file = castor.write_file("second.conf", &Conf::fast(101).text())?;
        let elsewhere = format!(
            "program=$(readlink /proc/{}/exe); ip link add eth0 type veth peer name far; ip link set far up; \
             ip link set eth0 up; ip address add 192.0.2.9/24 dev eth0; \
             exec $program run -f {file} --control /run/second.sock",
            first.process().pid()
        );
        let second = castor.spawn("second", &["unshare", "--net", "sh", "-c", &elsewhere])?;
        let links = "ls -d /sys/fs/bpf/xvrrp/*/*/hear-* | wc -l";
        second.wait_ready("both have a link", || Ok(castor.sh(links)?.trim() == "2"))?;
        assert_eq!(castor.sh("ls /sys/fs/bpf/xvrrp | wc -l")?.trim(), "2");
        assert_eq!(second.terminate(SLOW)?, Exit::Code(0));
        assert_eq!(ours(&castor)?, before);
        ensure!(first.is_active(INSTANCE)?, "the first one lost its address");
        Ok(())
    })
}
