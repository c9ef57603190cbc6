//! Addresses that move with the others and are in no advertisement.

use anyhow::{Result, ensure};
use vrrp_tests::{
    conf::{Conf, INSTANCE},
    peers::Xvrrp,
    story, wait_until,
};

use crate::pair::{CASTOR_MAC, FAST, Pair, WITNESSES};

const EXCLUDED: [&str; 2] = ["192.0.2.101", "2001:db8::101"];

/// Pollux does not list them: it would count every advertisement that does.
#[test]
fn excluded_addresses_of_both_families_move_and_are_not_advertised() -> Result<()> {
    story("excluded addresses", WITNESSES, |lab| {
        let pair = Pair::new(lab)?;
        let capture = pair.watch()?;
        let block = "virtual_ipaddress_excluded {\n        192.0.2.101/24\n        2001:db8::101/64\n    }";
        let castor = pair.start_castor(&Conf::fast(101).and(block))?;
        let pollux = Xvrrp::start(&pair.pollux, &Conf::fast(100).text())?;
        for address in EXCLUDED {
            wait_until(FAST, &format!("castor holds {address}"), || pair.castor.owns(address))?;
        }
        wait_until(FAST, "pollux hears castor", || Ok(pollux.counter(INSTANCE, "accepted")? > 0))?;
        assert_eq!(pollux.counter(INSTANCE, "differing_list")?, 0);
        for address in EXCLUDED {
            capture.wait_announced(address, CASTOR_MAC, FAST)?;
        }
        castor.shut_down()?;
        for address in EXCLUDED {
            ensure!(!pair.castor.owns(address)?, "{address} was left behind");
        }
        Ok(())
    })
}
