//! The configuration from several files, from no file, and from what is no configuration.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;
use tempfile::TempDir;
use vrrp_common::{time::Interval, wire::Version};
use vrrp_user::config::{Loaded, Options, from_options, load, render, render_line};

/// A directory with these files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// `lo` is there wherever tests run.
const INSTANCE: &str =
    "vrrp_instance V {\ninterface lo\nvirtual_router_id 5\nvirtual_ipaddress { 192.0.2.1 }\n}\n";

/// What was said, one line each, without the directory's name.
fn lines(loaded: &Loaded, folder: &Path) -> Vec<String> {
    let folder = format!("{}/", folder.display());
    let lines = loaded.diagnostics.iter().map(|diagnostic| render_line(diagnostic, &loaded.sources));
    lines.map(|line| line.replace(&folder, "")).collect()
}

fn load_text(text: &str) -> Loaded {
    let folder = folder(&[("a", text)]);
    load(&folder.path().join("a"), None)
}

fn check_files(files: &[(&str, &str)], expected: &[&str]) -> Loaded {
    let folder = folder(files);
    let loaded = load(&folder.path().join(files[0].0), None);
    let found = lines(&loaded, folder.path());
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (line, part) in found.iter().zip(expected) {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert_eq!(loaded.configuration.is_none(), found.iter().any(|line| line.contains("error: ")));
    loaded
}

#[test]
fn included_files_are_relative_to_the_file_that_includes_them() {
    let loaded = check_files(
        &[
            ("main.conf", "global_defs {\ninclude parts/globals\n}\ninclude parts/*.conf\n"),
            ("parts/globals", "router_id deep\n"),
            ("parts/b.conf", "include more/w.conf # the other one\n"),
            ("parts/a.conf", INSTANCE),
            ("parts/more/w.conf", &INSTANCE.replace("V", "W").replace(" 5", " 6")),
        ],
        &[],
    );
    let configuration = loaded.configuration.unwrap();
    assert_eq!(configuration.router_id, "deep");
    let names: Vec<&str> = configuration.instances.iter().map(|instance| instance.name.as_str()).collect();
    assert_eq!(names, ["V", "W"]);
}

#[test]
fn an_include_may_stand_among_addresses() {
    let text = INSTANCE.replace("{ 192.0.2.1 }", "{\ninclude addresses\n}");
    let loaded = check_files(&[("main.conf", &text), ("addresses", "192.0.2.7\n192.0.2.8\n")], &[]);
    assert_eq!(loaded.configuration.unwrap().instances[0].addresses.len(), 2);
}

#[test]
fn more_addresses_than_an_advertisement_carries_are_kept() {
    let many: String = (0..300).map(|n| format!("198.18.{}.{}\n", n / 250, n % 250 + 1)).collect();
    let text = INSTANCE.replace("{ 192.0.2.1 }", &format!("{{\n{many}}}"));
    let loaded =
        check_files(&[("a", &text)], &["a:260:1: warning: an advertisement carries 255 IPv4 addresses"]);
    assert_eq!(loaded.configuration.unwrap().instances[0].addresses.len(), 300);
}

#[test]
fn a_pattern_without_match_is_noticed_and_refused_where_a_match_was_demanded() {
    let with = |line: &str| format!("{line}\n{INSTANCE}");
    check_files(&[("a", &with("include none/*.conf"))], &["a:1:9: notice: no file matches `none/*.conf`"]);
    check_files(&[("a", &with("includer none.conf"))], &["a:1:10: notice: no file matches"]);
    check_files(&[("a", &with("includem none.conf"))], &["a:1:10: error: no file matches"]);
    check_files(&[("a", &with("includem none/*.conf"))], &["a:1:10: notice: no file matches"]);
    check_files(&[("a", &with("includew none/*.conf"))], &["a:1:10: error: no file matches"]);
    check_files(&[("a", &with("includeb {none,other}.conf"))], &["a:1:10: error: no file matches"]);
    check_files(&[("a", &with("includea none/*.conf"))], &["a:1:10: error: no file matches"]);
    check_files(&[("a", &with("include"))], &["a:1:1: error: `include` needs a file name"]);
}

#[test]
fn files_that_include_each_other_are_refused() {
    check_files(&[("a", "include b\n"), ("b", "include a\n")], &["b:1:9: error:"]);
    check_files(&[("a", "include a\n")], &["a:1:9: error:"]);
}

#[test]
fn definitions_reach_into_included_files_and_out_of_them() {
    let main = "$P=7\ninclude parts/a.conf\n@other include absent.conf\nglobal_defs {\nrouter_id ${WHO}\n}\n";
    let part = INSTANCE.replace("V {", "V {\npriority $P") + "$WHO=${_PWD}\n";
    let loaded = check_files(&[("main.conf", main), ("parts/a.conf", &part)], &[]);
    let configuration = loaded.configuration.unwrap();
    assert_eq!(configuration.instances[0].priority, 7);
    // The value is read where it is used.
    assert!(!configuration.router_id.ends_with("/parts") && configuration.router_id.starts_with('/'));
}

#[test]
fn a_diagnostic_in_a_definition_shows_it_and_where_it_was_used() {
    let main = format!("$P=256\n{}", INSTANCE.replace("V {", "V {\npriority $P"));
    let loaded = check_files(&[("a", &main)], &["a:1:4: error: `priority` must be"]);
    let text = render(&loaded.diagnostics, &loaded.sources, false);
    assert!(text.contains("$P=256") && text.contains("priority $P") && text.contains("used here"), "{text}");
}

/// `check --print` of a file, read again, is the same configuration, and says where each value came from.
#[test]
fn what_check_prints_is_the_configuration() {
    let text = "global_defs {\nrouter_id a\nvrrp_version 3\nvrrp_garp_master_delay 7\n}\n\
                vrrp_script chk {\nscript \"/bin/sh -c 'exit 0'\"\ninterval 2\nuser root\n}\n\
                vrrp_instance V {\nstate MASTER\ninterface lo\nvirtual_router_id 5\nadvert_int 0.255\nnopreempt\n\
                virtual_ipaddress {\n192.0.2.1 dev lo label lo:1\n192.0.2.2/24 brd +\n}\n\
                track_script {\nchk weight -7 reverse\n}\nunicast_peer {\n192.0.2.9 min_ttl 3\n}\n}\n";
    let first = folder(&[("a", text)]);
    let loaded = load(&first.path().join("a"), None);
    let printed = loaded.text();
    for (line, origin) in [
        ("priority 255", "default"),
        ("advert_int 0.26", "a:15, written as: 0.255"),
        ("version 3", "a:3"),
        ("garp_master_delay 7", "a:4"),
        ("garp_lower_prio_delay 7", "a:4"),
        ("garp_master_repeat 5", "default"),
        ("timeout 2", "default"),
        ("state MASTER", "a:12"),
        ("# nopreempt: off", "a:16, without effect"),
    ] {
        let found = printed.lines().find(|found| found.trim_start().starts_with(&format!("{line} ")));
        let found = found.unwrap_or_else(|| panic!("no {line} in:\n{printed}"));
        assert!(found.ends_with(origin), "{found}");
    }
    let second = folder(&[("b", &printed)]);
    let again = load(&second.path().join("b"), None);
    assert!(
        again.configuration.is_some(),
        "{}\n{printed}",
        render(&again.diagnostics, &again.sources, false)
    );
    assert_eq!(again.configuration, loaded.configuration, "{printed}");
}

/// An entry may have been written behind other words; at the start of a line it means something else.
#[test]
fn what_check_prints_is_read_as_the_words_that_it_was() {
    for entry in ["~LST(S,eth1,eth2)", "@a", "include", "$S="] {
        let block = format!("track_interface {{ {entry} weight 1\n}}\n");
        let text = INSTANCE.replace("V {", &format!("\"V # {{ \\\" 1\" {{\n{block}"));
        let loaded = load_text(&text);
        let again = load_text(&loaded.text());
        assert!(
            loaded.configuration.is_some(),
            "{text}\n{}",
            render(&loaded.diagnostics, &loaded.sources, false)
        );
        assert_eq!(again.configuration, loaded.configuration, "{}", loaded.text());
    }
}

#[test]
fn what_check_prints_hides_passwords_and_is_json_too() {
    let block = "authentication {\nauth_type PASS\nauth_pass s3cret\n}\n";
    let first = folder(&[("a", &INSTANCE.replace("V {", &format!("V {{\n{block}")))]);
    let loaded = load(&first.path().join("a"), None);
    let (text, json) = (loaded.text(), loaded.json());
    assert!(text.contains("auth_pass ********") && !text.contains("s3cret"), "{text}");
    assert!(!json.to_string().contains("s3cret"));
    let router = json.as_array().unwrap().iter().find(|block| block["block"] == "vrrp_instance").unwrap();
    let setting = |keyword: &str| {
        let settings = router["settings"].as_array().unwrap();
        settings.iter().find(|setting| setting["keyword"] == keyword).unwrap().clone()
    };
    assert_eq!(setting("virtual_router_id")["origin"]["line"], 8);
    assert!(setting("priority")["origin"].is_null() && setting("priority")["value"] == "100");
}

#[test]
fn a_router_with_an_error_leaves_the_others() {
    let bad = INSTANCE.replace("V", "W").replace(" 5", " 300");
    let both = format!("{INSTANCE}{bad}");
    let loaded = load_text(&both);
    assert!(loaded.configuration.is_none());
    let rest = loaded.remaining.unwrap();
    let names: Vec<String> = rest.configuration.instances.into_iter().map(|instance| instance.name).collect();
    assert_eq!(names, ["V"]);
    let refused: Vec<_> =
        rest.refused.iter().map(|one| (&*one.name, one.interface.as_deref(), one.vrid)).collect();
    assert_eq!(refused, [("W", Some("lo"), None)], "its number is what is wrong with it");
    // Nobody is left; and what is wrong elsewhere may concern everybody.
    assert!(load_text(&bad).remaining.is_none());
    assert!(load_text(&format!("{both}global_defs {{\nvrrp_version 7\n}}\n")).remaining.is_none());
    assert!(load_text(&format!("{both}}}\n")).remaining.is_none());
    assert!(load_text(INSTANCE).remaining.is_none());
}

#[test]
fn a_password_in_a_definition_is_not_shown() {
    let block = "authentication {\nauth_pass $PASS extra\n}\n";
    let main = format!("$PASS=s3cretly5\n{}", INSTANCE.replace("V {", &format!("V {{\n{block}")));
    let folder = folder(&[("a", &main)]);
    let loaded = load(&folder.path().join("a"), None);
    let text = render(&loaded.diagnostics, &loaded.sources, false);
    assert!(text.contains("$PASS=*********") && !text.contains("s3cret"), "{text}");
}

/// The manual's 65,024 routers: what is too much, how much was read, and what to do.
#[test]
fn what_is_too_much_for_one_node_is_said_with_a_remedy() {
    let routers = "$VI=vrrp_instance v.${IF}.${NUM}.${ID} { interface bond${IF}.${NUM} virtual_router_id ${ID} \
                   virtual_ipaddress { 10.${IF}.${NUM}.${ID}/24 } }\n\
                   ~SEQ(IF,0,7) ~SEQ(NUM,0,31) ~SEQ(ID,1,254) $VI\n";
    let folder = folder(&[("a", routers)]);
    let loaded = load(&folder.path().join("a"), None);
    assert!(loaded.configuration.is_none());
    let mut limits = loaded.diagnostics.iter().filter(|one| one.message.contains("that is the limit"));
    let limit = limits.next_back().unwrap();
    assert!(limit.help.as_ref().is_some_and(|help| help.contains("@ID")), "{limit:?}");
    assert!(limit.message.contains("250000 statements") || limit.message.contains("rounds"), "{limit:?}");
}

#[test]
fn expansion_is_bounded() {
    let laughs: String = (1..40).map(|n| format!("$A{n}=${{A{}}}${{A{}}}\n", n - 1, n - 1)).collect();
    for text in [
        format!("$A0=ha\n{laughs}${{A39}}\n"),
        format!("$A0=\n{laughs}${{A39}}\n"),
        "~SEQ(A, 0, 4294967295) $A\n".to_owned(),
        "~SEQ(A, 0, 4294967295)\n".to_owned(),
        "~SEQ(A,1,4294967296) vrrp_script s${A} { script /bin/true }\n".to_owned(),
        "~SEQ(A,1,65536) ~SEQ(B,1,65536) ~SEQ(C,1,65536)\n".to_owned(),
    ] {
        let folder = folder(&[("a", &text)]);
        let started = std::time::Instant::now();
        let loaded = load(&folder.path().join("a"), None);
        let lines = lines(&loaded, folder.path());
        assert!(
            lines.iter().any(|line| line.contains("16 MiB") && line.contains("that is the limit")),
            "{text}"
        );
        assert!(loaded.configuration.is_none());
        assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}: {text}", started.elapsed());
    }
}

