//! Reading the configuration again, and planned switch-overs: only what differs changes.

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use vrrp_tests::{
    conf::{Conf, INSTANCE},
    holds_for,
    init::Exit,
    peers::{Router as _, Xvrrp},
    scenario::Make,
    story, wait_until, wait_until_every,
    witness::{Capture, Recording},
};

use crate::{
    groups,
    pair::{A_WHILE, FAST, Pair, SLOW, WITNESSES},
};

const INTERVAL: f64 = 0.1;

fn instance(vrid: u8, priority: u8, address: &str) -> String {
    format!(
        "vrrp_instance V{vrid} {{\n interface eth0\n version 3\n virtual_router_id {vrid}\n \
         priority {priority}\n advert_int {INTERVAL}\n virtual_ipaddress {{\n {address}\n }}\n}}\n"
    )
}

/// `count` routers, each with one address.
fn many(count: u8, priority: u8) -> String {
    (1..=count).map(|vrid| instance(vrid, priority, &format!("198.51.100.{vrid}"))).collect()
}

/// The longest time between two advertisements of one router.
fn longest_gap(recording: &Recording) -> Result<f64> {
    let mut last: BTreeMap<u8, f64> = BTreeMap::new();
    let mut longest = 0.0_f64;
    for advert in recording.adverts()?.iter().filter(|advert| advert.priority != 0) {
        if let Some(before) = last.insert(advert.vrid, advert.at) {
            longest = longest.max(advert.at - before);
        }
    }
    ensure!(!last.is_empty(), "nobody advertised");
    Ok(longest)
}

/// What a neighbour sees of 200 routers while the file is read again, five times: with every tenth router
/// changed (ours), and with nothing changed (keepalived, whose reload makes everything anew).
fn gap_of(make: Make) -> Result<f64> {
    let mut gap = 0.0;
    story(&format!("reload of 200 routers, {make:?}"), &["keepalived", "tcpdump", "tshark"], |lab| {
        let pair = Pair::new(lab)?;
        let router = make.start(&pair.castor, &many(200, 100))?;
        let all = "all are Active";
        wait_until_every(Duration::from_millis(500), SLOW, all, || {
            let text = pair.castor.check(&["ip", "-4", "-o", "address", "show", "dev", "eth0"])?;
            Ok(text.matches("198.51.100.").count() == 200)
        })?;
        // The second bursts of announcements belong to the takeover, not to the reload.
        thread::sleep(Duration::from_secs(6));
        let capture = pair.watch()?;
        for round in 0..5 {
            let changed: String = (1..=200)
                .map(|vrid| {
                    let priority = if make == Make::Xvrrp && vrid % 10 == 0 { 110 + round } else { 100 };
                    instance(vrid, priority, &format!("198.51.100.{vrid}"))
                })
                .collect();
            pair.castor
                .write_file(if make == Make::Xvrrp { "xvrrp.conf" } else { "keepalived.conf" }, &changed)?;
            router.process().signal(Signal::SIGHUP)?;
            thread::sleep(Duration::from_millis(700));
        }
        gap = longest_gap(&capture.stop()?)?;
        Ok(())
    })?;
    Ok(gap)
}

/// No advertisement is later than half an interval; keepalived's own figure is told beside.
#[test]
fn two_hundred_routers_go_on_advertising() -> Result<()> {
    let [ours, theirs] = [gap_of(Make::Xvrrp)?, gap_of(Make::Keepalived)?];
    eprintln!(
        "longest gap at {INTERVAL} s during reloads of 200 routers: {ours:.3} s, keepalived {theirs:.3} s"
    );
    ensure!(ours <= INTERVAL * 1.5, "a gap of {ours} s");
    Ok(())
}

#[test]
fn a_bad_file_changes_nothing_and_reaches_the_caller() -> Result<()> {
    story("bad file at reload", &[], |lab| {
        let castor = lab.host("castor")?;
        let node = Xvrrp::start(&castor, &Conf::fast(101).text())?;
        node.wait_active(INSTANCE, FAST)?;
        let output = node.reload(&Conf::fast(101).text().replace("priority 101", "priority 256"))?;
        assert_eq!(output.exit, Exit::Code(3));
        ensure!(
            output.stderr.contains("xvrrp.conf:") && output.stderr.contains("`256`"),
            "{}",
            output.stderr
        );
        node.process().signal(Signal::SIGHUP)?;
        wait_until(FAST, "the log says so too", || Ok(node.process().log()?.contains("goes on as before")))?;
        holds_for(A_WHILE, "castor is Active", || node.is_active(INSTANCE))?;
        assert_eq!(node.router(INSTANCE)?["counters"]["became_active"], 1);
        let good = node.reload(&Conf::fast(120).text())?;
        assert_eq!(
            (good.exit, &*good.stdout),
            (Exit::Code(0), "0 added, 0 removed, 1 changed, 0 untouched\n")
        );
        assert_eq!(node.router(INSTANCE)?["priority"]["effective"], 120);
        Ok(())
    })
}

