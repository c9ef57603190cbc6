//! Whatever the bytes: no panic, no hang, bounded memory, and a configuration if and only if there is no error.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};
use vrrp_user::config::{Loaded, Severity, load, render, render_line};

fn load_bytes(bytes: &[u8]) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keepalived.conf");
    fs::write(&path, bytes).unwrap();
    load(&path, None)
}

fn check(bytes: &[u8]) {
    let loaded = load_bytes(bytes);
    let errors = loaded.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    assert_eq!(errors, loaded.configuration.is_none());
    if loaded.configuration.is_some() {
        let text = loaded.text();
        let again = load_bytes(text.as_bytes());
        let what = render(&again.diagnostics, &again.sources, false);
        assert!(again.configuration.is_some(), "what is shown cannot be read:\n{text}\n{what}");
    }
    let text = render(&loaded.diagnostics, &loaded.sources, false);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    for diagnostic in &loaded.diagnostics {
        assert!(!render_line(diagnostic, &loaded.sources).contains('\n'));
    }
}

/// Pieces that files are made of, and pieces that break them.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words = select(vec![
        "vrrp_instance",
        "vrrp_script",
        "global_defs",
        "virtual_ipaddress",
        "authentication",
        "auth_pass",
        "track_script",
        "unicast_peer",
        "virtual_server",
        "interface",
        "lo",
        "priority",
        "weight",
        "script",
        "include",
        "state",
        "MASTER",
        "192.0.2.1/24",
        "fe80::1",
        "255",
        "0.5",
        "{",
        "}",
        "\n",
        "\n",
        " ",
        "\t",
        "\"",
        "'",
        "#",
        "!",
        "\\",
        "$X",
        "${y}",
        "{{",
        "}}",
        "@a",
        "@^a",
        "$X=",
        "${X}",
        "${_HASH}",
        "~SEQ(y,1,3)",
        "~LST({X,y},{1,2})",
        "{~LST({X,y},{1,2})",
        "{include x",
        "{@a x",
        "\r\n",
        "brd",
        "+",
        "reverse",
        "x",
    ]);
    prop_oneof![8 => words.prop_map(|word| word.as_bytes().to_vec()), 1 => vec(1u8.., 0..4)]
}

const VALID: &str = "global_defs {\n  router_id a\n  script_user root\n}\nvrrp_script chk {\n  script \"killall -0 nginx\"\n  \
    interval 2\n  weight -20\n}\nvrrp_instance V {\n  state BACKUP\n  interface lo\n  virtual_router_id 51\n  priority \
    100\n  authentication {\n    auth_type PASS\n    auth_pass abc\n  }\n  virtual_ipaddress {\n    192.0.2.1/24 dev \
    lo label lo:1 brd +\n  }\n  unicast_peer {\n    192.0.2.2 min_ttl 5\n  }\n  track_script {\n    chk weight 3 \
    reverse\n  }\n}\n";

proptest! {
    // PROPTEST_CASES says how many of each.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..400)) {
        check(&bytes);
    }

    #[test]
    fn random_pieces(pieces in vec(piece(), 0..60)) {
        check(&pieces.join(&b' '));
        check(&pieces.concat());
    }

    #[test]
    fn valid_files_with_one_wound(at in 0..VALID.len(), cut in 0usize..12, piece in piece()) {
        let mut bytes = VALID.as_bytes().to_vec();
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, piece);
        check(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn seeds_with_wounds(
        seed in select(seeds()),
        wounds in vec((any::<Index>(), 0_usize..12, piece()), 1..6),
    ) {
        let mut bytes = seed;
        for (at, cut, piece) in wounds {
            let at = at.index(bytes.len() + 1);
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, piece);
        }
        check(&bytes);
    }
}

/// What the fuzzer begins with.
fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds/config");
    let seeds: Vec<_> =
        fs::read_dir(folder).unwrap().map(|seed| fs::read(seed.unwrap().path()).unwrap()).collect();
    assert!(!seeds.is_empty());
    seeds
}

#[test]
fn the_unwounded_file_is_valid() {
    assert!(load_bytes(VALID.as_bytes()).configuration.is_some());
}

#[test]
fn many_different_things_take_a_bounded_time() {
    let mut text = String::from("vrrp_instance V {\ninterface lo\nvirtual_router_id 5\n");
    for (block, entry) in [("virtual_ipaddress", "10.0."), ("unicast_peer", "10.1."), ("track_script", "t")] {
        text += &format!("{block} {{\n");
        (0..20_000).for_each(|n| text += &format!("{entry}{}.{}\n", n / 250, n % 250 + 1));
        text += "}\n";
    }
    text += "}\n";
    (0..20_000).for_each(|n| text += &format!("vrrp_script t{}.{} {{ script x\n}}\n", n / 250, n % 250 + 1));
    let started = Instant::now();
    check(text.as_bytes());
    assert!(started.elapsed() < Duration::from_secs(60), "took {:?}", started.elapsed());
}

/// Large and unkind files; the limit is generous, because what is guarded against takes minutes or all memory.
#[test]
fn large_files_take_a_bounded_time() {
    const SIZE: usize = 100_000;
    for pattern in [
        "{",
        "}",
        "a{",
        "\"",
        "'",
        "\\",
        "#",
        "x",
        "x ",
        "x\n",
        "priority 1\n",
        "auth_pass ",
        "auth_pass x\n",
        "${",
        "{{",
        "{%",
        "$",
        "vrrp_instance V {\n",
        "192.0.2.1\n",
        "vrrp_script a {\n}\n",
        "include x*\n",
        "\u{a0}y\n",
        "@x\n",
        "$X=${X}\n",
        "$X=a\\\n",
        "~SEQ(X,1,2) ",
        "~LST(X,",
        "@^x ",
    ] {
        let text = pattern.repeat(SIZE / pattern.len());
        let started = Instant::now();
        check(text.as_bytes());
        for block in ["vrrp_instance V {\nauthentication {\n", "vrrp_instance V {\nvirtual_ipaddress {\n"] {
            check(format!("{block}{text}").as_bytes());
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{pattern:?} took {:?}", started.elapsed());
    }
}
