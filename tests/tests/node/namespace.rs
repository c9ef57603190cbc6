//! A node in the network namespace that its file names.

use anyhow::Result;
use vrrp_tests::{
    Host,
    conf::{ADDRESS, Conf},
    peers::{Router as _, Xvrrp},
    story, wait_until,
};

use crate::pair::FAST;

/// Puts the interface of a host into a network namespace `blue` of its.
pub(crate) fn move_to_blue(host: &Host) -> Result<()> {
    host.sh("ip netns add blue
             ip link set eth0 netns blue
             ip -n blue link set lo up
             ip -n blue link set eth0 up
             ip -n blue address add 192.0.2.1/24 dev eth0")
        .map(drop)
}

/// The addresses of that interface.
pub(crate) fn addresses_in_blue(host: &Host) -> Result<String> {
    host.sh("ip -n blue -o address show dev eth0")
}

/// The check holds only there: elsewhere there is no eth0.
#[test]
fn a_node_lives_in_the_namespace_of_its_file() -> Result<()> {
    story("net_namespace", &[], |lab| {
        let castor = lab.host("castor")?;
        move_to_blue(&castor)?;
        let conf = Conf::fast(101)
            .checking("there", &["script \"grep -q eth0: /proc/self/net/dev\"", "interval 0.2"]);
        let node = Xvrrp::start(&castor, &format!("net_namespace blue\n{}", conf.text()))?;
        let addresses = || addresses_in_blue(&castor);
        wait_until(FAST, "the address is in the namespace", || Ok(addresses()?.contains(ADDRESS)))?;
        node.shut_down()?;
        wait_until(FAST, "the address is gone", || Ok(!addresses()?.contains(ADDRESS)))
    })
}
