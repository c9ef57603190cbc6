//! `xvrrp doctor`: it finds what is in the way on a real host, says what to do, and tells by its exit code.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use vrrp_tests::{Host, conf::Conf, init::Exit, lab::binary, peers::Keepalived, story};

const PROGRAM: &str = "/run/lab/xvrrp";

#[test]
fn a_sound_host_has_no_problem_and_an_unsound_one_is_told_what_to_do() -> Result<()> {
    story("doctor", &["keepalived", "nftables"], |lab| {
        let castor = lab.host("castor")?;
        // Where the program is may be closed to others, so they get a copy.
        castor.check(&["cp", &binary("xvrrp")?.to_string_lossy(), PROGRAM])?;
        let sound = examine(&castor, &[])?;
        assert_eq!(levels_of(&sound, "problem"), [""; 0], "{sound:?}");
        assert_eq!(levels_of(&sound, "notice"), [""; 0], "{sound:?}");
        ensure!(subjects(&sound).contains(&"eth0".to_owned()), "{sound:?}");

        castor.sh("nft add table ip t
             nft add chain ip t c '{ type filter hook input priority 0; }'
             nft add rule ip t c ip protocol 112 drop")?;
        let _keepalived = Keepalived::start(&castor, &Conf::fast(100).text())?;
        let findings = examine(&castor, &[])?;
        assert_eq!(levels_of(&findings, "notice"), ["firewall", "daemons"], "{findings:?}");
        let text = Value::Array(findings).to_string();
        ensure!(text.contains("ip protocol vrrp drop") && text.contains("accept_from"), "{text}");

        let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
        let output = castor.run(&[&nobody[..], &[PROGRAM, "doctor"]].concat())?;
        ensure!(output.exit == Exit::Code(1), "it ended with {:?}:\n{}", output.exit, output.stdout);
        ensure!(
            output.stdout.contains("PROBLEM rights     CAP_NET_ADMIN and CAP_NET_RAW"),
            "{}",
            output.stdout
        );

        castor.link_down("eth0")?;
        let output = castor.run(&[PROGRAM, "doctor", "eth0", "--quiet"])?;
        assert_eq!(output.exit, Exit::Code(1), "{}", output.stdout);
        ensure!(output.stdout.contains("-> ip link set dev eth0 up"), "{}", output.stdout);
        Ok(())
    })
}

fn examine(host: &Host, arguments: &[&str]) -> Result<Vec<Value>> {
    let text = host.check(&[&[PROGRAM, "doctor", "--json"], arguments].concat())?;
    serde_json::from_str(&text).with_context(|| format!("doctor said {text:?}"))
}

/// The subjects of all findings of one level.
fn levels_of(findings: &[Value], level: &str) -> Vec<String> {
    subjects(&findings.iter().filter(|finding| finding["level"] == level).cloned().collect::<Vec<_>>())
}

fn subjects(findings: &[Value]) -> Vec<String> {
    findings.iter().map(|finding| finding["subject"].as_str().unwrap_or_default().to_owned()).collect()
}
