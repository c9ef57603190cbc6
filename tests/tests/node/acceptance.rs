//! Accept_Mode: whether the addresses answer, beside keepalived with the same file.

use anyhow::{Result, ensure};
use vrrp_tests::{
    Host,
    conf::{ADDRESS, Conf, INSTANCE},
    init::Exit,
    peers::{Keepalived, Router, Xvrrp},
    story, wait_until,
};

use crate::pair::FAST;

const NEEDS: &[&str] = &["keepalived", "nftables"];

fn conf() -> String {
    let excluded = "virtual_ipaddress_excluded {\n        2001:db8::100/64\n    }";
    Conf::fast(101).and("no_accept").and(excluded).text()
}

/// A port that nobody serves is refused by a host that accepts, and silent where packets are dropped.
fn answers(client: &Host, address: &str) -> Result<bool> {
    Ok(client.sh(&format!("timeout 1 bash -c ': >/dev/tcp/{address}/9' 2>&1 | grep -q refused")).is_ok())
}

/// The neighbours know where it is all the same.
fn is_silent_and_known(client: &Host, address: &str) -> Result<()> {
    ensure!(!answers(client, address)?, "{address} answers");
    let entry = client.sh(&format!("ip neigh show {address}"))?;
    ensure!(entry.contains("lladdr"), "{address} is not known: {entry}");
    Ok(())
}

#[test]
fn addresses_that_do_not_accept_are_silent_as_with_keepalived() -> Result<()> {
    story("no_accept", NEEDS, |lab| {
        let castor = lab.host("castor")?;
        let client = lab.host("client")?;
        client.sh("ip address add 2001:db8::9/64 dev eth0 nodad")?;
        let keepalived = Keepalived::start(&castor, &conf())?;
        keepalived.wait_owns(ADDRESS, FAST)?;
        is_silent_and_known(&client, ADDRESS)?;
        keepalived.shut_down()?;

        let node = Xvrrp::start(&castor, &conf())?;
        node.wait_owns(ADDRESS, FAST)?;
        for address in [ADDRESS, "2001:db8::100"] {
            is_silent_and_known(&client, address)?;
        }
        ensure!(answers(&client, &castor.address().to_string())?, "the host's own address is silent too");
        node.shut_down()?;
        assert_eq!(castor.sh("nft list tables")?, "");
        Ok(())
    })
}

/// A reload opens and closes them; what a killed node leaves is closed, and `xvrrp cleanup` removes it.
#[test]
fn whether_they_accept_follows_the_file() -> Result<()> {
    story("accept and no_accept", NEEDS, |lab| {
        let castor = lab.host("castor")?;
        let client = lab.host("client")?;
        let node = Xvrrp::start(&castor, &conf())?;
        node.wait_owns(ADDRESS, FAST)?;
        ensure!(!answers(&client, ADDRESS)?, "it answers");
        assert_eq!(node.reload(&Conf::fast(101).text())?.exit, Exit::Code(0));
        ensure!(answers(&client, ADDRESS)?, "it is silent");
        assert_eq!(castor.sh("nft list tables")?, "");

        assert_eq!(node.reload(&conf())?.exit, Exit::Code(0));
        ensure!(!answers(&client, ADDRESS)?, "it answers");
        node.kill()?;
        wait_until(FAST, "the killed node has ended", || Ok(node.process().exit()?.is_some()))?;
        assert_eq!(castor.sh("nft list tables")?.trim(), "table inet xvrrp_default");
        assert_eq!(Xvrrp::command(&castor, &["cleanup"])?.exit, Exit::Code(0));
        assert_eq!(castor.sh("nft list tables")?, "");
        Ok(())
    })
}

/// A table of somebody else is not taken; one of the node's goes with its name, also when the node was killed.
#[test]
fn the_table_has_the_name_that_the_file_gives_it() -> Result<()> {
    story("nftables", NEEDS, |lab| {
        let castor = lab.host("castor")?;
        let client = lab.host("client")?;
        let named = |name: &str| {
            let nftables = format!("nftables {name}\n    nftables_priority 7\n    nftables_counters");
            Conf::fast(101).and("no_accept").node(&nftables).text()
        };
        castor.sh("nft add table inet vips")?;
        let Err(refused) = Xvrrp::start(&castor, &named("vips")) else { anyhow::bail!("it runs") };
        let said = format!("{refused:#}");
        ensure!(said.contains("nft delete table inet vips"), "{said}");
        assert_eq!(castor.sh("nft list tables")?.trim(), "table inet vips");
        castor.sh("nft delete table inet vips")?;

        let node = Xvrrp::start(&castor, &named("vips"))?;
        node.wait_owns(ADDRESS, FAST)?;
        is_silent_and_known(&client, ADDRESS)?;
        let rules = castor.sh("nft list table inet vips")?;
        ensure!(rules.contains("counter packets") && rules.contains(" 7;"), "{rules}");
        assert_eq!(node.reload(&named("other"))?.exit, Exit::Code(0));
        assert_eq!(castor.sh("nft list tables")?.trim(), "table inet other");
        node.kill()?;
        wait_until(FAST, "the killed node has ended", || Ok(node.process().exit()?.is_some()))?;

        let next = Xvrrp::start(&castor, &conf())?;
        assert_eq!(castor.sh("nft list tables")?.trim(), "table inet xvrrp_default");
        next.shut_down()?;
        assert_eq!(castor.sh("nft list tables")?, "");
        Ok(())
    })
}

/// Without nft a file that says `no_accept` is refused; strict mode alone goes on and says so.
#[test]
fn without_nft_nobody_believes_that_packets_are_dropped() -> Result<()> {
    story("no nft", NEEDS, |lab| {
        let castor = lab.host("castor")?;
        castor.sh("mount --bind /bin/false $(readlink -f $(command -v nft))")?;
        let Err(refused) = Xvrrp::start(&castor, &conf()) else { anyhow::bail!("it runs") };
        let said = format!("{refused:#}");
        ensure!(said.contains("remove `no_accept`"), "{said}");
        let strict = Conf::fast(101).and("strict_mode").text();
        let node = Xvrrp::start(&castor, &strict)?;
        node.wait_active(INSTANCE, FAST)?;
        wait_until(FAST, "the log says so", || {
            Ok(node.process().log()?.contains("although the mode is strict"))
        })
    })
}
