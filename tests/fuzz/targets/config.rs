//! Any bytes as a configuration file: no panic, bounded time and memory, and a configuration if and only if there
//! is no error; what `check --print` shows of a usable one is usable again.
#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use vrrp_user::config::{Severity, load, render};

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("xvrrp-fuzz-{}.conf", std::process::id())));

fuzz_target!(|bytes: &[u8]| {
    fs::write(&*FILE, bytes).unwrap();
    let loaded = load(&FILE, Some("main"));
    let errors = loaded.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    assert_eq!(errors, loaded.configuration.is_none());
    let _ = render(&loaded.diagnostics, &loaded.sources, false);
    if loaded.configuration.is_some() {
        let text = loaded.text();
        fs::write(&*FILE, &text).unwrap();
        let again = load(&FILE, Some("main"));
        assert!(again.configuration.is_some(), "{text}{}", render(&again.diagnostics, &again.sources, false));
    }
});
