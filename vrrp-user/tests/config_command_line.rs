//! The program as it is called: exit codes and output of `check`, and keepalived's own command line.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
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
    assert_eq!(keepalived(&["-t", "-f", "bad"]).0, Some(4));
    assert_eq!(keepalived(&["-t", "-f", "absent"]).0, Some(3));
    assert_eq!(keepalived(&["-t", "-f", "ids", "-i", "main"]).0, Some(0));
    assert_eq!(keepalived(&["--signum=JSON"]), (Some(0), "36\n".into()));
    assert_eq!(keepalived(&["-C"]).0, Some(1));
    assert_eq!(keepalived(&["--no-such-option"]).0, Some(2));
}

/// 2.2.7 with `--config-test=FILE`: FILE is written to, at its end, with mode 0600, and `-f` names what is read.
#[test]
fn the_file_of_a_configuration_test_is_for_what_is_wrong() {
    let folder = folder();
    let program = folder.path().join("keepalived");
    let keepalived = |arguments: &[&str]| run(folder.path(), program.to_str().unwrap(), arguments).0;
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(keepalived(&["--config-test=errors", "-f", "good"]), Some(0));
    assert!(!text("errors").contains("error:"), "{}", text("errors"));
    let mode = fs::metadata(folder.path().join("errors")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(keepalived(&["-terrors", "-f", "bad"]), Some(4));
    let first = text("errors");
    assert!(first.contains("virtual_router_id 700"), "{first}");
    assert_eq!(keepalived(&["-nDterrors", "-f", "absent"]), Some(3));
    let both = text("errors");
    assert!(both.starts_with(&first) && both.contains("absent: there is no such file"), "{both}");
    assert_eq!(text("good"), USABLE);
    assert_eq!(keepalived(&["-t/nowhere/errors", "-f", "good"]), Some(1));
}
