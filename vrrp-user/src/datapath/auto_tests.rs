//! Which datapath hears a router, and what happens when it stops to.

use super::*;
use crate::{
    config::model::{Receive, ReceivePath, TcHook},
    perform::transmit::Transmitter,
    testing::{
        Host, between_hosts, ip, is_readable,
        network::{Network, ifindex},
    },
};

const SLOT: Slot = Slot(3);

fn binding(path: ReceivePath) -> Binding {
    Binding { receive: Receive { path, hook: None }, ..Network::v4().binding() }
}

#[test]
fn the_best_that_works_is_taken_and_the_reason_told() {
    between_hosts(|pollux| {
        pollux.run(|| {
            let mut path = AutoPath::new().unwrap();
            path.attach(binding(ReceivePath::Auto)).unwrap();
            assert_eq!(path.rung(SLOT), Rung { name: "xdp", reason: "in the driver".to_owned() });
            drop(path);

            ip("link add bridge type bridge");
            ip("link set bridge up");
            let interface = ifindex("bridge");
            let mut path = AutoPath::new().unwrap();
            path.attach(Binding { interface, ..binding(ReceivePath::Auto) }).unwrap();
            let rung = path.rung(SLOT);
            assert_eq!(rung.name, "tcx", "{rung:?}");
            assert!(rung.reason.contains("no XDP: attaching to bridge may reset the link"), "{rung:?}");

            let error = path.attach(Binding { interface, ..binding(ReceivePath::Xdp) }).unwrap_err();
            assert_eq!(
                error.to_string(),
                "cannot listen by xdp on bridge: no XDP: the driver has none (Operation not supported (os \
                 error 95)); `datapath auto` takes what works"
            );
        });
    });
}

#[test]
fn another_xdp_program_is_left_alone() {
    between_hosts(|pollux| {
        pollux.run(|| {
            let mut other = AutoPath::new().unwrap();
            other.attach(binding(ReceivePath::Xdp)).unwrap();
            let mut path = AutoPath::new().unwrap();
            path.attach(binding(ReceivePath::Auto)).unwrap();
            let rung = path.rung(SLOT);
            assert_eq!(rung.name, "tcx");
            assert!(rung.reason.contains("no XDP: another XDP program is there"), "{rung:?}");
            assert!(path.attach(binding(ReceivePath::Xdp)).is_err());
            assert!(path.attach(binding(ReceivePath::XdpGeneric)).is_err());
            assert_eq!(other.rung(SLOT).name, "xdp");
        });
    });
}

#[test]
fn routers_on_one_interface_share_what_suits_them() {
    between_hosts(|pollux| {
        pollux.run(|| {
            let mut path = AutoPath::new().unwrap();
            path.attach(binding(ReceivePath::Tc)).unwrap();
            let second = Binding { slot: Slot(4), vrid: 52, ..binding(ReceivePath::Auto) };
            path.attach(second.clone()).unwrap();
            assert_eq!(path.rung(Slot(4)).name, "tcx");
            for (path_wish, hook) in [(ReceivePath::Xdp, None), (ReceivePath::Tc, Some(TcHook::Clsact))] {
                let receive = Receive { path: path_wish, hook };
                let error = path.attach(Binding { receive, ..second.clone() }).unwrap_err().to_string();
                assert!(error.contains("another virtual router there is heard by tcx"), "{error}");
            }
            path.attach(Binding { receive: Receive { path: ReceivePath::Socket, hook: None }, ..second })
                .unwrap();
            assert_eq!(path.rung(Slot(4)), Rung { name: "socket", reason: "as configured".to_owned() });
            let twin = Binding { slot: Slot(5), ..binding(ReceivePath::Socket) };
            assert!(matches!(path.attach(twin), Err(DatapathError::Taken { .. })));
        });
    });
}

#[test]
fn a_program_that_somebody_detaches_is_replaced_by_a_socket() {
    for kind in [ReceivePath::Xdp, ReceivePath::Tc] {
        between_hosts(move |pollux| replaced(pollux, kind));
    }
}

fn replaced(pollux: &Host, kind: ReceivePath) {
    let network = Network::v4();
    let mut path = AutoPath::new().unwrap();
    pollux.run(|| path.attach(binding(kind))).unwrap();
    let mut transmitter = Transmitter::new().unwrap();
    network.advertise(&mut transmitter, 150);
    assert!(is_readable(path.readiness(), 5_000));
    path.drain(&mut Vec::new()).unwrap();
    let before = path.heard(SLOT).accepted;
    assert_eq!(before.count, 1);
    path.loaded().unwrap().detach_behind_our_back();
    pollux.run(|| {
        let begin = std::time::Instant::now();
        while path.rung(SLOT).name != "socket" {
            assert!(begin.elapsed().as_secs() < 5, "the loss was not noticed in five seconds");
            path.drain(&mut Vec::new()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    });
    assert!(path.rung(SLOT).reason.starts_with("somebody detached the program"));
    let graced = path.heard(SLOT).accepted;
    assert!(graced.at > before.at && graced.count == 2, "whose silence it was is not known");
    network.advertise(&mut transmitter, 150);
    assert!(is_readable(path.readiness(), 5_000));
    path.drain(&mut Vec::new()).unwrap();
    assert_eq!(path.heard(SLOT).accepted.count, 3);
}

#[test]
fn without_the_rights_for_programs_a_socket_hears() {
    between_hosts(|pollux| {
        let binding = |path| Binding { interface: ifindex("castor"), ..pollux.run(|| binding(path)) };
        let (auto, forced) = (binding(ReceivePath::Auto), binding(ReceivePath::Tc));
        for right in [caps::Capability::CAP_BPF, caps::Capability::CAP_SYS_ADMIN] {
            caps::drop(None, caps::CapSet::Effective, right).unwrap();
        }
        let mut path = AutoPath::new().unwrap();
        path.attach(auto).unwrap();
        let rung = path.rung(SLOT);
        assert_eq!(rung.name, "socket", "{rung:?}");
        assert!(rung.reason.contains("Operation not permitted"), "{rung:?}");
        let error = path.attach(forced).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot listen by tc on castor: ") && error.contains("permitted"),
            "{error}"
        );
        assert_eq!(path.rung(SLOT).name, "none", "a router that demands tc is not heard in another way");
    });
}
