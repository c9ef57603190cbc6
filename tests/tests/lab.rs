//! The Lab itself: its hosts are apart, its faults are faults and are seen as what they are, it leaves
//! nothing behind.

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use vrrp_tests::{
    Host, Lab, SOON, holds_for,
    init::Exit,
    peers::{Nginx, Pinger, http_get},
    story, wait_until,
    witness::Capture,
};

/// Whether `from` can reach the other by ARP: no cache is in the way.
fn reaches(from: &Host, to: &Host) -> Result<bool> {
    let output = from.run(&["arping", "-c1", "-w", "0.3", "-I", "eth0", &to.address().to_string()])?;
    Ok(output.exit == Exit::Code(0))
}

#[test]
fn what_fails_beside_other_stories_is_told_once_more() -> Result<()> {
    let mut told = 0;
    story("one that fails once, to see that it is told again", &[], |_| {
        told += 1;
        ensure!(told > 1, "as it should");
        Ok(())
    })?;
    ensure!(told == 2 || told == 0, "told {told} times");
    let mut told = 0;
    let end = story("one that always fails, to see that this is an error", &[], |_| {
        told += 1;
        ensure!(told > 2, "as it should");
        Ok(())
    });
    assert_eq!((told, end.is_err()), if told == 0 { (0, false) } else { (2, true) });
    Ok(())
}

#[test]
fn a_host_is_apart_from_others_and_from_us() -> Result<()> {
    story("a host is apart", &["psmisc"], |lab| {
        let castor = lab.host("castor")?;
        let pollux = lab.host("pollux")?;
        castor.sh("touch /run/mine /tmp/mine; mkdir /sys/fs/bpf/mine")?;
        for place in ["/run/mine", "/tmp/mine", "/sys/fs/bpf/mine"] {
            assert_eq!(castor.run(&["test", "-e", place])?.exit, Exit::Code(0), "{place} is on castor");
            assert_eq!(pollux.run(&["test", "-e", place])?.exit, Exit::Code(1), "{place} is on pollux");
            ensure!(!Path::new(place).exists(), "{place} is outside");
        }
        assert_eq!(castor.check(&["hostname"])?, "castor\n");
        let sleeper = castor.spawn("sleeper", &["sleep", "1000"])?;
        assert_eq!(castor.run(&["killall", "-0", "sleep"])?.exit, Exit::Code(0));
        assert_eq!(pollux.run(&["killall", "-0", "sleep"])?.exit, Exit::Code(1));
        drop(sleeper);
        wait_until(SOON, "the guard has killed the sleeper", || {
            Ok(castor.run(&["killall", "-0", "sleep"])?.exit == Exit::Code(1))
        })
    })
}

#[test]
fn process_one_reaps_orphans() -> Result<()> {
    story("process 1 reaps orphans", &["procps"], |lab| {
        let castor = lab.host("castor")?;
        castor.sh("(sleep 0.05 &) ; (true &)")?;
        wait_until(SOON, "only process 1 and ps are left, and no zombie", || {
            Ok(castor.check(&["ps", "-eo", "pid="])?.lines().count() == 2)
        })
    })
}

#[test]
fn cuts_are_what_they_say() -> Result<()> {
    story("cuts", &["arping"], |lab| {
        let castor = lab.host("castor")?;
        let pollux = lab.host("pollux")?;
        ensure!(reaches(&pollux, &castor)?, "the switch does not work");

        lab.cut_carrier(&castor)?;
        wait_until(SOON, "castor sees its carrier go", || Ok(!castor.has_carrier("eth0")?))?;
        ensure!(!reaches(&pollux, &castor)?, "cut, and yet reached");
        lab.heal(&castor)?;
        wait_until(SOON, "castor has carrier again", || castor.has_carrier("eth0"))?;
        ensure!(reaches(&pollux, &castor)?, "healed, and yet not reached");

        lab.cut_silently(&castor)?;
        ensure!(!reaches(&pollux, &castor)?, "cut, and yet reached");
        ensure!(castor.has_carrier("eth0")?, "a silent cut keeps the carrier");
        lab.heal(&castor)?;
        ensure!(reaches(&pollux, &castor)?, "healed, and yet not reached");

        castor.link_down("eth0")?;
        ensure!(!reaches(&pollux, &castor)?, "down, and yet reached");
        castor.link_up("eth0")?;
        wait_until(SOON, "castor is back", || reaches(&pollux, &castor))
    })
}