/// Of a file with errors in single routers a node that keeps going applies the rest; nobody loses an address by it.
#[test]
fn a_router_with_an_error_goes_on_while_others_change() -> Result<()> {
    story("bad router at reload", &[], |lab| {
        let castor = lab.host("castor")?;
        let [a, b, c] = [1, 2, 3].map(|vrid| format!("198.51.100.{vrid}"));
        let bad = |vrid, address: &str| instance(vrid, 100, address).replace("priority 100", "priority 256");
        let good = instance(1, 100, &a) + &instance(2, 100, &b);
        // A new one with an error is left out, at the start as later.
        let file = castor.write_file("xvrrp.conf", &(good.clone() + &bad(3, &c)))?;
        let node = Xvrrp::start_with(&castor, &["--keep-going", "-f", &file])?;
        for name in ["V1", "V2"] {
            node.wait_active(name, FAST)?;
        }
        wait_until(FAST, "its address is here", || castor.owns(&b))?;
        ensure!(node.router("V3").is_err() && node.process().log()?.contains("`256`"));
        let watch = castor.spawn("monitor", &["ip", "-4", "monitor", "address"])?;
        let before = node.transitions("V2")?;
        let output = node.reload(&(instance(1, 120, &a) + &bad(2, &b) + &bad(3, &c)))?;
        assert_eq!(output.exit, Exit::Code(4), "{}", output.stderr);
        for part in [
            "`V2` has an error and goes on as before; `V3` has an error and does not run",
            "xvrrp.conf:",
            "`256`",
            "0 added, 0 removed, 1 changed, 1 untouched",
        ] {
            ensure!(output.stderr.contains(part), "no {part:?} in {}", output.stderr);
        }
        assert_eq!(node.router("V1")?["priority"]["effective"], 120);
        // What is wrong elsewhere, or would be at two routers, changes nothing at all.
        for (text, why) in [
            (bad(2, &b) + "vrrp_sync_group G {\n group {\n V1\n V9\n }\n}\n" + &instance(1, 130, &a), "`V9`"),
            (bad(2, &b) + &instance(1, 130, &b), "which `V1` is to have"),
        ] {
            let output = node.reload(&text)?;
            assert_eq!(output.exit, Exit::Code(3), "{}", output.stderr);
            ensure!(output.stderr.contains(why), "{}", output.stderr);
        }
        holds_for(A_WHILE, "both addresses are here", || Ok(castor.owns(&a)? && castor.owns(&b)?))?;
        assert_eq!(node.router("V1")?["priority"]["effective"], 120);
        assert_eq!(node.transitions("V2")?, before);
        assert_eq!(watch.log()?, "", "nothing was removed or added");
        // Who is in the file no more goes all the same.
        let output = node.reload(&(bad(3, &c) + &instance(1, 120, &a)))?;
        ensure!(output.stderr.contains("0 added, 1 removed, 0 changed, 1 untouched"), "{}", output.stderr);
        wait_until(FAST, "its address is gone", || Ok(!castor.owns(&b)?))?;
        let output = node.reload(&good)?;
        assert_eq!(
            (output.exit, &*output.stdout),
            (Exit::Code(0), "1 added, 0 removed, 1 changed, 0 untouched\n")
        );
        Ok(())
    })
}

/// A Backup whose timer runs for half a minute goes on where it was, whatever else the file says.
#[test]
fn an_untouched_router_keeps_its_timer() -> Result<()> {
    story("untouched timers", &[], |lab| {
        let castor = lab.host("castor")?;
        let slow = instance(1, 100, "198.51.100.1").replace("advert_int 0.1", "advert_int 10");
        let node = Xvrrp::start(&castor, &(slow.clone() + &instance(2, 100, "198.51.100.2")))?;
        let left = || -> Result<(f64, f64)> {
            let status = node.status()?;
            let router = &status["routers"][0];
            let left = router["timers"]["deadline_in_ms"].as_f64().context("no deadline")?;
            Ok((left, status["uptime_seconds"].as_f64().context("no uptime")? * 1000.0))
        };
        let before = left()?;
        let output = node.reload(&(instance(3, 100, "198.51.100.3") + &slow))?;
        assert_eq!(output.stdout, "1 added, 1 removed, 0 changed, 1 untouched\n");
        let status = node.status()?;
        ensure!(status["routers"][1]["name"] == "V1", "routers are in the file's order: {status}");
        let router = &status["routers"][1];
        let after = router["timers"]["deadline_in_ms"].as_f64().context("no deadline")?;
        let passed = status["uptime_seconds"].as_f64().context("no uptime")? * 1000.0 - before.1;
        // Both clocks are read in one turn and shown to the microsecond.
        ensure!(
            (before.0 - after - passed).abs() < 0.01,
            "{} ms became {after} ms after {passed} ms",
            before.0
        );
        Ok(())
    })
}

