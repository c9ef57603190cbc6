//! The files that keepalived writes when a signal asks for them, beside its own from the same configuration: what
//! exporters read in them.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value};
use vrrp_tests::{
    Host,
    conf::{Conf, INSTANCE},
    holds_for,
    init::Exit,
    peers::{Router, Supervisor, Xvrrp},
    scenario::Make,
    story, wait_until,
};

use crate::pair::{A_WHILE, FAST, OURS};

/// Their numbers, as `keepalived --signum` prints them.
const DATA: &str = "10";
const STATISTICS: &str = "12";
const JSON: &str = "36";
const CLEAR: &str = "63";

fn file() -> String {
    Conf::v2_pass(100, "1234")
        .checking("chk", &["script \"/usr/bin/test -e /\"", "interval 1", "timeout 2", "weight 5"])
        .moving(&["192.0.2.100/24 label eth0:1", "192.0.2.101"])
        .and("virtual_ipaddress_excluded {\n        192.0.2.102\n    }")
        .and("track_interface {\n        lo\n    }")
        .and("notify_master \"/usr/bin/true 'two words'\"")
        .and("notify /usr/bin/true")
        .and("garp_master_delay 3")
        .text()
}

/// Settings that the first file leaves alone.
fn second_file() -> String {
    let all = "dont_track_primary\n    promote_secondaries\n    skip_check_adv_addr\n    accept";
    Conf::fast(100).and("strict_mode").and(all).text()
}

/// Asks by signal and waits for the file.
fn ask(router: &dyn Router, signal: &str, ending: &str) -> Result<String> {
    let host = router.host();
    let path = format!("/tmp/keepalived.{ending}");
    host.check(&["rm", "-f", &path])?;
    host.check(&["kill", &format!("-{signal}"), &router.process().pid().to_string()])?;
    let mut text = String::new();
    wait_until(FAST, &format!("{path} is written"), || {
        let output = host.run(&["cat", &path])?;
        text = output.stdout;
        // keepalived writes it bit by bit.
        Ok(output.exit == Exit::Code(0) && text.ends_with('\n') && !text.trim_end().is_empty()
            || text.ends_with(']'))
    })?;
    Ok(text)
}

/// What one make writes of itself as the only router: settings and states, counters, and both as JSON.
fn dumps(host: &Host, make: Make) -> Result<[String; 3]> {
    let router = make.start(host, &file())?;
    router.wait_active(INSTANCE, FAST)?;
    router.wait_owns("192.0.2.102", FAST)?;
    // keepalived gets its own children's results in the meantime.
    holds_for(A_WHILE, "it is Active", || router.is_active(INSTANCE))?;
    let text = [(DATA, "data"), (STATISTICS, "stats"), (JSON, "json")];
    let [data, statistics, json] = text.map(|(signal, ending)| ask(&*router, signal, ending));
    let dumps = [data?, statistics?, json?];
    router.shut_down()?;
    Ok(dumps)
}

/// The lines that mehdy/keepalived-exporter looks for.
fn lines_looked_for(text: &str) -> Vec<&str> {
    let keys = [
        " VRRP Instance = ",
        "   State = ",
        "   Wantstate = ",
        "   Interface = ",
        "   Gratuitous ARP delay = ",
        "   Virtual Router ID = ",
        "   Virtual IP (",
        "     192.0.2.",
        " VRRP Script = ",
        "   Status = ",
    ];
    let sections = text.split("------< ");
    // The sections of interfaces and sockets have lines that are called the same.
    let meant =
        sections.filter(|part| ["VRRP Topology", "VRRP Scripts"].iter().any(|name| part.starts_with(name)));
    let mut lines: Vec<&str> =
        meant.flat_map(str::lines).filter(|line| keys.iter().any(|key| line.starts_with(key))).collect();
    // Their order within a block is nobody's concern.
    lines.sort_unstable();
    lines
}

fn part<'j>(json: &'j Value, name: &str) -> Result<&'j Map<String, Value>> {
    json[0][name].as_object().with_context(|| format!("no {name} in {json}"))
}

fn keys(map: &Map<String, Value>) -> BTreeSet<&str> {
    map.keys().map(String::as_str).collect()
}