#[test]
fn includes_are_bounded_in_depth_and_number() {
    let names: Vec<String> = (0..20).map(|number| format!("f{number}")).collect();
    let texts: Vec<String> = (1..21).map(|number| format!("include f{number}\n")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    check_files(&files, &["16 files deep"]);
    let many = "include b\n".repeat(600);
    let folder = folder(&[("a", &many), ("b", "")]);
    let loaded = load(&folder.path().join("a"), None);
    assert!(
        lines(&loaded, folder.path()).iter().any(|line| line.contains("more than 1000 files and includes"))
    );
}

#[test]
fn braces_must_match_within_a_file() {
    check_files(
        &[("a", "include b\ninterface lo\n}\n"), ("b", "vrrp_instance V {\n")],
        &[
            "a:2:1: warning: unknown keyword `interface`",
            "a:3:1: error: a `}` that closes nothing",
            "b:1:17: error",
        ],
    );
}

#[test]
fn what_does_not_count_is_not_shown_as_if_it_did() {
    let more = "V {\nunicast_ttl 5\ntrack_script {\nchk weight 3\nchk weight 10\n}\n";
    let script = "vrrp_script chk { script /bin/true\n}\n";
    let text = load_text(&format!("{script}{}", INSTANCE.replace("V {", more))).text();
    assert!(text.contains("unicast_ttl 255") && text.contains("written as: 5"), "{text}");
    assert!(text.contains("chk weight 3") && !text.contains("chk weight 10"), "{text}");
}

#[test]
fn a_block_that_is_refused_is_shown_unless_it_may_have_keys() {
    let text = INSTANCE.replace("V {", "V {\ntrack_bfd { far }\nauth_hmac { key s3cret }\n");
    let loaded = load_text(&text);
    let drawn = render(&loaded.diagnostics, &loaded.sources, false);
    assert!(drawn.contains("track_bfd { far }") && !drawn.contains("s3cret"), "{drawn}");
}

#[test]
fn what_is_meant_is_said() {
    let group = "vrrp_sync_group G {\nVI_1\n}\n";
    let wrong = INSTANCE.replace("V {", "V {\nstate BACKUP really\n").replace("192.0.2.1", "www.example.org");
    let loaded = load_text(&format!("{group}{wrong}"));
    let helps: Vec<&str> = loaded.diagnostics.iter().filter_map(|one| one.help.as_deref()).collect();
    for part in ["`group { NAME }`", "`state` has one value", "names are not looked up"] {
        assert!(helps.iter().any(|help| help.contains(part)), "{part} in {helps:#?}");
    }
}

#[test]
fn what_is_no_configuration_is_told_by_name() {
    let folder = folder(&[("a", "")]);
    fs::write(folder.path().join("binary"), b"\x7fELF\0\0").unwrap();
    for (name, expected) in [
        ("", "is a directory, not a configuration file"),
        ("absent.conf", "cannot read absent.conf: No such file"),
        ("binary", "binary is a binary file (NUL byte in line 1, column 5"),
    ] {
        let path: PathBuf = folder.path().join(name);
        let loaded = load(&path, None);
        let found = lines(&loaded, folder.path());
        assert!(found.len() == 1 && found[0].starts_with("error: "), "{found:?}");
        assert!(found[0].contains(expected), "{found:?}");
        assert!(loaded.configuration.is_none());
    }
    let commented = load_text(&format!("{INSTANCE}# \0 is no text\n! \0"));
    assert!(commented.configuration.is_some(), "{:?}", commented.diagnostics);
    let included = check_files(&[("a", "include .\n")], &["a:1:9: error:"]);
    assert!(included.configuration.is_none());
}

#[derive(Parser)]
struct Run {
    #[command(flatten)]
    options: Options,
}

fn options(line: &str) -> Options {
    let words = line.split(' ').filter(|word| !word.is_empty());
    Run::try_parse_from(std::iter::once("run").chain(words)).unwrap().options
}

#[test]
fn options_mean_what_a_file_means() {
    let line = "--interface lo --vrid 51 --priority 101 --vip 192.0.2.10/24 --vip 192.0.2.11 --advert-int 0.1 \
                --version 3 --nopreempt --unicast-peer 192.0.2.2 --unicast-src 192.0.2.1 --name web";
    let file = "vrrp_instance web {\ninterface lo\nvirtual_router_id 51\npriority 101\nadvert_int 0.1\nversion 3\n\
                nopreempt\nunicast_src_ip 192.0.2.1\nunicast_peer {\n192.0.2.2\n}\nvirtual_ipaddress {\n\
                192.0.2.10/24\n192.0.2.11\n}\n}\n";
    let folder = folder(&[("a", file)]);
    let from_file = load(&folder.path().join("a"), None).configuration.unwrap();
    let from_line = from_options(&options(line)).configuration.unwrap();
    assert_eq!(from_line, from_file);
    assert_eq!(from_line.instances[0].advertisement_interval, Interval::from_millis(100));
}

#[test]
fn few_options_are_enough() {
    let loaded = from_options(&options("--interface lo --vrid 51 --vip 192.0.2.10/24 --auth-pass abc"));
    let instance = &loaded.configuration.unwrap().instances[0];
    assert_eq!((instance.priority, instance.version), (100, Version::V2));
    assert_eq!(instance.password, Some(*b"abc\0\0\0\0\0"));
    assert!(loaded.diagnostics.is_empty());
}

#[test]
fn refused_options_are_shown_in_the_command_line() {
    let cases = [
        (
            "--vrid 256 --interface lo --vip 192.0.2.1",
            "command line:1:33: error: `virtual_router_id` must be",
        ),
        ("--vrid 5 --interface lo --vip 192.0.2.1/33", "error: the prefix length of 192.0.2.1"),
        ("--vrid 5 --interface lo", "error: `VI_1` has no virtual address"),
        ("--vip 192.0.2.1 --interface lo", "error: `VI_1` has no `virtual_router_id`"),
        ("--vip 192.0.2.1 --vrid 5", "error: `VI_1` has no `interface`"),
        ("--vrid 5 --interface lo --vip 192.0.2.1 --priority 0", "error: `priority` must be"),
        (
            "--vrid 5 --interface lo --vip 192.0.2.1 --unicast-peer ::2",
            "is IPv6, but this virtual router is IPv4",
        ),
    ];
    for (line, expected) in cases {
        let loaded = from_options(&options(line));
        let found = lines(&loaded, Path::new(""));
        assert!(found.len() == 1 && found[0].contains(expected), "{line}: {found:?}");
        assert!(loaded.configuration.is_none());
    }
}

#[test]
fn a_value_cannot_smuggle_in_a_statement() {
    let mut options = options("--interface lo --vrid 5 --vip 192.0.2.1");
    options.priority = Some("7\npriority 255".into());
    assert!(from_options(&options).configuration.is_none());
    options.priority = None;
    options.name = Some("x } vrrp_instance y {".into());
    let configuration = from_options(&options).configuration.unwrap();
    assert_eq!(configuration.instances.len(), 1);
}

#[test]
fn the_password_on_the_command_line_is_not_shown() {
    let loaded = from_options(&options("--interface lo --vrid 0 --vip 192.0.2.1 --auth-pass s3cretly"));
    let text = render(&loaded.diagnostics, &loaded.sources, true);
    assert_eq!(loaded.diagnostics.len(), 1, "{text}");
    assert!(text.contains("--auth-pass ********") && !text.contains("s3cret"), "{text}");
}
