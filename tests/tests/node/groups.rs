//! Routers that move together.

use anyhow::{Result, ensure};
use vrrp_tests::{Host, peers::Xvrrp, scenario::Make, story, wait_until};

use crate::pair::{FAST, OURS, PEERS, Pair};

const FIRST: &str = "192.0.2.100";
const SECOND: &str = "192.0.2.101";

/// Two routers in one group; the second one's file makes it faulty.
pub(crate) fn file(priority: u8) -> String {
    let instance = |name: &str, vrid: u8, address: &str, more: &str| {
        format!(
            "vrrp_instance {name} {{\n    interface eth0\n    version 3\n    virtual_router_id {vrid}\n    \
             priority {priority}\n    advert_int 0.1\n    virtual_ipaddress {{\n        {address}\n    }}\n{more}}}\n\n"
        )
    };
    let tracked = "    track_file {\n        switch\n    }\n";
    format!(
        "track_file switch {{\n    file /run/lab/switch\n    weight 0\n    init_file 0\n}}\n\n\
         vrrp_sync_group G {{\n    group {{\n        A\n        B\n    }}\n}}\n\n{}{}",
        instance("A", 51, FIRST, ""),
        instance("B", 52, SECOND, tracked),
    )
}

fn both_on(lab: &vrrp_tests::Lab, owner: &str) -> Result<()> {
    wait_until(FAST, &format!("both addresses are on {owner}"), || {
        Ok(lab.owners(FIRST)? == [owner] && lab.owners(SECOND)? == [owner])
    })
}

fn switch(host: &Host, value: u8) -> Result<()> {
    host.sh(&format!("echo {value} >/run/lab/switch")).map(drop)
}

fn move_together(name: &str, makes: [Make; 2]) -> Result<()> {
    story(name, PEERS, |lab| {
        let pair = Pair::of(lab, FIRST)?;
        let pollux = makes[1].start(&pair.pollux, &file(100))?;
        let castor = makes[0].start(&pair.castor, &file(150))?;
        both_on(lab, "castor")?;
        // One member's fault moves both, and its end brings both back.
        switch(&pair.castor, 1)?;
        both_on(lab, "pollux")?;
        switch(&pair.castor, 0)?;
        both_on(lab, "castor")?;
        castor.shut_down()?;
        both_on(lab, "pollux")?;
        pollux.shut_down()
    })
}

#[test]
fn members_move_together() -> Result<()> {
    move_together("a sync group on both", [OURS, OURS])
}

#[test]
fn members_move_together_from_keepalived_and_back() -> Result<()> {
    move_together("a sync group, keepalived as Backup", [OURS, Make::Keepalived])
}

#[test]
fn members_move_together_to_keepalived_and_back() -> Result<()> {
    move_together("a sync group, keepalived as Active", [Make::Keepalived, OURS])
}

/// Castor's group is better in one router and worse in the other: it becomes Active for none of them, as it could
/// not be Active for both. Keepalived stays so too.
#[test]
fn a_group_becomes_active_as_a_whole_or_not_at_all() -> Result<()> {
    story("a group of two minds", &[], |lab| {
        let pair = Pair::of(lab, FIRST)?;
        let _pollux = Xvrrp::start(&pair.pollux, &file(100))?;
        both_on(lab, "pollux")?;
        let two_minds = file(50).replacen("priority 50", "priority 150", 1);
        let castor = Xvrrp::start(&pair.castor, &two_minds)?;
        wait_until(FAST, "castor has heard much", || Ok(castor.counter("B", "accepted")? > 20))?;
        for name in ["A", "B"] {
            let router = castor.router(name)?;
            assert_eq!((&router["state"], &router["group"]), (&"backup".into(), &"G".into()), "{router}");
            ensure!(router["counters"]["became_active"] == 0, "{router}");
        }
        both_on(lab, "pollux")
    })
}