#[test]
fn exporters_read_the_same_as_from_keepalived() -> Result<()> {
    story("dumps beside keepalived", &["keepalived"], |lab| {
        let castor = lab.host("castor")?;
        let [our_data, our_statistics, our_json] = dumps(&castor, OURS)?;
        let [their_data, their_statistics, their_json] = dumps(&castor, Make::Keepalived)?;
        assert_eq!(lines_looked_for(&our_data), lines_looked_for(&their_data));
        let names = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned()).collect()
        };
        assert_eq!(names(&our_statistics), names(&their_statistics));
        ensure!(our_statistics.contains("  Became master: 1\n  Released master: 0\n"), "{our_statistics}");
        let [ours, theirs] = [&our_json, &their_json].map(|text| serde_json::from_str::<Value>(text));
        let (ours, theirs) = (ours.context(our_json)?, theirs.context(their_json)?);
        assert_eq!(keys(part(&ours, "stats")?), keys(part(&theirs, "stats")?));
        let (ours, theirs) = (part(&ours, "data")?, part(&theirs, "data")?);
        assert_eq!(keys(ours), keys(theirs));
        for (key, value) in theirs {
            match key.as_str() {
                "last_transition" => {}
                // What always happens here, and with keepalived on demand: docs/keepalived-differences.md.
                "skip_check_adv_addr" => assert_eq!((&ours[key], value), (&Value::from(1), &Value::from(0))),
                "promote_secondaries" => {
                    assert_eq!((&ours[key], value), (&Value::from(true), &Value::from(false)));
                }
                // keepalived gives the password away.
                "auth_data" => assert_eq!(ours[key], "********"),
                _ => assert_eq!(ours.get(key).unwrap_or(&Value::Null), value, "{key} in {ours:?}"),
            }
        }
        ensure!(ours["last_transition"].as_f64().is_some_and(|at| at > 1.7e9), "{ours:?}");
        Ok(())
    })
}

#[test]
fn switches_that_the_file_turns_on_are_on_in_both() -> Result<()> {
    story("switches beside keepalived", &["keepalived"], |lab| {
        let castor = lab.host("castor")?;
        let mut data = Vec::new();
        for make in [OURS, Make::Keepalived] {
            let router = make.start(&castor, &second_file())?;
            router.wait_active(INSTANCE, FAST)?;
            let json: Value = serde_json::from_str(&ask(&*router, JSON, "json")?)?;
            router.shut_down()?;
            data.push(part(&json, "data")?.clone());
        }
        let switches = ["dont_track_primary", "promote_secondaries", "skip_check_adv_addr", "strict_mode"];
        for key in switches.into_iter().chain(["higher_prio_send_advert", "accept"]) {
            assert_eq!(data[0].get(key), data[1].get(key), "{key} in {data:?}");
        }
        for key in switches {
            ensure!(data[0][key] == 1 || data[0][key] == true, "{key} in {data:?}");
        }
        Ok(())
    })
}

#[test]
fn counters_begin_anew_when_they_are_cleared() -> Result<()> {
    story("cleared counters", &[], |lab| {
        let castor = lab.host("castor")?;
        let router = OURS.start(&castor, &Conf::fast(100).text())?;
        router.wait_active(INSTANCE, FAST)?;
        ensure!(ask(&*router, CLEAR, "stats")?.contains("Became master: 1\n"));
        ensure!(ask(&*router, STATISTICS, "stats")?.contains("Became master: 0\n"));
        ensure!(ask(&*router, JSON, "json")?.contains("\"become_master\":0,"));
        // Nothing is to be seen of a signal without a file, but that the node lives.
        castor.check(&["kill", "-64", &router.process().pid().to_string()])?;
        holds_for(A_WHILE, "castor is Active", || router.is_active(INSTANCE))
    })
}

/// The thread that writes stands still, as it would on a file system that hangs: all else goes on.
#[test]
fn a_file_that_cannot_be_written_holds_up_nothing() -> Result<()> {
    story("a dump that hangs", &[], |lab| {
        let castor = lab.host("castor")?;
        let node = Xvrrp::start(&castor, &Conf::fast(100).text())?;
        node.wait_active(INSTANCE, FAST)?;
        ask(&node, JSON, "json")?;
        let supervisor = Supervisor::start(&castor, FAST)?;
        let held = supervisor.hold(node.process(), "dump")?;
        wait_until(FAST, "the log says what is not written", || {
            castor.check(&["kill", &format!("-{DATA}"), &node.process().pid().to_string()])?;
            Ok(node
                .process()
                .log()?
                .contains("/tmp/keepalived.data is not written: the files asked for before"))
        })?;
        holds_for(A_WHILE, "castor is Active", || node.is_active(INSTANCE))?;
        drop(held);
        node.shut_down()
    })
}

/// Called by keepalived's name it prints the numbers of the signals, which scripts send then.
#[test]
fn the_numbers_of_the_signals_are_printed() -> Result<()> {
    story("signal numbers", &["keepalived"], |lab| {
        let castor = lab.host("castor")?;
        castor.check(&["ln", "-s", &Xvrrp::program()?, "/run/lab/keepalived"])?;
        for name in ["STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR", "JSON"] {
            let number = format!("--signum={name}");
            let [ours, theirs] =
                ["/run/lab/keepalived", "keepalived"].map(|program| castor.check(&[program, &number]));
            assert_eq!(ours?, theirs?, "{name}");
        }
        Ok(())
    })
}
