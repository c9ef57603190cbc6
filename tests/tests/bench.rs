//! The benchmark as a program, as far as it needs no rights: what there is, and what changed between two runs.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

fn bench(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A results.json with one figure of two contestants.
fn results(directory: &Path, name: &str, ours: &[f64], theirs: &[f64]) -> String {
    let series = |contestant: &str, samples: &[f64]| -> Value {
        json!({"scenario": "s", "row": "r", "contestant": contestant, "figure": "f", "unit": "ms",
               "samples": samples, "late": 0})
    };
    let machine = json!({"processor": "p", "processors": 2, "kernel": "k", "xvrrp": "x", "keepalived": "k"});
    let all = json!({
        "schema": 1, "machine": machine, "quick": true, "seconds": 1.0, "interrupted": false,
        "series": [series("xvrrp xdp", ours), series("keepalived", theirs)],
        "failures": [], "left_out": [], "timelines": [],
    });
    let path = directory.join(name);
    fs::write(&path, all.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_scenario_is_listed_with_its_rows() {
    let quick = bench(&["--list", "--quick"]);
    for scenario in ["packet", "cost", "flood", "busy", "owners", "failover", "scale"] {
        assert!(quick.contains(&format!("\n{scenario}: ")) || quick.starts_with(scenario), "{quick}");
    }
    assert!(bench(&["--list"]).lines().count() > 2 * quick.lines().count());
    let only = bench(&["--list", "--only", "packet"]);
    assert!(
        only.contains("a Backup hears, 1 router in each family (9 rounds of xvrrp xdp, xvrrp tc)"),
        "{only}"
    );
    assert!(!only.contains("CPU hogs"), "{only}");
    for side in ["Backup", "Active"] {
        let wanted = format!("64 CPU hogs on the {side} at 10 ms (2 rounds of xvrrp xdp, xvrrp socket");
        assert!(bench(&["--list"]).contains(&wanted), "{wanted}");
    }
}

#[test]
fn a_comparison_tells_what_differs_beyond_the_noise() {
    let directory = tempfile::tempdir().unwrap();
    let theirs = [10.0, 11.0, 12.0, 10.5, 11.5, 11.0];
    let old = results(directory.path(), "old.json", &[1.0, 1.1, 1.2, 1.05, 1.15, 1.1], &theirs);
    let same = results(directory.path(), "same.json", &[1.15, 1.1, 1.3], &[10.5, 11.5, 9.0]);
    let slower = results(directory.path(), "slower.json", &[2.0, 2.2, 2.1, 2.05, 2.15, 2.1], &theirs);
    assert_eq!(
        bench(&["compare", &old, &same]).trim(),
        "3 compared, 0 differ beyond the noise; only in the old run 0, only in the new one 0"
    );
    let said = bench(&["compare", &old, &slower]);
    assert!(said.contains("s: r: f, xvrrp xdp: 1.10 [1.00 .. 1.20] -> 2.10 [2.00 .. 2.20]"), "{said}");
    assert!(said.contains("ratios to keepalived"), "{said}");
    assert!(said.contains("3 compared, 2 differ"), "{said}");
}

#[test]
fn few_rounds_show_less_than_the_whole_noise() {
    let directory = tempfile::tempdir().unwrap();
    let theirs = [10.0, 10.1, 10.2];
    let old = results(directory.path(), "old.json", &[1.0, 1.1, 1.2], &theirs);
    let beside = results(directory.path(), "beside.json", &[1.4, 1.5, 1.6], &theirs);
    let said = bench(&["compare", &old, &beside]);
    assert!(said.contains("3 compared, 0 differ"), "three rounds apart by chance: {said}");
    let far = results(directory.path(), "far.json", &[3.0, 3.1, 3.2], &theirs);
    let said = bench(&["compare", &old, &far]);
    assert!(said.contains("xvrrp xdp: 1.10 [0.700 .. 1.50] -> 3.10 [2.70 .. 3.50]"), "{said}");
    let once = results(directory.path(), "once.json", &[30.0], &[100.0]);
    assert!(bench(&["compare", &old, &once]).contains("0 compared"), "one round says nothing of noise");
}

#[test]
fn a_report_can_be_made_again_and_draws_every_contestant() {
    let directory = tempfile::tempdir().unwrap();
    let path = results(directory.path(), "results.json", &[1.0, 0.0], &[10.0, 1200.0]);
    let table = bench(&["report", &path]);
    assert!(table.contains("keepalived            605.0 [10.0 .. 1200, 50 %]"), "{table}");
    let page = fs::read_to_string(directory.path().join("report.html")).unwrap();
    // One plot, a circle for each sample.
    assert_eq!(page.matches("<svg").count(), 1, "{page}");
    assert_eq!(page.matches("<circle").count(), 4, "{page}");
}
