//! The daemon's rights on a real kernel, each test on a thread of its own: capabilities are per thread.

use std::{collections::HashMap, fs, thread};

use vrrp_user::rights;

/// `/proc/thread-self/status` by key.
fn status() -> HashMap<String, String> {
    let text = fs::read_to_string("/proc/thread-self/status").unwrap();
    let split =
        |line: &str| line.split_once(':').map(|(key, value)| (key.to_owned(), value.trim().to_owned()));
    text.lines().filter_map(split).collect()
}

fn mask(status: &HashMap<String, String>, key: &str) -> u64 {
    u64::from_str_radix(&status[key], 16).unwrap()
}

/// `CAP_NET_ADMIN` 12, `CAP_NET_RAW` 13, `CAP_IPC_LOCK` 14, `CAP_SYS_NICE` 23, `CAP_PERFMON` 38, `CAP_BPF` 39.
const KEPT: u64 = 1 << 12 | 1 << 13 | 1 << 14 | 1 << 23 | 1 << 38 | 1 << 39;
const SETPCAP: u64 = 1 << 8;

#[test]
fn only_the_needed_capabilities_that_were_held_remain() {
    let (before, after) = thread::spawn(|| {
        let before = status();
        rights::drop_all_but_needed().unwrap();
        (before, status())
    })
    .join()
    .unwrap();
    let held = mask(&before, "CapPrm");
    assert_eq!(mask(&after, "CapPrm"), held & KEPT);
    assert_eq!(mask(&after, "CapEff"), held & KEPT);
    assert_eq!(mask(&after, "CapInh"), 0);
    assert_eq!(mask(&after, "CapAmb"), 0);
    if held & SETPCAP != 0 {
        assert_eq!(mask(&after, "CapBnd"), 0);
    }
    assert_eq!(after["NoNewPrivs"], "1");
}

#[test]
fn dropping_twice_is_dropping_once() {
    thread::spawn(|| {
        rights::drop_all_but_needed().unwrap();
        let once = status();
        rights::drop_all_but_needed().unwrap();
        assert_eq!(mask(&once, "CapPrm"), mask(&status(), "CapPrm"));
    })
    .join()
    .unwrap();
}

#[test]
fn what_is_missing_is_named() {
    thread::spawn(|| {
        let before = mask(&status(), "CapEff");
        let named = rights::missing();
        assert_eq!(named.contains(&"CAP_NET_ADMIN"), before & (1 << 12) == 0);
        assert_eq!(named.contains(&"CAP_NET_RAW"), before & (1 << 13) == 0);
        caps::clear(None, caps::CapSet::Effective).unwrap();
        assert_eq!(rights::missing(), ["CAP_NET_ADMIN", "CAP_NET_RAW"]);
    })
    .join()
    .unwrap();
}

/// A field of `stat`, as proc(5) numbers them.
fn field(number: usize) -> String {
    let stat = fs::read_to_string("/proc/thread-self/stat").unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(number - 3).unwrap().to_owned()
}

/// 0 ordinary, 2 round robin.
fn policy() -> String {
    field(41)
}

fn nice() -> String {
    field(19)
}

#[test]
fn real_time_is_granted_or_the_notice_says_why_not() {
    thread::spawn(|| match rights::schedule(Some(1), None) {
        Ok(()) => {
            assert_eq!(policy(), "2");
            let child = thread::spawn(policy).join().unwrap();
            assert_eq!(child, "0", "a new thread starts as an ordinary one");
        }
        Err(notice) => {
            let text = notice.to_string();
            assert!(text.contains("priority 1:") && text.contains("CAP_SYS_NICE"), "{text}");
            assert_eq!(policy(), "0");
        }
    })
    .join()
    .unwrap();
}

#[test]
fn whoever_is_refused_real_time_is_first_among_ordinary_threads_if_that_is_allowed() {
    for priority in [0, 100, 255] {
        thread::spawn(move || {
            let before = nice();
            let notice = rights::schedule(Some(priority), None).unwrap_err().to_string();
            assert!(notice.contains(&format!("priority {priority}: ")), "{notice}");
            assert_eq!(policy(), "0");
            if notice.contains("nice value -20 instead") {
                assert_eq!(nice(), "-20");
                assert_eq!(thread::spawn(nice).join().unwrap(), "0", "a new thread is not preferred");
            } else {
                assert_eq!(nice(), before);
            }
        })
        .join()
        .unwrap();
    }
}

#[test]
fn whoever_names_a_nice_value_alone_has_it_instead_of_real_time() {
    thread::spawn(|| {
        rights::schedule(None, Some(7)).unwrap();
        assert_eq!((policy().as_str(), nice().as_str()), ("0", "7"));
        match rights::schedule(None, Some(-3)) {
            Ok(()) => assert_eq!(nice(), "-3"),
            Err(notice) => assert!(notice.to_string().contains("nice value -3"), "{notice}"),
        }
    })
    .join()
    .unwrap();
    thread::spawn(|| {
        // 100 is no real-time priority, so it is refused to everybody.
        let notice = rights::schedule(Some(100), Some(5)).unwrap_err().to_string();
        assert!(notice.contains("nice value 5 instead"), "{notice}");
        assert_eq!(nice(), "5");
    })
    .join()
    .unwrap();
}

#[test]
fn memory_is_locked_or_the_notice_says_why_not() {
    let locked = |status: HashMap<String, String>| {
        status["VmLck"].trim_end_matches(" kB").trim().parse::<u64>().unwrap()
    };
    match rights::lock_memory() {
        Ok(()) => assert!(locked(status()) > 0),
        Err(notice) => {
            assert!(notice.to_string().contains("memory is not locked"), "{notice}");
            assert_eq!(locked(status()), 0);
        }
    }
}

#[test]
fn memory_is_not_locked_below_a_limit() {
    thread::spawn(|| {
        caps::clear(None, caps::CapSet::Effective).unwrap();
        let (limit, _) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_MEMLOCK).unwrap();
        if limit == nix::sys::resource::RLIM_INFINITY {
            eprintln!("left out: RLIMIT_MEMLOCK is unlimited here");
            return;
        }
        let notice = rights::lock_memory().unwrap_err().to_string();
        assert!(notice.contains(&format!("RLIMIT_MEMLOCK is {limit} bytes")), "{notice}");
    })
    .join()
    .unwrap();
}

#[test]
fn others_are_killed_first_or_the_notice_says_why_not() {
    let score = || fs::read_to_string("/proc/self/oom_score_adj").unwrap().trim().to_owned();
    let before = score();
    match rights::be_spared() {
        Ok(()) => assert!(score().parse::<i32>().unwrap() <= -900),
        Err(notice) => {
            assert!(notice.to_string().contains("OOMScoreAdjust"), "{notice}");
            assert_eq!(score(), before);
        }
    }
}