/// The gauge that outages are measured with: 0.3 s of silence are 0.3 s, not less.
#[test]
fn a_ping_knows_how_long_nobody_answered() -> Result<()> {
    story("ping", &["arping"], |lab| {
        let castor = lab.host("castor")?;
        let client = lab.host("client")?;
        let pinger = Pinger::start(&client, castor.address().into())?;
        lab.cut_silently(&castor)?;
        let cut = Instant::now();
        holds_for(Duration::from_millis(300), "castor has carrier", || castor.has_carrier("eth0"))?;
        let at_least = cut.elapsed();
        lab.heal(&castor)?;
        // Castor answers again when a request of its own is answered: the way is free in both directions.
        wait_until(SOON, "castor reaches the client", || reaches(&castor, &client))?;
        let ping = pinger.stop()?;
        let gap = Duration::from_nanos(ping.longest_gap);
        ensure!(gap >= at_least, "a gap of {gap:?} was seen, there was one of {at_least:?}: {ping:?}");
        ensure!(gap < at_least + SOON, "{ping:?}");
        ensure!(ping.answered < ping.sent, "{ping:?}");
        Ok(())
    })
}

#[test]
fn interfaces_can_come_later() -> Result<()> {
    story("interfaces can come later", &[], |lab| {
        let castor = lab.host("castor")?;
        ensure!(castor.run(&["ip", "link", "show", "dev", "eth1"])?.exit != Exit::Code(0));
        lab.connect(&castor, "eth1")?;
        wait_until(SOON, "eth1 has carrier", || castor.has_carrier("eth1"))?;
        castor.check(&["ip", "addr", "add", "198.51.100.1/24", "dev", "eth1"])?;
        ensure!(castor.owns("198.51.100.1")? && !castor.owns("198.51.100.2")?);
        Ok(())
    })
}

#[test]
fn nginx_answers_with_its_host_as_root_and_as_another() -> Result<()> {
    story("nginx", &["nginx-light", "procps", "psmisc"], |lab| {
        let castor = lab.host("castor")?;
        let pollux = lab.host("pollux")?;
        let first = Nginx::start(&castor)?;
        let second = Nginx::start_as(&pollux, "www-data")?;
        assert_eq!(http_get(&pollux, "192.0.2.1")?, "castor");
        assert_eq!(http_get(&castor, "192.0.2.2")?, "pollux");
        assert_eq!(pollux.check(&["ps", "-C", "nginx", "-o", "user="])?, "www-data\nwww-data\n");
        first.stop()?;
        assert_eq!(http_get(&pollux, "192.0.2.1")?, "refused");
        assert_eq!(castor.run(&["killall", "-0", "nginx"])?.exit, Exit::Code(1));
        drop(second);
        wait_until(SOON, "a dropped nginx is gone", || Ok(http_get(&castor, "192.0.2.2")? == "refused"))
    })
}

/// A frame that claims protocol 112 with a bad checksum and cut short: the witnesses must say so, or their
/// silence about our own frames would mean nothing.
#[test]
fn witnesses_complain_of_bad_frames() -> Result<()> {
    story("witnesses complain", &["tcpdump", "tshark"], |lab| {
        let castor = lab.host("castor")?;
        let client = lab.host("client")?;
        let good = "21 33 64 01 00 01 b8 65 c0 00 02 64 00 00 00 00 00 00 00 00";
        let bad_checksum = "21 34 64 01 00 01 00 01 c0 00 02 64 00 00 00 00 00 00 00 00";
        let cut_short = "21 35 64 03 00 01";
        let seen = |messages: &[&str]| -> Result<String> {
            let capture = Capture::start(&client)?;
            for message in messages {
                vrrp_tests::junk::send(&castor, 255, message, 1)?;
            }
            let recording = capture.stop()?;
            assert_eq!(recording.adverts()?.len(), messages.len());
            recording.complaints("02:00:00:00:00:01")
        };
        assert_eq!(seen(&[good])?, "");
        ensure!(!seen(&[bad_checksum])?.is_empty(), "nobody minds a bad checksum");
        ensure!(!seen(&[cut_short])?.is_empty(), "nobody minds a message cut short");
        Ok(())
    })
}