/// An address that moves from one router to another is never off the host.
#[test]
fn an_address_moves_between_routers_in_one_reload() -> Result<()> {
    story("an address moves", &[], |lab| {
        let castor = lab.host("castor")?;
        let [one, two, moving] = ["198.51.100.1", "198.51.100.2", "198.51.100.9"];
        let with = |first: &str, second: &str| instance(1, 100, first) + &instance(2, 100, second);
        let node = Xvrrp::start(&castor, &with(&format!("{one}\n {moving}"), two))?;
        for name in ["V1", "V2"] {
            node.wait_active(name, FAST)?;
        }
        wait_until(FAST, "it is there", || castor.owns(moving))?;
        let watch = castor.spawn("monitor", &["ip", "-4", "monitor", "address"])?;
        thread::sleep(Duration::from_millis(200));
        let output = node.reload(&with(one, &format!("{moving}\n {two}")))?;
        assert_eq!(output.stdout, "0 added, 0 removed, 2 changed, 0 untouched\n");
        wait_until(FAST, "V2 holds it", || {
            let router = node.router("V2")?;
            Ok(router["addresses"][0]["address"] == format!("{moving}/32")
                && router["addresses"][0]["held"] == true)
        })?;
        ensure!(node.router("V2")?["addresses"][1]["held"] == true, "{}", node.router("V2")?);
        assert_eq!(watch.log()?, "", "nothing was removed or added");
        node.reload(&with(one, two))?;
        wait_until(FAST, "it is gone", || Ok(!castor.owns(moving)?))?;
        ensure!(castor.owns(one)? && castor.owns(two)?, "the others stay");
        Ok(())
    })
}

/// What stands while the node runs follows the file too, and what stays in it is not touched.
#[test]
fn what_always_stands_follows_the_file() -> Result<()> {
    story("statics at reload", &[], |lab| {
        let castor = lab.host("castor")?;
        let with = |addresses: &str, network: &str| {
            format!(
                "static_ipaddress {{\n {addresses}\n}}\nstatic_routes {{\n {network} via 192.0.2.9 dev eth0\n}}\n{}",
                instance(1, 100, "198.51.100.1")
            )
        };
        let [stays, goes, comes] = ["198.51.100.50", "198.51.100.51", "198.51.100.52"];
        let list = |other: &str| format!("{stays} dev eth0\n {other} dev eth0");
        let route = |network: &str| -> Result<bool> {
            Ok(!castor.check(&["ip", "route", "show", network])?.trim().is_empty())
        };
        let node = Xvrrp::start(&castor, &with(&list(goes), "203.0.113.0/25"))?;
        wait_until(FAST, "they are there", || {
            Ok(castor.owns(stays)? && castor.owns(goes)? && route("203.0.113.0/25")?)
        })?;
        let watch = castor.spawn("monitor", &["ip", "-4", "monitor", "address"])?;
        thread::sleep(Duration::from_millis(200));
        let output = node.reload(&with(&list(comes), "203.0.113.128/25"))?;
        assert_eq!(output.stdout, "0 added, 0 removed, 0 changed, 1 untouched\n");
        wait_until(FAST, "the others are there", || {
            Ok(castor.owns(comes)? && !castor.owns(goes)? && route("203.0.113.128/25")?)
        })?;
        ensure!(castor.owns(stays)? && !route("203.0.113.0/25")?);
        ensure!(!watch.log()?.contains(&format!("{stays}/")), "it was touched:\n{}", watch.log()?);
        Ok(())
    })
}

/// A router that joins an Active group follows it, and one that leaves takes nobody along.
#[test]
fn members_come_and_go_without_a_flap() -> Result<()> {
    story("members come and go", &[], |lab| {
        let castor = lab.host("castor")?;
        let two = groups::file(150);
        let three = two.replace("        B\n    }\n}", "        B\n        V3\n    }\n}")
            + &instance(3, 150, "198.51.100.3");
        let node = Xvrrp::start(&castor, &two)?;
        for name in ["A", "B"] {
            node.wait_active(name, FAST)?;
        }
        let before = [node.transitions("A")?, node.transitions("B")?];
        let output = node.reload(&three)?;
        assert_eq!(output.stdout, "1 added, 0 removed, 0 changed, 2 untouched\n");
        node.wait_active("V3", FAST)?;
        wait_until(FAST, "the third address is here", || castor.owns("198.51.100.3"))?;
        node.reload(&two)?;
        wait_until(FAST, "the third address is gone", || Ok(!castor.owns("198.51.100.3")?))?;
        assert_eq!([node.transitions("A")?, node.transitions("B")?], before);
        Ok(())
    })
}

