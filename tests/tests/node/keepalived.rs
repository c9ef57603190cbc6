//! Beside the real keepalived, in both roles: the better one is Active, hands over when it stops, takes
//! back when it returns, and neither minds what the other says.

use std::time::Duration;

use anyhow::{Result, ensure};
use vrrp_tests::{
    conf::{ADDRESS, Conf},
    scenario::Make,
    story,
    witness::longest_silence_of,
};

use crate::pair::{CASTOR_MAC, FAST, OURS, PEERS, POLLUX_MAC, Pair, SLOW};

/// The address that moves, the seconds between advertisements, the longest that a takeover may take, and
/// the file of a router: its own address, the other's, and its priority.
type Protocol = (&'static str, f64, Duration, fn(&str, &str, u8) -> Conf);

/// The priorities of castor and of pollux.
const BETTER: u8 = 150;
const WORSE: u8 = 100;

const V2_WITH_PASSWORD: Protocol = (ADDRESS, 1.0, SLOW, |_, _, priority| Conf::v2_pass(priority, "1234"));
const V3_EVERY_SECOND: Protocol = (ADDRESS, 1.0, SLOW, |_, _, priority| Conf::v3(priority, "1"));
const V3_EVERY_TENTH: Protocol = (ADDRESS, 0.1, FAST, |_, _, priority| Conf::fast(priority));
const V3_OVER_IPV6: Protocol = ("2001:db8::100", 0.1, FAST, |_, _, priority| {
    Conf::fast(priority).moving(&["fe80::100", "2001:db8::100"])
});
const V3_UNICAST: Protocol = (ADDRESS, 0.1, FAST, |own, other, priority| {
    let peers = format!("unicast_peer {{\n        {other}\n    }}");
    Conf::fast(priority).and(&format!("unicast_src_ip {own}")).and(&peers)
});
/// keepalived 2.2.7 does not know the keyword, and speaks version 2 without addresses all the same.
const V2_WITHOUT_ADDRESSES: Protocol = (ADDRESS, 1.0, SLOW, |_, _, priority| {
    let excluded = format!("virtual_ipaddress_excluded {{\n        {ADDRESS}\n    }}");
    Conf::v2_pass(priority, "1234").without_addresses().and(&excluded)
});

/// `makes` are castor's and pollux's; castor is the better one.
fn hand_over_and_back(name: &str, makes: [Make; 2], protocol: Protocol) -> Result<()> {
    story(name, PEERS, |lab| {
        let (address, interval, limit, conf) = protocol;
        let castors = conf("192.0.2.1", "192.0.2.2", BETTER).text();
        let polluxes = conf("192.0.2.2", "192.0.2.1", WORSE).text();
        let pair = Pair::of(lab, address)?;
        let capture = pair.watch()?;
        let pollux = makes[1].start(&pair.pollux, &polluxes)?;
        let castor = makes[0].start(&pair.castor, &castors)?;
        pair.wait_owners(&["castor"], limit)?;
        castor.shut_down()?;
        pair.wait_owners(&["pollux"], limit)?;
        let castor = makes[0].start(&pair.castor, &castors)?;
        pair.wait_owners(&["castor"], limit)?;
        pair.owners_stay(&["castor"])?;
        let recording = capture.stop()?;
        let priority = if makes[0] == OURS { BETTER } else { WORSE };
        let silence = longest_silence_of(priority, &recording.adverts()?);
        ensure!(silence < interval * 4.0 + 0.1, "nobody advertised for {silence} s, and it was ours to");
        for mac in [CASTOR_MAC, POLLUX_MAC] {
            assert_eq!(recording.complaints(mac)?, "", "from {mac}");
        }
        for (router, make) in [castor, pollux].iter().zip(makes) {
            if make == Make::Keepalived {
                let log = router.process().log()?;
                let minds = ["invalid", "mismatch", "bad ", "wrong", "dropp"];
                ensure!(!minds.iter().any(|word| log.contains(word)), "keepalived minds:\n{log}");
            }
        }
        Ok(())
    })
}

macro_rules! with_keepalived {
    ($($name:ident: $protocol:expr;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn as_backup() -> Result<()> {
                hand_over_and_back(concat!(stringify!($name), ", keepalived as Backup"), [OURS, Make::Keepalived], $protocol)
            }

            #[test]
            fn as_active() -> Result<()> {
                hand_over_and_back(concat!(stringify!($name), ", keepalived as Active"), [Make::Keepalived, OURS], $protocol)
            }
        }
    )*};
}

with_keepalived! {
    v2_with_password: V2_WITH_PASSWORD;
    v3_every_second: V3_EVERY_SECOND;
    v3_every_tenth: V3_EVERY_TENTH;
    v3_over_ipv6: V3_OVER_IPV6;
    v3_unicast: V3_UNICAST;
    v2_without_addresses: V2_WITHOUT_ADDRESSES;
}
