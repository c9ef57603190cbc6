//! The program as it is called: exit codes and output of `check`, and keepalived's own command line.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output},
};

const USABLE: &str =
    "vrrp_instance V {\ninterface lo\nvirtual_router_id 7\nversion 3\nvirtual_ipaddress { 192.0.2.1 }\n}\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good"), USABLE).unwrap();
    fs::write(folder.path().join("bad"), USABLE.replace('7', "700")).unwrap();
    fs::write(folder.path().join("ids"), USABLE.replace("virtual_router_id 7", "@main virtual_router_id 7"))
        .unwrap();
    symlink(env!("CARGO_BIN_EXE_xvrrp"), folder.path().join("keepalived")).unwrap();
    folder
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, .. } =
        Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap())
}

#[test]
fn check_answers_with_its_exit_code_and_json() {
    let folder = folder();
    let check = |arguments: &[&str]| run(folder.path(), env!("CARGO_BIN_EXE_xvrrp"), arguments);
    let (code, text) = check(&["check", "good"]);
    assert_eq!((code, text.as_str()), (Some(0), "good: usable, 1 virtual router(s)\n"));
    let (code, text) = check(&["check", "--print", "good"]);
    assert!(code == Some(0) && text.contains("virtual_router_id 7") && text.contains("# good:3"), "{text}");
    let (code, text) = check(&["check", "--json", "bad"]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, Some(3));
    assert!(report["usable"] == false && report["configuration"].is_null());
    let wrong = &report["diagnostics"][0];
    assert_eq!((&wrong["place"]["line"], &wrong["place"]["column"]), (&3.into(), &19.into()));
    assert_eq!(
        (&wrong["severity"], &wrong["source_line"]),
        (&"error".into(), &"virtual_router_id 700".into())
    );
    assert_eq!(check(&["check", "ids"]).0, Some(3));
    assert_eq!(check(&["check", "-i", "main", "ids"]).0, Some(0));
}

/// The exit codes of its configuration test, from its manual page; 36 is SIGRTMIN+2 with glibc.
#[test]
fn keepalived_is_answered_as_keepalived() {
    let folder = folder();
    let program = folder.path().join("keepalived");
    let keepalived = |arguments: &[&str]| run(folder.path(), program.to_str().unwrap(), arguments);
    assert_eq!(keepalived(&["-t", "-f", "good"]).0, Some(0));
    assert_eq!(keepalived(&["--config-test=good", "-D", "-l"]).0, Some(0));
    assert_eq!(keepalived(&["-t", "-f", "bad"]).0, Some(4));
    assert_eq!(keepalived(&["-t=absent"]).0, Some(3));
    assert_eq!(keepalived(&["-t", "-f", "ids", "-i", "main"]).0, Some(0));
    assert_eq!(keepalived(&["--signum=JSON"]), (Some(0), "36\n".into()));
    assert_eq!(keepalived(&["-C"]).0, Some(1));
    assert_eq!(keepalived(&["--no-such-option"]).0, Some(2));
}
