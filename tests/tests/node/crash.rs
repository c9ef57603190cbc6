//! Daemons that die or hang, and what they left on their hosts.

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use vrrp_tests::{
    conf::{Conf, INSTANCE},
    init::Exit,
    story, wait_until,
};

use crate::pair::{FAST, Pair};

/// The address outlives a killed daemon; the next one on that host takes it in hand, as Backup too.
#[test]
fn a_killed_node_is_succeeded_and_its_leftovers_are_removed() -> Result<()> {
    story("killed", &["psmisc"], |lab| {
        let pair = Pair::new(lab)?;
        let [castor, _pollux] = pair.start_fast()?;
        castor.kill()?;
        pair.wait_owners(&["castor", "pollux"], FAST)?;
        wait_until(FAST, "no process of the killed node is left", || {
            Ok(pair.castor.run(&["killall", "-0", "xvrrp"])?.exit == Exit::Code(1))
        })?;
        let _castor = pair.start_castor(&Conf::fast(50))?;
        pair.wait_owners(&["pollux"], FAST)?;
        pair.owners_stay(&["pollux"])
    })
}

/// A node that hung while another took over steps back first, whatever its priority, and says why; with
/// nopreempt it stays back.
#[test]
fn a_node_that_hung_steps_back() -> Result<()> {
    story("hung", &[], |lab| {
        let pair = Pair::new(lab)?;
        let castor = pair.start_castor(&Conf::fast(101).and("nopreempt"))?;
        pair.wait_owners(&["castor"], FAST)?;
        let _pollux = pair.start_pollux(&Conf::fast(100))?;
        pair.owners_stay(&["castor"])?;
        castor.process().signal(Signal::SIGSTOP)?;
        pair.wait_owners(&["castor", "pollux"], FAST)?;
        castor.process().signal(Signal::SIGCONT)?;
        pair.wait_owners(&["pollux"], FAST)?;
        pair.owners_stay(&["pollux"])?;
        ensure!(!castor.is_active(INSTANCE)?, "castor let go of the address and yet is Active");
        Ok(())
    })
}
