//! What `doctor` finds on interfaces that somebody else has had his hands on.

use aya::{
    EbpfLoader, include_bytes_aligned,
    programs::{Xdp, xdp::XdpMode},
};

use super::{Finding, Level, interface::examine};
use crate::testing::{in_namespace, ip, try_run};

#[test]
fn who_holds_a_hook_is_named() {
    in_namespace(|| {
        assert_eq!(
            texts("castor"),
            ["XDP: free, and attaching does not touch the link", "tcx: nobody else is there"]
        );
        let mut object = include_bytes_aligned!(env!("XVRRP_OBJECT")).to_vec();
        rename(&mut object, b"xvrrp_xdp", b"other_xdp");
        let mut other = EbpfLoader::new().load(&object).unwrap();
        let program: &mut Xdp = other.program_mut("other_xdp").unwrap().try_into().unwrap();
        program.load().unwrap();
        program.attach("castor", XdpMode::Driver).unwrap();
        try_run("tc", "qdisc add dev castor clsact").unwrap();
        let expected =
            ["XDP: other_xdp is attached, another's program", "tcx: nobody else is there; a clsact is there"];
        assert_eq!(texts("castor"), expected);
        assert_eq!(levels("castor"), [Level::Notice, Level::Ok]);
    });
}

fn rename(object: &mut [u8], from: &[u8], to: &[u8]) {
    while let Some(at) = object.windows(from.len()).position(|part| part == from) {
        object[at..at + from.len()].copy_from_slice(to);
    }
}

#[test]
fn what_keeps_an_address_from_being_served_is_a_problem() {
    in_namespace(|| {
        assert_eq!(levels("nowhere"), [Level::Problem]);
        ip("link set castor down");
        assert_eq!(levels("castor"), [Level::Problem, Level::Ok, Level::Ok]);
        try_run("sysctl", "-qw net.ipv4.conf.pollux.arp_ignore=8 net.ipv4.conf.pollux.rp_filter=2").unwrap();
        assert_eq!(levels("pollux"), [Level::Ok, Level::Ok, Level::Problem]);
        try_run("sysctl", "-qw net.ipv4.conf.pollux.arp_ignore=2 net.ipv4.conf.all.rp_filter=1").unwrap();
        assert_eq!(levels("pollux"), [Level::Ok, Level::Ok, Level::Notice], "a loose rp_filter hurts nobody");
        try_run("sysctl", "-qw net.ipv4.conf.pollux.rp_filter=0").unwrap();
        assert_eq!(levels("pollux"), [Level::Ok, Level::Ok, Level::Notice, Level::Notice]);
    });
}

fn levels(interface: &str) -> Vec<Level> {
    find(interface).into_iter().map(|finding| finding.level).collect()
}

fn texts(interface: &str) -> Vec<String> {
    find(interface).into_iter().map(|finding| finding.text).collect()
}

fn find(interface: &str) -> Vec<Finding> {
    examine(&[interface.to_owned()])
}
