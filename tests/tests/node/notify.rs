//! Who is told of transitions: programs and pipes, beside keepalived with the same file.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use vrrp_tests::{
    Host, Process,
    conf::{Conf, INSTANCE},
    holds_for, junk,
    peers::{Router, Xvrrp},
    scenario::Make,
    story, wait_until,
};

use crate::pair::{A_WHILE, FAST, OURS};

/// Two routers that move together, one alone, a check that is a fault, and everything that can be told.
const FILE: &str = r#"global_defs {
    script_user root
    vrrp_notify_fifo /run/lab/fifo
}

vrrp_script chk {
    script "/usr/bin/test -e /run/lab/well"
    interval 0.2
}

vrrp_sync_group G1 {
    group {
        A
        B
    }
    notify_master "/run/lab/told group-master"
    notify_backup "/run/lab/told group-backup"
    notify_fault "/run/lab/told group-fault"
    notify_stop "/run/lab/told group-stop"
    notify "/run/lab/told group"
}

vrrp_instance A {
    interface eth0
    version 3
    virtual_router_id 1
    priority 150
    advert_int 0.1
    virtual_ipaddress {
        192.0.2.100
    }
    track_script {
        chk
    }
    notify_master "/run/lab/told master 'two words'"
    notify_backup "/run/lab/told backup"
    notify_fault "/run/lab/told fault"
    notify_stop "/run/lab/told stop"
    notify "/run/lab/told every"
}

vrrp_instance B {
    interface eth0
    version 3
    virtual_router_id 2
    priority 140
    advert_int 0.1
    virtual_ipaddress {
        192.0.2.101
    }
}

vrrp_instance C {
    interface eth0
    version 3
    virtual_router_id 3
    priority 90
    advert_int 0.1
    virtual_ipaddress {
        192.0.2.102
    }
    notify "/run/lab/told alone" nobody
}
"#;

/// What is told, by whom it is about: the order between different routers is nobody's promise.
fn about(lines: &str, subjects: &[&str]) -> Vec<Vec<String>> {
    let of = |subject: &&str| {
        lines.lines().filter(|line| line.contains(subject)).map(str::to_owned).collect::<Vec<String>>()
    };
    subjects.iter().map(of).collect()
}

/// A program that writes down how it was called and as whom, and a pipe that is read.
fn prepare(host: &Host) -> Result<Process> {
    host.write_file("told", "#!/bin/sh\necho \"$(id -u): $#: $*\" >>/run/lab/calls\n")?;
    host.sh(
        "chmod 755 /run/lab/told; : >/run/lab/well; rm -f /run/lab/fifo /run/lab/calls; : >/run/lab/calls",
    )?;
    host.sh("chmod 666 /run/lab/calls; chmod 755 /run/lab; mkfifo -m 600 /run/lab/fifo")?;
    host.spawn("lines", &["cat", "/run/lab/fifo"])
}

/// Starts a router, makes it faulty and well again, and stops it; what it told in lines and in calls.
fn tell(host: &Host, make: Make) -> Result<[String; 2]> {
    let lines = prepare(host)?;
    let calls = || Ok::<_, anyhow::Error>(fs::read_to_string(host.path("calls"))?);
    let count = |what: &str| -> Result<usize> { Ok(lines.log()?.matches(what).count()) };
    let router = make.start(host, FILE)?;
    wait_until(FAST, "all are Active", || {
        Ok(count("GROUP \"G1\" MASTER")? == 1 && count("\"C\" MASTER")? == 1)
    })?;
    host.sh("rm /run/lab/well")?;
    wait_until(FAST, "the group is in Fault", || Ok(count("GROUP \"G1\" FAULT")? == 1))?;
    host.sh(": >/run/lab/well")?;
    wait_until(FAST, "the group is Active again", || Ok(count("GROUP \"G1\" MASTER")? == 2))?;
    // keepalived runs the programs of one router side by side: those of the stop could be first.
    let called = |times: usize, which: &[&str]| -> Result<bool> {
        let calls = calls()?;
        Ok(which.iter().all(|which| calls.matches(which).count() == times))
    };
    wait_until(FAST, "the programs have run", || {
        called(2, &["GROUP G1 MASTER", "INSTANCE A MASTER", "group-master", "master two words"])
    })?;
    router.shut_down()?;
    lines.wait(FAST).context("the pipe is closed")?;
    wait_until(FAST, "the last programs have run", || {
        called(1, &["GROUP G1 STOP", "INSTANCE A STOP", "INSTANCE C STOP", "group-stop", ": stop"])
    })?;
    Ok([lines.log()?, calls()?])
}

