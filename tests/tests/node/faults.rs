//! Links that fail, in each of the ways that a link can, and come back; addresses that others take away.

use anyhow::{Result, ensure};
use vrrp_tests::{
    Host, Lab,
    conf::{ADDRESS, Conf, INSTANCE},
    peers::{Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::{FAST, Pair};

/// Castor loses its link, and knows: it lets go, pollux takes over, and castor preempts when it is back.
fn link_fails(
    name: &str,
    fail: impl Fn(&Lab, &Host) -> Result<()>,
    mend: impl Fn(&Lab, &Host) -> Result<()>,
) -> Result<()> {
    story(name, &[], |lab| {
        let pair = Pair::new(lab)?;
        let [castor, _pollux] = pair.start_fast()?;
        fail(lab, &pair.castor)?;
        pair.wait_owners(&["pollux"], FAST)?;
        wait_until(FAST, "castor knows that it is not Active", || Ok(!castor.is_active(INSTANCE)?))?;
        mend(lab, &pair.castor)?;
        pair.wait_owners(&["castor"], FAST)?;
        pair.owners_stay(&["castor"])
    })
}

#[test]
fn a_link_set_down_is_a_fault() -> Result<()> {
    link_fails("link down", |_, host| host.link_down("eth0"), |_, host| host.link_up("eth0"))
}

#[test]
fn a_carrier_lost_is_a_fault() -> Result<()> {
    link_fails("carrier lost", Lab::cut_carrier, Lab::heal)
}

/// Neither can know of the other while the switch drops everything. When it no longer does, the better one
/// has the address alone.
#[test]
fn a_silent_cut_ends_with_one_owner() -> Result<()> {
    story("silent cut", &[], |lab| {
        let pair = Pair::new(lab)?;
        let [castor, pollux] = pair.start_fast()?;
        lab.cut_silently(&pair.castor)?;
        pair.wait_owners(&["castor", "pollux"], FAST)?;
        lab.heal(&pair.castor)?;
        pair.wait_owners(&["castor"], FAST)?;
        pair.owners_stay(&["castor"])?;
        assert!(castor.is_active(INSTANCE)? && !pollux.is_active(INSTANCE)?);
        Ok(())
    })
}

#[test]
fn an_interface_may_come_later() -> Result<()> {
    story("interface that comes later", &[], |lab| {
        let pair = Pair::new(lab)?;
        let castor = Xvrrp::start(&pair.castor, &Conf::fast(101).on("eth1").text())?;
        pair.owners_stay(&[])?;
        let router = castor.router(INSTANCE)?;
        ensure!(router["state"] == "fault", "not a fault: {router}");
        ensure!(router["fault"].as_str().is_some_and(|fault| fault.contains("interface")), "{router}");
        lab.connect(&pair.castor, "eth1")?;
        pair.castor.check(&["ip", "addr", "add", "198.51.100.1/24", "dev", "eth1"])?;
        pair.wait_owners(&["castor"], FAST)?;
        castor.wait_active(INSTANCE, FAST)
    })
}

#[test]
fn an_address_taken_away_is_put_back() -> Result<()> {
    story("address taken away", &[], |lab| {
        let pair = Pair::new(lab)?;
        let _routers = pair.start_fast()?;
        pair.castor.sh(&format!("ip addr del {ADDRESS}/32 dev eth0"))?;
        pair.wait_owners(&["castor"], FAST)?;
        pair.owners_stay(&["castor"])
    })
}
