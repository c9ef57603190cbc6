//! Priority 255: the owner of the addresses, and two that both claim to be it.

use anyhow::{Result, ensure};
use vrrp_tests::{
    conf::{Conf, INSTANCE},
    peers::{Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::{FAST, Pair};

#[test]
fn the_owner_is_active_at_once_and_keeps_its_own_addresses() -> Result<()> {
    story("an owner", &[], |lab| {
        let castor = lab.host("castor")?;
        let node = Xvrrp::start(&castor, &Conf::fast(255).moving(&["192.0.2.1/24"]).text())?;
        node.wait_active(INSTANCE, FAST)?;
        let transitions = node.transitions(INSTANCE)?;
        let states: Vec<_> = transitions.iter().map(|one| (&*one.from, &*one.to)).collect();
        assert_eq!(states, [("initialize", "active")], "an owner does not wait");
        node.shut_down()?;
        ensure!(castor.owns("192.0.2.1")?, "a stop took the host's own address away");
        Ok(())
    })
}

#[test]
fn of_two_owners_the_higher_address_wins_and_the_other_is_told() -> Result<()> {
    story("two owners", &[], |lab| {
        let pair = Pair::new(lab)?;
        let castor = Xvrrp::start(&pair.castor, &Conf::fast(255).text())?;
        castor.wait_active(INSTANCE, FAST)?;
        assert_eq!(castor.counter(INSTANCE, "second_owner")?, 0);
        let _pollux = pair.start_pollux(&Conf::fast(255))?;
        pair.wait_owners(&["pollux"], FAST)?;
        pair.owners_stay(&["pollux"])?;
        wait_until(FAST, "castor counts the other owner", || {
            Ok(castor.counter(INSTANCE, "second_owner")? >= 3)
        })?;
        let text = castor.tell("status")?;
        ensure!(text.contains("second owner"), "status does not warn:\n{text}");
        wait_until(FAST, "the log warns of pollux", || {
            Ok(castor.process().log()?.contains("192.0.2.2 advertises this router's addresses"))
        })?;
        assert_eq!(castor.process().log()?.matches("advertises this router's").count(), 1);
        Ok(())
    })
}