#[test]
fn the_same_words_as_keepalived() -> Result<()> {
    story("notify beside keepalived", &["keepalived"], |lab| {
        let castor = lab.host("castor")?;
        let [our_lines, our_calls] = tell(&castor, OURS)?;
        let [their_lines, their_calls] = tell(&castor, Make::Keepalived)?;
        let subjects = ["INSTANCE \"A\"", "INSTANCE \"B\"", "INSTANCE \"C\"", "GROUP \"G1\""];
        assert_eq!(about(&our_lines, &subjects), about(&their_lines, &subjects));
        assert_eq!(our_lines.lines().count(), their_lines.lines().count());
        let calls = [
            "group-master",
            "group-backup",
            "group-fault",
            "group-stop",
            "GROUP G1",
            "master two",
            ": backup",
            ": fault",
            ": stop",
            "INSTANCE A",
            "INSTANCE C",
        ];
        assert_eq!(about(&our_calls, &calls), about(&their_calls, &calls));
        // What a reader of this test should see once.
        ensure!(our_lines.contains("INSTANCE \"A\" MASTER 150\n"), "{our_lines}");
        ensure!(our_calls.contains("0: 5: every INSTANCE A MASTER 150\n"), "{our_calls}");
        ensure!(our_calls.contains("65534: 5: alone INSTANCE C STOP 90\n"), "{our_calls}");
        ensure!(our_calls.contains("0: 2: master two words\n"), "{our_calls}");
        Ok(())
    })
}

/// A router whose file makes it faulty and well as the story wants.
fn switched(statements: &str) -> String {
    let conf = Conf::fast(101).and("track_file {\n        switch weight 0\n    }").and(statements);
    format!("track_file switch {{\n    file /run/lab/switch\n}}\n\n{}", conf.text())
}

#[test]
fn programs_of_one_router_run_in_order_and_one_at_a_time() -> Result<()> {
    story("programs in order", &[], |lab| {
        let castor = lab.host("castor")?;
        castor.write_file(
            "slow",
            "#!/bin/sh\necho \"begin $3\" >>/run/lab/calls\nsleep 0.3\necho \"end $3\" >>/run/lab/calls\n",
        )?;
        castor.sh("chmod 755 /run/lab/slow; : >/run/lab/calls")?;
        let node = Xvrrp::start(&castor, &switched("notify \"/run/lab/slow\""))?;
        for state in ["fault", "backup", "fault", "backup"] {
            castor.sh(&format!("echo {} >/run/lab/switch", u8::from(state == "fault")))?;
            wait_until(FAST, state, || Ok(node.router("VI_1")?["state"] == state))?;
        }
        let calls = || Ok::<_, anyhow::Error>(fs::read_to_string(castor.path("calls"))?);
        wait_until(FAST, "the last program has ended", || Ok(calls()?.ends_with("end MASTER\n")))?;
        let expected: String = ["BACKUP", "FAULT", "BACKUP", "FAULT", "BACKUP", "MASTER"]
            .map(|state| format!("begin {state}\nend {state}\n"))
            .concat();
        assert_eq!(calls()?, expected);
        Ok(())
    })
}

/// The pipe is full before the node writes its first line, and is read when all is over.
#[test]
fn a_pipe_that_nobody_reads_blocks_nobody_and_keeps_the_last_state() -> Result<()> {
    story("full pipe", &[], |lab| {
        let castor = lab.host("castor")?;
        castor.sh("mkfifo -m 600 /run/lab/fifo")?;
        let full = "exec 3<>/run/lab/fifo; head -c 65536 /dev/zero >&3; echo full; exec sleep 1000";
        let holder = castor.spawn("holder", &["sh", "-c", full])?;
        wait_until(FAST, "the pipe is full", || Ok(holder.log()?.contains("full")))?;
        let node = Xvrrp::start(
            &castor,
            &("global_defs {\n    notify_fifo /run/lab/fifo\n}\n\n".to_owned() + &switched("")),
        )?;
        node.wait_active("VI_1", FAST)?;
        holds_for(A_WHILE, "the node goes on", || node.is_active("VI_1"))?;
        castor.sh("echo 1 >/run/lab/switch")?;
        wait_until(FAST, "castor is in Fault", || Ok(node.router("VI_1")?["state"] == "fault"))?;
        let reader = castor.spawn("reader", &["sh", "-c", "tr -d '\\000' </run/lab/fifo"])?;
        node.shut_down()?;
        holder.signal(Signal::SIGKILL)?;
        reader.wait(FAST)?;
        let lines =
            ["BACKUP", "MASTER", "FAULT", "STOP"].map(|state| format!("INSTANCE \"VI_1\" {state} 101\n"));
        assert_eq!(reader.log()?, lines.concat());
        Ok(())
    })
}

/// What the first file does not come to: priorities, a losing Active, a deleted router, a pipe with its own reader.
fn second_file(with_b: bool) -> String {
    let router = |name: &str, vrid: u8, priority: u8, address: &str| {
        format!(
            "vrrp_instance {name} {{\n    interface eth0\n    version 3\n    virtual_router_id {vrid}\n    priority {priority}\n    \
             advert_int 0.1\n    track_file {{\n        switch weight 1\n    }}\n    virtual_ipaddress {{\n        \
             {address}\n    }}\n    notify_deleted \"/run/lab/told deleted\"\n    \
             notify_master_rx_lower_pri \"/run/lab/told losing\"\n}}\n\n"
        )
    };
    let b = if with_b { router("B", 52, 90, "192.0.2.101") } else { String::new() };
    format!(
        "global_defs {{\n    script_user root\n    vrrp_notify_fifo /run/lab/fifo\n    notify_fifo /run/lab/second\n    \
         notify_fifo_script /run/lab/reader\n    fifo_write_vrrp_states_on_reload\n    \
         vrrp_notify_priority_changes true\n}}\n\ntrack_file switch {{\n    file /run/lab/switch\n    init_file \
         0\n}}\n\n{}{b}",
        router("A", 51, 150, "192.0.2.100")
    )
}

