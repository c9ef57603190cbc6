//! The files that packages carry: systemd's own tools find nothing wrong with the units.

use std::{fs, path::Path, process::Command};

/// What must stand in the unit, and what must not: an `ExecStopPost=` would run before automatic restarts too.
#[test]
fn the_unit_restarts_within_the_lease_and_cleans_up_only_when_it_is_given_up() {
    let unit = fs::read_to_string(units().join("xvrrp.service")).unwrap();
    let settings: Vec<&str> = unit.lines().filter(|line| !line.starts_with('#')).collect();
    for setting in [
        "Type=notify",
        "ExecReload=/usr/sbin/xvrrp reload",
        "Restart=always",
        "RestartSec=100ms",
        "OnFailure=xvrrp-cleanup.service",
    ] {
        assert!(settings.contains(&setting), "{setting} is not there");
    }
    // Each makes a mount namespace or takes away what scripts may need.
    for word in
        ["ExecStopPost", "Protect", "Private", "ReadOnlyPaths", "CapabilityBoundingSet", "NoNewPrivileges"]
    {
        assert!(!settings.iter().any(|setting| setting.starts_with(word)), "{word}");
    }
}

#[test]
fn systemd_understands_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("SKIPPED, systemd-analyze is not installed: systemd_understands_the_units");
        return;
    }
    let folder = std::env::temp_dir().join(format!("xvrrp-units-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let paths = ["xvrrp.service", "xvrrp-cleanup.service"].map(|name| {
        let text = fs::read_to_string(units().join(name)).unwrap();
        // The program is not installed where tests run; any that is there will do.
        let path = folder.join(name);
        fs::write(&path, text.replace("/usr/sbin/xvrrp", "/bin/true")).unwrap();
        path
    });
    let output = Command::new("systemd-analyze").arg("verify").arg("--man=no").args(&paths).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    fs::remove_dir_all(&folder).unwrap();
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("xvrrp")).collect();
    assert_eq!(ours, [""; 0], "systemd-analyze verify");
}

fn units() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("dist/systemd")
}
