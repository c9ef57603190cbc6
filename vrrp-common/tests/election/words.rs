//! What people read.

use super::*;

#[test]
fn reasons() {
    for (reason, text) in [
        (Reason::Started, "started"),
        (Reason::Owner, "this host owns the addresses (priority 255)"),
        (
            Reason::NoAdvertisement { last: Some(peer(1, 101, 0)), silence: micros(3_618_000) },
            "no advertisement from 192.0.2.1 (priority 101) for 3.61 s",
        ),
        (
            Reason::NoAdvertisement { last: None, silence: micros(3_609_375) },
            "nothing heard for 3.6 s since start",
        ),
        (Reason::Resigned { source: host(1) }, "192.0.2.1 resigned"),
        (
            Reason::Preempting { lower: peer(2, 100, 0), ours: 101 },
            "preempting 192.0.2.2 (priority 100): ours is 101",
        ),
        (Reason::Outranked { by: peer(2, 102, 0), ours: 101 }, "192.0.2.2 (priority 102) outranks us (101)"),
        (
            Reason::Outranked { by: peer(2, 100, 0), ours: 100 },
            "192.0.2.2 (priority 100) has the higher address at equal priority",
        ),
        (
            Reason::Stalled { silence: micros(10_200_000), by: peer(2, 100, 0) },
            "our last advertisement was 10.2 s ago and 192.0.2.2 (priority 100) took over",
        ),
        (Reason::Faulted(Fault::InterfaceMissing), "interface missing"),
        (Reason::Faulted(Fault::LinkDown), "link down"),
        (Reason::Faulted(Fault::NoSourceAddress), "no address to send from"),
        (Reason::Faulted(Fault::CheckPending(3)), "check 3 has not reported yet"),
        (Reason::Faulted(Fault::CheckFailing(3)), "check 3 fails"),
        (Reason::Faulted(Fault::AddressesRefused), "the host refused every virtual address"),
        (Reason::Recovered(Fault::InterfaceMissing), "interface appeared"),
        (Reason::Recovered(Fault::LinkDown), "link up"),
        (Reason::Recovered(Fault::NoSourceAddress), "an address to send from appeared"),
        (Reason::Recovered(Fault::CheckPending(3)), "check 3 succeeds"),
        (Reason::Recovered(Fault::CheckFailing(3)), "check 3 succeeds"),
        (Reason::Recovered(Fault::AddressesRefused), "the virtual addresses are to be tried again"),
        (Reason::Shutdown, "shutting down"),
    ] {
        assert_eq!(reason.to_string(), text);
    }
}

#[test]
fn addresses_of_both_families() {
    let source = Address::from("2001:db8::1".parse::<std::net::IpAddr>().unwrap());
    assert_eq!(Reason::Resigned { source }.to_string(), "2001:db8::1 resigned");
}

#[test]
fn states() {
    for (state, text) in [
        (State::Initialize, "Initialize"),
        (State::Fault, "Fault"),
        (State::Backup, "Backup"),
        (State::Active, "Active"),
    ] {
        assert_eq!(state.to_string(), text);
    }
    assert_eq!(format!("{:>8}|", State::Active), "  Active|");
}