/// As sent from 192.0.2.3, with the priority 1 for VRID 51.
const LOSING: &str = "31 33 01 01 00 0a 68 ca c0 00 02 64";

/// Has a router say everything of the second file: the lines of both pipes and the calls.
fn tell_more(host: &Host, neighbour: &Host, make: Make) -> Result<[String; 3]> {
    host.sh("rm -f /run/lab/fifo /run/lab/calls /run/lab/read /run/lab/switch; mkfifo -m 600 /run/lab/fifo")?;
    host.write_file("told", "#!/bin/sh\necho \"$(id -u): $#: $*\" >>/run/lab/calls\n")?;
    host.write_file("reader", "#!/bin/sh\nexec cat \"$1\" >>/run/lab/read\n")?;
    host.sh("chmod 755 /run/lab /run/lab/told /run/lab/reader; : >/run/lab/calls; : >/run/lab/read")?;
    // Read and write, so that it does not end at the reload.
    let lines = host.spawn("lines", &["sh", "-c", "exec cat <>/run/lab/fifo"])?;
    let wait = |line: &str, times: usize| {
        wait_until(FAST, &format!("{make:?} tells {line}"), || {
            Ok(lines.log()?.matches(&format!("INSTANCE {line}\n")).count() == times)
        })
    };
    let router = make.start(host, &second_file(true))?;
    wait("\"A\" MASTER 150", 1)?;
    wait("\"B\" BACKUP 90", 1)?;
    for (value, [a, b]) in [(10, [160, 100]), (0, [150, 90])] {
        host.sh(&format!("echo {value} >/run/lab/switch"))?;
        wait(&format!("\"A\" MASTER_PRIORITY {a}"), 1)?;
        wait(&format!("\"B\" BACKUP_PRIORITY {b}"), 1)?;
    }
    junk::send(neighbour, 255, LOSING, 1)?;
    wait("\"A\" MASTER_RX_LOWER_PRI 150", 1)?;
    host.write_file(if make == OURS { "xvrrp.conf" } else { "keepalived.conf" }, &second_file(false))?;
    router.process().signal(Signal::SIGHUP)?;
    wait("\"B\" DELETED 90", 1)?;
    if make == OURS {
        wait("\"A\" MASTER 150", 2)?;
    }
    let read = |name: &str| Ok::<_, anyhow::Error>(fs::read_to_string(host.path(name))?);
    wait_until(FAST, "the programs have run", || {
        Ok(["deleted", "losing"].iter().all(|call| read("calls").is_ok_and(|calls| calls.contains(call))))
    })?;
    wait_until(
        FAST,
        "the reader has read",
        || Ok(read("read")?.contains("\"A\" MASTER_RX_LOWER_PRI 150\n")),
    )?;
    router.shut_down()?;
    wait("\"A\" STOP 150", 1)?;
    Ok([lines.log()?, read("read")?, read("calls")?])
}

#[test]
fn the_rarer_words_are_keepaliveds_too() -> Result<()> {
    story("more of notify beside keepalived", &["keepalived"], |lab| {
        let [castor, pollux, neighbour] = ["castor", "pollux", "neighbour"].map(|name| lab.host(name));
        let (castor, pollux, neighbour) = (castor?, pollux?, neighbour?);
        // B is Backup because of it.
        let better = Conf::fast(200).moving(&["192.0.2.101"]).text();
        let better = better.replace("virtual_router_id 51", "virtual_router_id 52");
        let better = Xvrrp::start(&pollux, &better)?;
        better.wait_active(INSTANCE, FAST)?;
        let ours = tell_more(&castor, &neighbour, OURS)?;
        let theirs = tell_more(&castor, &neighbour, Make::Keepalived)?;
        // keepalived 2.2.7 does not write a state again that is kept at a reload, though its manual says all.
        let again = "INSTANCE \"A\" MASTER 150\nINSTANCE \"A\" STOP 150\n";
        ensure!(ours[0].ends_with(again), "{}", ours[0]);
        let lines = ours[0].replace(again, "INSTANCE \"A\" STOP 150\n");
        let subjects = ["\"A\"", "\"B\""];
        assert_eq!(about(&lines, &subjects), about(&theirs[0], &subjects));
        assert_eq!(about(&ours[2], &["deleted", "losing"]), about(&theirs[2], &["deleted", "losing"]));
        for read in [&ours[1], &theirs[1]] {
            ensure!(read.contains("INSTANCE \"B\" BACKUP_PRIORITY 100\n"), "{read}");
        }
        Ok(())
    })
}
