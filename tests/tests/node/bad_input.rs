//! What a node does with a file that it cannot use: it says where and what, and touches nothing.

use anyhow::{Result, ensure};
use vrrp_tests::{Host, conf::Conf, init::Exit, lab::binary, story};

/// What is wrong, the file, the place that must be named, and words that must be said.
type Row = (&'static str, &'static [u8], &'static str, &'static [&'static str]);

const ROWS: [Row; 10] = [
    (
        "VRID 0",
        b"vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 0\n  virtual_ipaddress {\n    192.0.2.100\n  }\n}\n",
        "bad.conf:3",
        &["virtual_router_id", "1", "255"],
    ),
    (
        "VRID 256",
        b"vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 256\n  virtual_ipaddress {\n    192.0.2.100\n  }\n}\n",
        "bad.conf:3",
        &["virtual_router_id", "256"],
    ),
    (
        "priority 0",
        b"vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 51\n  priority 0\n  virtual_ipaddress {\n    192.0.2.100\n  }\n}\n",
        "bad.conf:4",
        &["priority"],
    ),
    (
        "no address",
        b"vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 51\n}\n",
        "bad.conf:1",
        &["VI_1", "virtual_ipaddress"],
    ),
    ("no interface", b"vrrp_instance VI_1 {\n  virtual_router_id 51\n  virtual_ipaddress {\n    192.0.2.100\n  }\n}\n", "bad.conf:1", &["interface"]),
    (
        "an address without meaning",
        b"vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 51\n  virtual_ipaddress {\n    192.0.2.300\n  }\n}\n",
        "bad.conf:5",
        &["192.0.2.300"],
    ),
    (
        "an address of the other family",
        b"vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 51\n  virtual_ipaddress {\n    192.0.2.100\n    2001:db8::100\n  }\n}\n",
        "bad.conf:6",
        &["2001:db8::100"],
    ),
    (
        "an unclosed quote",
        b"vrrp_script chk {\n  script \"killall -0 nginx\n}\nvrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 51\n  virtual_ipaddress {\n    192.0.2.100\n  }\n}\n",
        "bad.conf:2",
        &["quote"],
    ),
    (
        "an unclosed brace",
        b"vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 51\n  virtual_ipaddress {\n    192.0.2.100\n  }\n",
        "bad.conf:1",
        &["VI_1"],
    ),
    ("a binary file", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\xff\xfe", "bad.conf", &["binary"]),
];

#[test]
fn a_bad_file_is_refused_with_its_place_and_changes_nothing() -> Result<()> {
    story("bad files", &[], |lab| {
        let castor = lab.host("castor")?;
        for row in ROWS {
            check(&castor, row)?;
        }
        Ok(())
    })
}

/// Where the program is may be closed to others, so they get a copy.
#[test]
fn without_rights_a_node_says_which_it_needs() -> Result<()> {
    story("no rights", &[], |lab| {
        let castor = lab.host("castor")?;
        castor.check(&["cp", &program()?, "/run/lab/xvrrp"])?;
        let file = castor.write_file("good.conf", &Conf::fast(100).text())?;
        let before = traces(&castor)?;
        let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/run/lab/xvrrp"];
        let output = castor.run(&[&nobody[..], &["run", "-f", &file]].concat())?;
        ensure!(output.exit == Exit::Code(1), "it ended with {:?}: {}", output.exit, output.stderr);
        ensure!(output.stderr.contains("CAP_NET_"), "no word on what is missing: {}", output.stderr);
        assert_eq!(traces(&castor)?, before);
        Ok(())
    })
}

fn check(castor: &Host, (what, file, place, words): Row) -> Result<()> {
    let before = traces(castor)?;
    std::fs::write(castor.path("bad.conf"), file)?;
    let path = castor.inside("bad.conf");
    for (command, code) in [(vec!["run", "-f", &path], 1), (vec!["check", &path], 3)] {
        let output = castor.run(&[&[program()?.as_str()], &command[..]].concat())?;
        let said = output.stdout + &output.stderr;
        ensure!(output.exit == Exit::Code(code), "{what}: {command:?} ended with {:?}:\n{said}", output.exit);
        ensure!(said.contains(place), "{what}: {place} is not named:\n{said}");
        ensure!(
            words.iter().all(|word| said.contains(word)),
            "{what}: one of {words:?} is not said:\n{said}"
        );
    }
    assert_eq!(traces(castor)?, before, "{what}");
    Ok(())
}

fn traces(castor: &Host) -> Result<String> {
    castor.sh("ip addr; ip maddr; find /run /sys/fs/bpf -path /run/lab -prune -o -print")
}

fn program() -> Result<String> {
    Ok(binary("xvrrp")?.to_string_lossy().into_owned())
}