/// The victim is this very test in a process of its own, killed without warning. A third lab holds the
/// other end of a cable into one of the victim's hosts: it goes exactly when that network namespace does.
#[test]
fn nothing_is_left_behind() -> Result<()> {
    const VICTIM: &str = "LAB_TEST_VICTIM";
    if env::var_os(VICTIM).is_some() {
        return be_a_victim();
    }
    story("nothing is left behind", &[], |lab| {
        let keeper = lab.host("keeper")?;
        let mut victim = Command::new(env::current_exe()?)
            .args(["--exact", "nothing_is_left_behind", "--nocapture"])
            .env(VICTIM, "1")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(victim.stdout.take().context("piped")?).lines();
        let marked = lines.find_map(|line| line.ok()?.strip_prefix("host ").map(str::to_owned));
        let pid = marked.context("the victim did not say its host's process")?;
        let spaces = namespaces(&pid)?;
        ensure!(processes_in(&spaces)?.len() >= 2, "process 1 and a sleeper");
        cable(&keeper, &pid)?;
        ensure!(has_link(&keeper, "witness")?);

        victim.kill()?;
        victim.wait()?;
        wait_until(SOON, "no process is left in the victim's namespaces", || {
            Ok(processes_in(&spaces)?.is_empty())
        })?;
        wait_until(SOON, "the victim's network namespace is gone", || Ok(!has_link(&keeper, "witness")?))?;

        let own = Lab::new("dropped")?;
        let pid = own.host("castor")?.pid().to_string();
        let spaces = namespaces(&pid)?;
        cable(&keeper, &pid)?;
        drop(own);
        ensure!(processes_in(&spaces)?.is_empty(), "a dropped lab's processes are gone at once");
        wait_until(SOON, "the dropped network namespace is gone", || Ok(!has_link(&keeper, "witness")?))
    })
}

fn be_a_victim() -> Result<()> {
    let lab = Lab::new("victim")?;
    let host = lab.host("castor")?;
    let _sleeper = host.spawn("sleeper", &["sleep", "1000"])?;
    writeln!(io::stdout(), "host {}", host.pid())?;
    loop {
        thread::park();
    }
}

/// The namespaces of a process that are not ours.
fn namespaces(pid: &str) -> Result<Vec<String>> {
    let kinds = ["net", "pid", "mnt", "uts", "ipc"];
    let name = |pid: &str, kind: &str| -> Result<String> {
        let path = format!("/proc/{pid}/ns/{kind}");
        let link = fs::read_link(&path).with_context(|| path)?;
        Ok(link.to_string_lossy().into_owned())
    };
    let theirs = kinds.iter().map(|kind| name(pid, kind)).collect::<Result<Vec<_>>>()?;
    let ours = kinds.iter().map(|kind| name("self", kind)).collect::<Result<Vec<_>>>()?;
    ensure!(theirs.iter().all(|space| !ours.contains(space)), "{theirs:?} are not all new");
    Ok(theirs)
}

/// Processes that are in any of these namespaces.
fn processes_in(spaces: &[String]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let links = fs::read_dir(entry.path().join("ns")).into_iter().flatten();
        let names = links.filter_map(|link| fs::read_link(link.ok()?.path()).ok());
        if names.into_iter().any(|name| spaces.contains(&name.to_string_lossy().into_owned())) {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

/// A cable from the keeper into the network namespace of another lab's process.
fn cable(keeper: &Host, pid: &str) -> Result<()> {
    let output = Command::new("nsenter")
        .arg(format!("--net=/proc/{}/ns/net", keeper.pid()))
        .args(["ip", "link", "add", "witness", "type", "veth", "peer", "name", "witness", "netns"])
        .arg(format!("/proc/{pid}/ns/net"))
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn has_link(host: &Host, name: &str) -> Result<bool> {
    Ok(host.run(&["ip", "link", "show", "dev", name])?.exit == Exit::Code(0))
}