/// A check that a reload adds does not put a well router out before its first result.
#[test]
fn a_check_is_added_in_place() -> Result<()> {
    story("check added in place", &[], |lab| {
        let castor = lab.host("castor")?;
        let node = Xvrrp::start(&castor, &Conf::fast(100).text())?;
        node.wait_active(INSTANCE, FAST)?;
        let slow = ["script \"/bin/sleep 1\"", "interval 2", "timeout 2"];
        let weighted = ["script \"/bin/true\"", "interval 1", "weight 7"];
        let conf = Conf::fast(100).checking("slow", &slow);
        node.reload(&conf.clone().text())?;
        wait_until(FAST, "it has run", || {
            let checks = node.router(INSTANCE)?["priority"]["checks"].clone();
            Ok(checks[0]["health"] == "healthy")
        })?;
        node.reload(&Conf::fast(100).checking("weighted", &weighted).text())?;
        wait_until(FAST, "the weight counts", || Ok(node.router(INSTANCE)?["priority"]["effective"] == 107))?;
        assert_eq!(node.transitions(INSTANCE)?.len(), 2);
        Ok(())
    })
}

/// Another script and another pace under the same name: what was healthy is, until the new script says otherwise.
#[test]
fn a_check_changes_in_place() -> Result<()> {
    story("check changed in place", &[], |lab| {
        let castor = lab.host("castor")?;
        let checking = |script: &str, pace: &str| {
            let script = format!("script \"{script}\"");
            Conf::fast(101).checking("chk", &[&script, pace, "rise 3", "fall 1", "init_fail"]).text()
        };
        let node = Xvrrp::start(&castor, &checking("/bin/true", "interval 0.2"))?;
        node.wait_active(INSTANCE, FAST)?;
        let before = node.transitions(INSTANCE)?;
        // Its first result comes later than the last one of the old script was to hold.
        let output = node.reload(&checking("/bin/sleep 3", "interval 1\n    timeout 5"))?;
        assert_eq!(output.exit, Exit::Code(0), "{}", output.stderr);
        wait_until(FAST, "the new script has run", || {
            let check = node.router(INSTANCE)?["priority"]["checks"][0].clone();
            Ok(check["runs"] == 1 && check["health"] == "healthy")
        })?;
        holds_for(A_WHILE, "castor is Active", || node.is_active(INSTANCE))?;
        assert_eq!(node.transitions(INSTANCE)?, before);
        node.reload(&checking("/bin/false", "interval 0.2"))?;
        wait_until(FAST, "what it says now counts", || Ok(node.router(INSTANCE)?["state"] == "fault"))
    })
}

/// The operator's switch-over and its end; nobody edits a file.
#[test]
fn addresses_are_given_away_and_taken() -> Result<()> {
    story("step-down and take", WITNESSES, |lab| {
        let pair = Pair::new(lab)?;
        let castor = Xvrrp::start(&pair.castor, &Conf::fast(150).text())?;
        let pollux = Xvrrp::start(&pair.pollux, &Conf::fast(100).text())?;
        pair.wait_owners(&["castor"], FAST)?;
        let capture = Capture::start(&lab.host("client")?)?;
        let output = castor.ask(&["step-down", INSTANCE, "--for", "3s"])?;
        assert_eq!(
            (output.exit, &*output.stdout),
            (Exit::Code(0), "VI_1: stepped down by order, for 3 s more\n")
        );
        pair.wait_owners(&["pollux"], FAST)?;
        assert_eq!(castor.router(INSTANCE)?["priority"]["effective"], 1);
        pair.wait_owners(&["castor"], FAST)?;
        let adverts = capture.stop()?.adverts()?;
        let farewell = adverts.iter().find(|advert| advert.priority == 0).context("castor resigned")?;
        let successor = adverts.iter().find(|advert| advert.at > farewell.at && advert.priority == 100);
        let handover = successor.context("pollux took over")?.at - farewell.at;
        // Skew_Time at priority 100 and 0.1 s is 60.9 ms; the whole Active_Down_Interval would be 361 ms.
        ensure!(handover < 0.2, "pollux took over after {handover} s");
        let output = pollux.ask(&["take", INSTANCE])?;
        assert_eq!(output.exit, Exit::Code(0), "{}", output.stderr);
        pair.wait_owners(&["pollux"], FAST)?;
        pair.owners_stay(&["pollux"])?;
        pollux.ask(&["step-down", INSTANCE])?;
        pair.wait_owners(&["castor"], FAST)?;
        let unknown = pollux.ask(&["take", "VI_9"])?;
        ensure!(
            unknown.exit == Exit::Code(1) && unknown.stderr.contains("there is VI_1"),
            "{}",
            unknown.stderr
        );
        Ok(())
    })
}
